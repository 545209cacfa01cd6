"""The shop's people: they process, refund, and decide what nobody else can."""

from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from order_core.assembly import OrderCore
from order_core.errors import OrderCoreError
from order_core.money import Money
from order_core.order import Order
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.reviewing import ReviewDecision
from order_memory import Standing
from order_simulator.customers import AGAIN, NoAnswer, Request, ask, hear
from order_simulator.pages import NOTHING_YET, Pages, Seen
from order_simulator.virtual_time import DAY, HOUR, MINUTE, SECOND, pause

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_MOST_TRIES: Final = 40
_GONE: Final = frozenset({Standing.VOIDED, Standing.DECLINED})
_ENDS_OF_A_DISPUTE: Final = (ReviewDecision.DISPUTE_WON, ReviewDecision.DISPUTE_LOST)


class Staff:
    """Acts on placed orders at random, and on every order in review."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._pages = Pages(shop)
        self._asked = 0
        self._guessed: set[str] = set()
        self._read: set[str] = set()

    @property
    def by_the_pages(self) -> set[str]:
        """The orders about which people decided only what the provider's pages say."""
        return self._read - self._guessed

    def hears_of(self, order: Order) -> None:
        """A customer has an order: perhaps somebody does something with it."""
        shop, chance = self._shop, self._shop.chance
        when = chance.choice((2 * SECOND, MINUTE, HOUR, 3 * DAY))
        if chance.happens(0.5 if shop.holds_first else 0.15):
            later = int(chance.random() * when)
            shop.scheduler.start(self._process(order), "staff", delay=later)
        if chance.happens(0.08):
            for _ in range(chance.choice((1, 1, 2, 3))):
                later = int(chance.random() * when)
                shop.scheduler.start(self._refund(order), "staff", delay=later)

    def review(self, order_id: str) -> None:
        """An order needs a decision."""
        delay = int(self._shop.chance.random() * self._shop.chance.choice((MINUTE, DAY)))
        self._shop.scheduler.start(self._review(order_id), "staff", delay=delay)

    async def _process(self, order: Order) -> None:
        await self._insist(lambda core: core.process(order.id, by="staff"), "process", order.id)

    async def _refund(self, order: Order) -> None:
        chance = self._shop.chance
        self._asked += 1
        key = f"refund-{self._asked}"
        part = 1 + int(order.total.minor_units * chance.choice((0.2, 0.5, 0.7)))
        amount = Money(part, order.total.currency) if chance.happens(0.6) else None
        await self._insist(
            lambda core: core.refund(order.id, by="staff", amount=amount, key=key),
            f"refund {amount}",
            order.id,
        )

    async def _review(self, order_id: str) -> None:
        while True:
            order = self._shop.store.row(order_id).order
            doubts = _in_doubt(order)
            if not doubts:
                self._shop.judge.reviewed(order_id)
                return
            for doubtful in doubts:
                seen = self._pages.say(order, doubtful)
                if seen != NOTHING_YET:
                    await self._decide(order_id, doubtful, seen)
                    await pause(int(MINUTE * self._shop.chance.random()))
                    break
            else:
                await pause(int(DAY * self._shop.chance.random()))

    async def _decide(self, order_id: str, doubtful: PaymentTransaction, seen: Seen | None) -> None:
        decisions = self._as_it_seems(doubtful) if seen is None else list(seen.decisions)
        # Also what nobody answers may be done.
        (self._read if seen is not None and seen.is_certain else self._guessed).add(order_id)
        if self._shop.chance.happens(0.1):
            decisions.insert(0, ReviewDecision.NOTE)
        for decision in decisions:
            self._asked += 1
            key = f"review-{self._asked}"

            request = partial(
                _reviewed, order_id=order_id, about=doubtful.id, decision=decision, key=key
            )
            answer = await self._insist(request, f"review {doubtful.id} {decision}", order_id)
            if answer and decision is not ReviewDecision.NOTE:
                return

    def _as_it_seems(self, doubtful: PaymentTransaction) -> list[ReviewDecision]:
        """What somebody decides by what he knows without looking it up; he may be wrong."""
        decisions = [ReviewDecision.ACCEPT]
        disputed = doubtful.kind is TransactionKind.REVERSAL and "disputed" in str(doubtful.review)
        if not disputed and self._shop.chance.happens(0.5):
            # What a buyer's bank took back is not paid out once more.
            decisions.insert(0, ReviewDecision.REFUND)
        if disputed and self._shop.chance.happens(0.3):
            # Somebody has read what the bank wrote, perhaps not to the end.
            decisions.insert(0, self._shop.chance.choice(_ENDS_OF_A_DISPUTE))
        if self._is_of_what_is_gone(doubtful) and self._shop.chance.happens(0.5):
            decisions.insert(0, ReviewDecision.HOLD_ENDED)
        return decisions

    def _is_of_what_is_gone(self, void: PaymentTransaction) -> bool:
        """Whether the provider's pages show that what this was to let go has ended."""
        if void.kind is not TransactionKind.VOID or void.parent_reference is None:
            return False
        return self._shop.provider.ledger.entry(void.parent_reference).standing in _GONE

    async def _insist(self, request: Request, what: str, order_id: str) -> bool:
        """Ask until there is an answer; whether it was done."""
        shop, chance = self._shop, self._shop.chance
        for _ in range(_MOST_TRIES):
            if away := shop.away_for():
                await pause(away)
            try:
                order = await ask(shop, request, what)
            except (*AGAIN, NoAnswer):
                await pause(int(chance.choice((1, 10, 120)) * SECOND))
            except OrderCoreError as error:
                shop.answer(f"staff {what}", error, order_id)
                return False
            else:
                shop.answer(f"staff {what}", order.status, order_id)
                hear(shop, order)
                return True
        return False


def _reviewed(
    core: OrderCore, *, order_id: str, about: str, decision: ReviewDecision, key: str
) -> Coroutine[Any, Any, Order]:
    return core.review(
        order_id, transaction_id=about, decision=decision, note="seen", by="staff", key=key
    )


def _in_doubt(order: Order) -> list[PaymentTransaction]:
    in_review = TransactionStatus.IN_REVIEW
    return [t for t in order.transactions if t.review is not None or t.status is in_review]
