"""Customers: they order, click twice, lose patience, try again, and change their minds."""

from collections.abc import Callable, Coroutine
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from order_core.assembly import OrderCore
from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    InvalidValue,
    OrderCoreError,
    PaymentMethodInUse,
    PossibleDuplicate,
    ProviderUnavailable,
    RequestInProgress,
    StoreUnavailable,
)
from order_core.invariants.promises import NO_BUG, NOTHING_MEANS_NOTHING
from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_request import OrderRequest
from order_core.order_status import OrderStatus
from order_core.shipping_address import ShippingAddress
from order_core.use_cases.place_order import ROUTE
from order_simulator.faults import Fault
from order_simulator.tokens import HOW_OFTEN
from order_simulator.virtual_time import HOUR, MINUTE, SECOND, Task, pause, wait

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_PATIENCE: Final = 15 * SECOND
_MOST_TRIES: Final = 8
_METHODS: Final = tuple(HOW_OFTEN)
_SUMS_OF_WEIGHTS: Final = tuple(accumulate(HOW_OFTEN.values()))
_QUAY: Final = ShippingAddress("1 Quay Street, Galway")
AGAIN: Final = (
    CommitUnknown,
    ConcurrentUpdate,
    ProviderUnavailable,
    RequestInProgress,
    StoreUnavailable,
)
"""What a client answers by asking again."""
_NOTHING_HAPPENED: Final = (
    PossibleDuplicate,
    ProviderUnavailable,
    PaymentMethodInUse,
    StoreUnavailable,
    InvalidValue,
)


class NoAnswer(Exception):
    """The connection broke, or the client lost patience; the request may go on."""


Request = Callable[[OrderCore], Coroutine[Any, Any, Order]]


class Refused(Exception):
    """Asking again would not help."""


async def ask(shop: "Shop", request: Request, name: str) -> Order:
    """Send a request to some API instance, and wait as long as clients wait.

    Raises:
        NoAnswer: nobody answered in time.
        OrderCoreError: whatever the use case raises.
    """
    process, client = shop.an_api_instance(), shop.scheduler.current
    if process is None or client is None:
        await pause(SECOND)
        raise NoAnswer

    def ended(answer: Task) -> None:
        if answer.error is not None and not isinstance(answer.error, OrderCoreError):
            shop.judge.found(NO_BUG, None, f"{name}: {answer.error!r}")
        if client.waits_for is answer:
            shop.scheduler.wake(client, 20_000)

    answer = process.run(request(process.core), name, on_end=ended)
    client.waits_for = answer
    shop.scheduler.wake(client, _PATIENCE)
    await wait()
    client.waits_for = None
    if not answer.is_over or answer.was_killed:
        cut = Fault.CONNECTION_CUT if answer.is_over else Fault.CLIENT_GAVE_UP
        shop.inject(cut, name, None)
        raise NoAnswer
    if answer.error is not None:
        raise answer.error if isinstance(answer.error, OrderCoreError) else NoAnswer
    order: Order = answer.result
    return order


class Customers:
    """Makes customers, each with a wish of its own."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._shared_tokens: list[str] = []

    def come(self, number: int) -> None:
        """One customer comes, now."""
        shop, chance = self._shop, self._shop.chance
        has_key, changes_key = chance.happens(0.9), chance.happens(0.03)
        wish = f"wish-{number}" if has_key and not changes_key else f"free-{number}"
        request = OrderRequest(
            customer_id=f"c{number}",
            items=(OrderItem(wish, chance.randint(1, 3), Money(chance.randint(100, 9000), "EUR")),),
            shipping_address=_QUAY,
            payment_method=self._payment_method(number),
            email=f"c{number}@example.com" if chance.happens(0.9) else None,
        )
        key = f"key-{number}" if has_key else None
        twice = chance.happens(0.08)
        buying = self._buy(request, key, changes_key=changes_key, alone=not twice)
        shop.scheduler.start(buying, request.customer_id)
        if twice:
            delay = int(chance.random() * chance.choice((5_000, SECOND, 20 * SECOND)))
            again = self._buy(request, key, changes_key=changes_key, alone=False)
            shop.scheduler.start(again, request.customer_id, delay=delay)

    def _payment_method(self, number: int) -> str:
        chance = self._shop.chance
        method = chance.choices(_METHODS, cum_weights=_SUMS_OF_WEIGHTS)[0]
        if method != "once_":
            return method
        if self._shared_tokens and chance.happens(0.4):
            self._shop.inject(Fault.TOKEN_SHARED, f"c{number}", None)
            return self._shared_tokens.pop()
        token = f"once_{number}"
        self._shared_tokens.append(token)
        return token

    async def _buy(
        self, request: OrderRequest, key: str | None, *, changes_key: bool, alone: bool
    ) -> None:
        chance = self._shop.chance
        for attempt in range(_MOST_TRIES):
            if attempt and changes_key and key and chance.happens(0.5):
                key = f"{key}+"
            try:
                order = await self._try(request, key, alone=alone and attempt == 0)
            except NoAnswer:
                pass
            except Refused:
                return
            else:
                await self._afterwards(order, request, key)
                return
            await pause(int(chance.choice((0.05, 1, 6, 40)) * SECOND * (0.5 + chance.random())))

    async def _try(self, request: OrderRequest, key: str | None, *, alone: bool) -> Order:
        """What placing the order came to.

        Raises:
            NoAnswer: it is worth asking again.
            Refused: it is not.
        """
        shop, who = self._shop, request.customer_id
        try:
            order = await ask(shop, lambda core: core.place(request, key=key), f"place {who}")
        except OrderCoreError as error:
            shop.answer(who, error, None)
            if alone and key and isinstance(error, _NOTHING_HAPPENED):
                stored = shop.store.request(who, ROUTE, key)
                if stored:
                    shop.judge.found(NOTHING_MEANS_NOTHING, stored[1], f"{who} heard {error!r}")
            raise (NoAnswer if isinstance(error, AGAIN) else Refused) from error
        shop.answer(who, order.status, order.id)
        hear(shop, order)
        if key:
            shop.judge.answered(f"{who} {key}", order.id)
        return order

    async def _afterwards(self, order: Order, request: OrderRequest, key: str | None) -> None:
        shop, chance = self._shop, self._shop.chance
        shop.staff.hears_of(order)
        if chance.happens(0.16):
            soon = chance.choice((SECOND // 2, 5 * SECOND, MINUTE, 40 * MINUTE, 20 * HOUR))
            for _ in range(chance.choice((1, 1, 1, 2))):
                shop.scheduler.start(
                    self._cancel(order), order.customer_id, delay=int(chance.random() * soon)
                )
        if chance.happens(0.1):
            await pause(int(chance.random() * chance.choice((MINUTE, 2 * HOUR))))
            again = key is not None and chance.happens(0.5)

            def look(core: OrderCore) -> Coroutine[Any, Any, Order]:
                if again:
                    return core.place(request, key=key)
                return core.get(order.id, customer_id=order.customer_id)

            try:
                hear(shop, await ask(shop, look, "look again"))
            except (OrderCoreError, NoAnswer):
                return

    async def _cancel(self, order: Order) -> None:
        shop, chance = self._shop, self._shop.chance
        key = f"cancel-{order.id}" if chance.happens(0.5) else None
        for _ in range(_MOST_TRIES):
            try:
                cancelled = await ask(
                    shop,
                    lambda core: core.cancel(order.id, customer_id=order.customer_id, key=key),
                    "cancel",
                )
            except (*AGAIN, NoAnswer):
                await pause(int(chance.choice((1, 20)) * SECOND))
            except OrderCoreError as error:
                shop.answer(order.customer_id, error, order.id)
                return
            else:
                shop.answer(order.customer_id, cancelled.status, order.id)
                hear(shop, cancelled)
                return


def hear(shop: "Shop", order: Order) -> None:
    """A client was answered with this order."""
    if order.status is not OrderStatus.AWAITING_PAYMENT:
        shop.judge.told(order.id, order.status)
