"""Slows down whoever finds out by ordering which stolen cards still pay.

Declines are counted by customer, by payment method and by address. A try that is turned away
is neither recorded nor does a provider hear of it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from order_core.assembly import OrderCore
from order_core.errors import OrderCoreError
from order_core.order import Order
from order_core.order_request import OrderRequest
from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus, fingerprint
from order_http.rate_limits import Quota, RateLimits

BY_CUSTOMER: Final = "declines-of-customer"
BY_METHOD: Final = "declines-of-payment-method"
BY_ADDRESS: Final = "declines-of-address"
PAID_BY_ADDRESS: Final = "paid-by-address"
COUNTED: Final = "counted-orders"
"""An order is counted once, however often its answer is asked for; and so is, of those who paid
behind an address, each customer: to pay and cancel again and again makes no honest address."""

COUNTED_FURTHER: Final = 20
"""Behind an address, declines and those who paid are compared as numbers, so they are counted so
many times further than where an address begins to be slowed down."""

AT_ONCE: Final = 32
"""So many tries may be under way while none was declined: a busy backend's, or a burst of cards."""

_SOON_SECONDS: Final = 2
_DETAIL: Final = (
    "Too many payments were declined. Nothing was recorded, and no provider was asked. Orders "
    "that were placed before can be read and cancelled."
)

Tried = tuple[str, str]
"""The limit, and whom it counts."""


class CardTesting:
    """Stands between the endpoint and the use case."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._counts = limits.counts
        self._under_way: Counter[Tried] = Counter()

    async def place(
        self,
        core: OrderCore,
        wish: OrderRequest,
        *,
        key: str | None,
        address: str | None,
        waited: Callable[[], timedelta],
    ) -> Order:
        """What the use case makes of it. A repeat of a recorded request always gets there.

        `waited` tells how long ago the buyer asked.

        Raises:
            Problem: 429.
            OrderCoreError: whatever the use case raises.
        """
        declines = [
            (BY_CUSTOMER, wish.customer_id),
            (BY_METHOD, _method_of(core, wish)),
        ]
        declines = [tried for tried in declines if tried[0] in self._counts.policies]
        by_address = self._of_address(address)
        turns = self._begin(declines)
        try:
            full = await self._used_up(declines, turns, by_address)
            # Whoever lost the answer to a payment must be able to ask what became of it.
            if full and not (key and await core.place.was_recorded(wish.customer_id, key)):
                wait = None if any(not each.remaining for each in full) else _SOON_SECONDS
                self._limits.refuse(*full, detail=_DETAIL, wait_seconds=wait)
            order = await core.place(wish, key=key, waited=waited())
            await self._remember(order, declines, by_address, repeatable=key is not None)
            return order
        finally:
            self._end(declines)

    def _begin(self, tried: Sequence[Tried]) -> list[int]:
        # A thousand cards at once would all be tried before the first is declined.
        for each in tried:
            self._under_way[each] += 1
        return [self._under_way[each] for each in tried]

    def _end(self, tried: Sequence[Tried]) -> None:
        for each in tried:
            self._under_way[each] -= 1
            if self._under_way[each] <= 0:
                del self._under_way[each]

    async def _used_up(
        self, declines: Sequence[Tried], turns: Sequence[int], by_address: Sequence[Tried]
    ) -> list[Quota]:
        quotas = await self._counts.look(*declines, *by_address)
        full = [quota for quota, turn in zip(quotas, turns, strict=False) if _is_full(quota, turn)]
        if by_address:
            declined, paid = quotas[-2:]
            begins = declined.amount // COUNTED_FURTHER
            times = declined.amount - declined.remaining
            # Behind one address there may be a whole town, or the shop's own backend.
            if times >= max(begins, paid.amount - paid.remaining + 1):
                full.append(_used_up_at(declined, begins))
        return full

    async def _remember(
        self,
        order: Order,
        declines: Sequence[Tried],
        by_address: Sequence[Tried],
        *,
        repeatable: bool,
    ) -> None:
        if order.status is OrderStatus.AWAITING_PAYMENT:
            return
        if order.charge.status is TransactionStatus.DECLINED:
            happened = [*declines, *by_address[:1]]
        elif order.status is OrderStatus.PAYMENT_FAILED:
            # It never reached the provider: an outage makes nobody a tester of cards.
            happened = []
        else:
            happened = [*by_address[1:]]
        if not happened or (repeatable and not await self._counts.count(COUNTED, order.id)):
            return
        for policy, whose in happened:
            if policy == PAID_BY_ADDRESS:
                who_paid = fingerprint(whose, order.customer_id)
                if not await self._counts.count(COUNTED, who_paid):
                    continue
            await self._counts.count(policy, whose)

    def _of_address(self, address: str | None) -> list[Tried]:
        if address is None or BY_ADDRESS not in self._counts.policies:
            return []
        return [(BY_ADDRESS, address), (PAID_BY_ADDRESS, address)]


@dataclass(frozen=True, slots=True)
class _UsedUp:
    """What an address is told that is slowed down."""

    policy: str
    amount: int
    window_seconds: int
    wait_seconds: int
    remaining: int = 0


def _used_up_at(quota: Quota, amount: int) -> Quota:
    return _UsedUp(quota.policy, amount, quota.window_seconds, quota.wait_seconds)


def _is_full(quota: Quota, turn: int) -> bool:
    if quota.remaining == quota.amount:
        return turn > max(AT_ONCE, quota.amount)
    # Once a card was declined, whatever is under way may be declined too.
    return quota.remaining < turn


def _method_of(core: OrderCore, wish: OrderRequest) -> str:
    """Stands for the payment method; nobody can tell it from the counts."""
    known = frozenset(core.place.gateways)
    try:
        return fingerprint(*wish.provider_and_token(core.place.default_provider, known))
    except OrderCoreError:
        return fingerprint(wish.payment_method)  # The use case refuses it.
