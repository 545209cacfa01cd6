"""What a repository must do about lists."""

from dataclasses import replace
from datetime import timedelta

import pytest

from order_core.order import Order
from order_core.order_status import UNPLACED, OrderStatus
from order_core.ports import OrderQuery, OrderRepository
from order_memory.contracts import samples
from order_memory.contracts.stores import StoreSuite

_HOUR = timedelta(hours=1)


class ListSuite(StoreSuite):
    """Lists are complete, in order, and repeat nothing, whatever the page."""

    async def stored(self, orders: OrderRepository, *new: Order) -> tuple[Order, ...]:
        """These orders as they are stored."""
        return tuple([(await orders.save(order)).order for order in new])

    async def test_the_newest_come_first_whole(self, orders: OrderRepository) -> None:
        at = self.now()
        old, new, middle = await self.stored(
            orders, *(samples.a_placed_order(at - hours * _HOUR) for hours in (3, 1, 2))
        )

        page = await orders.list(OrderQuery("ann"))

        assert page.orders == (new, middle, old)
        assert not page.has_more

    async def test_a_customer_sees_his_own_orders(self, orders: OrderRepository) -> None:
        at = self.now()
        anns, bobs = await self.stored(
            orders,
            samples.a_placed_order(at),
            samples.a_placed_order(at - _HOUR, customer_id="bob"),
        )

        assert (await orders.list(OrderQuery("bob"))).orders == (bobs,)
        assert (await orders.list(OrderQuery("eve"))).orders == ()
        assert (await orders.list(OrderQuery(None))).orders == (anns, bobs)

    async def test_pages_by_offset(self, orders: OrderRepository) -> None:
        at = self.now()
        made = await self.stored(
            orders, *(samples.a_placed_order(at - n * _HOUR) for n in range(5))
        )

        pages = [await orders.list(OrderQuery("ann", limit=2, offset=n)) for n in (0, 2, 4, 6)]

        assert [page.orders for page in pages] == [made[:2], made[2:4], made[4:], ()]
        assert [page.has_more for page in pages] == [True, True, False, False]

    async def test_a_page_that_is_just_full_is_the_last(self, orders: OrderRepository) -> None:
        await self.stored(orders, *(samples.a_placed_order(self.now()) for _ in range(2)))

        assert not (await orders.list(OrderQuery("ann", limit=2))).has_more

    async def test_pages_by_cursor_lose_and_repeat_nothing(self, orders: OrderRepository) -> None:
        # All in one microsecond, so that only the id can tell them apart.
        at = self.now()
        made = await self.stored(orders, *(samples.a_placed_order(at) for _ in range(7)))
        query, seen, pages = OrderQuery("ann", limit=3), list[Order](), 0

        while pages < len(made):
            page = await orders.list(query)
            seen.extend(page.orders)
            pages += 1
            if not page.has_more:
                break
            query = replace(query, before=(seen[-1].created_at, seen[-1].id))

        assert seen == sorted(made, key=lambda order: order.id, reverse=True)
        assert pages == 3

    async def test_an_order_made_meanwhile_does_not_shift_a_cursor(
        self, orders: OrderRepository
    ) -> None:
        at = self.now() - _HOUR
        made = await self.stored(
            orders, *(samples.a_placed_order(at - n * _HOUR) for n in range(3))
        )
        first = (await orders.list(OrderQuery("ann", limit=1))).orders[0]

        await self.stored(orders, samples.a_placed_order(self.now()))

        before = (first.created_at, first.id)
        assert (await orders.list(OrderQuery("ann", before=before))).orders == made[1:]

    async def test_orders_never_placed_are_left_out_unless_named(
        self, orders: OrderRepository
    ) -> None:
        at = self.now()
        waiting, failed, cancelled, placed = await self.stored(
            orders,
            samples.an_order(at),
            samples.an_order_that_ended(at - _HOUR, OrderStatus.PAYMENT_FAILED),
            samples.an_order_that_ended(at - 2 * _HOUR, OrderStatus.CANCELLED),
            samples.a_placed_order(at - 3 * _HOUR),
        )

        assert (await orders.list(OrderQuery("ann"))).orders == (cancelled, placed)
        assert (await orders.list(OrderQuery("ann", statuses=UNPLACED))).orders == (
            waiting,
            failed,
        )

    @pytest.mark.parametrize("status", sorted(set(OrderStatus) - UNPLACED))
    async def test_one_status_can_be_asked_for(
        self, orders: OrderRepository, status: OrderStatus
    ) -> None:
        at = self.now()
        made = await self.stored(
            orders,
            *(samples.a_placed_order(at, status=each) for each in set(OrderStatus) - UNPLACED),
        )

        page = await orders.list(OrderQuery("ann", statuses=frozenset({status})))

        assert page.orders == tuple(order for order in made if order.status is status)

    async def test_the_earliest_moment_belongs_to_the_time_asked_for_the_latest_does_not(
        self, orders: OrderRepository
    ) -> None:
        at = self.now().replace(microsecond=500_000)
        _late, middle, early = await self.stored(
            orders, *(samples.a_placed_order(at - n * _HOUR) for n in range(3))
        )

        page = await orders.list(
            OrderQuery("ann", created_after=early.created_at, created_before=at)
        )

        assert page.orders == (middle, early)

    async def test_every_filter_holds_at_once(self, orders: OrderRepository) -> None:
        at = self.now()
        await self.stored(
            orders,
            samples.a_placed_order(at),
            samples.a_placed_order(at - _HOUR, customer_id="bob"),
            samples.a_placed_order(at - _HOUR, status=OrderStatus.SHIPPED),
        )
        (wanted,) = await self.stored(orders, samples.a_placed_order(at - _HOUR))

        page = await orders.list(
            OrderQuery(
                "ann",
                statuses=frozenset({OrderStatus.PENDING}),
                created_before=at,
                created_after=at - 2 * _HOUR,
                before=(at, "order-000000"),
            )
        )

        assert page.orders == (wanted,)
