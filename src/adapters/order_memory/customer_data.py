"""Everything in memory that is kept of one customer."""

from datetime import datetime

from order_core.events import Happened, Reviewed
from order_core.immutable import replace
from order_core.order import Order
from order_core.ports import HeldOrder, HeldRequest, HeldSession, OrderTraces, Telling
from order_memory.orders import InMemoryOrders
from order_memory.store import NoticeRow

ERASED = "erased"


class InMemoryCustomerData:
    """A `CustomerData` over `orders`."""

    def __init__(self, orders: InMemoryOrders) -> None:
        self._store = orders.store

    async def orders(
        self, customer_id: str, /, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[HeldOrder, ...]:
        held = sorted(
            (row.order for row in self._store.rows() if row.order.customer_id == customer_id),
            key=_place,
        )
        page = [order for order in held if after is None or _place(order) > after]
        return tuple(
            HeldOrder(order, 0 if order.email is None else self._untold(order))
            for order in page[:limit]
        )

    async def traces(self, order_id: str, /) -> OrderTraces:
        if not self._store.has(order_id):
            return OrderTraces((), ())
        received = (event for event in self._store.received() if event.order_id == order_id)
        return OrderTraces(
            tuple(
                self._telling(order_id, happened) for happened in self._store.row(order_id).events
            ),
            tuple(sorted(received, key=lambda event: event.place)),
        )

    async def requests(
        self, customer_id: str, /, *, after: tuple[str, str] | None, limit: int
    ) -> tuple[HeldRequest, ...]:
        found = sorted(
            (
                (record.route, record.key, HeldRequest(record, order_id))
                for record, order_id in self._store.requests()
                if record.customer_id == customer_id
            ),
            key=lambda each: each[:2],
        )
        return tuple(held for *place, held in found if after is None or tuple(place) > after)[
            :limit
        ]

    async def sessions(self, customer_id: str, /) -> tuple[HeldSession, ...]:  # noqa: ARG002
        return ()  # There is no issuer of tokens in memory.

    async def forget_sessions(self, customer_id: str, /) -> int:  # noqa: ARG002 - as above
        return 0

    async def erase(self, order: Order, /) -> Order:
        stored = self._store.save(order, request=None, guard=None)
        self._store.forget_words(order.id, without_words)
        return stored

    def _untold(self, order: Order) -> int:
        return len(self._store.waiting_notices(order.id))

    def _telling(self, order_id: str, happened: Happened) -> Telling:
        notice = self._store.notice_of(order_id, happened)
        if notice is None:
            return Telling(happened)
        return _told(happened, notice)


def without_words(happened: Happened) -> Happened:
    """The event without what a person wrote."""
    if isinstance(happened.event, Reviewed):
        return replace(happened, event=replace(happened.event, note=ERASED))
    return happened


def _told(happened: Happened, notice: NoticeRow) -> Telling:
    # Memory keeps that it was told and not when: its tests look at whether.
    return Telling(
        happened, happened.at if notice.told else None, notice.attempts, notice.given_up_because
    )


def _place(order: Order) -> tuple[datetime, str]:
    return (order.created_at, order.id)
