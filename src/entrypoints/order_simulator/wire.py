"""The gateway of one process: requests get lost, arrive late, and answers do too."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.events import OrderCancelled, OrderPlaced
from order_core.invariants.promises import NOBODY_ELSE_SENDS, ONLY_WHAT_CAN_BE_ASKED
from order_core.money import Money
from order_core.order_status import OrderStatus
from order_core.outcomes import (
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RateLimited,
)
from order_core.payment import PaymentTransaction
from order_core.payment_terms import GatewayProfile
from order_core.ports import Notice
from order_memory.reactions import OBEY, Delivery, Effect
from order_simulator.faults import Fault
from order_simulator.tokens import PAYMENT_METHODS
from order_simulator.virtual_time import MINUTE, SECOND, pause

if TYPE_CHECKING:
    from order_simulator.process import Process

_BUDGET: Final = 20 * SECOND
_HORIZON: Final = 30 * MINUTE
_MICROSECOND: Final = timedelta(microseconds=1)
_UNLUCKY: Final = 0.6
"""Of the requests about an order with bad luck."""
_BEFORE: Final = frozenset({Fault.CRASH_BEFORE, Fault.STALL_BEFORE})
_FAULTS: Final = (
    Fault.REQUEST_LOST,
    Fault.REQUEST_LATE,
    Fault.REQUEST_LATE,
    Fault.REQUEST_TWICE,
    Fault.ANSWER_LOST,
    Fault.ANSWER_LOST,
    Fault.ANSWER_SLOW,
    Fault.ERROR_AFTER,
    Fault.RATE_LIMITED,
    Fault.IN_PROGRESS,
    Fault.NOT_SENT,
    Fault.NOT_SENT,
    Fault.GATEWAY_RAISED,
    Fault.REQUEST_OVERDUE,
)
_ARRIVES_LATE: Final = frozenset({Fault.REQUEST_LATE, Fault.REQUEST_OVERDUE})
_REFUSALS: Final[dict[Fault, Outcome]] = {
    Fault.RATE_LIMITED: RateLimited(2.0),
    Fault.IN_PROGRESS: InProgress(),
    Fault.NOT_SENT: NotSent("no_connection"),
}


class BrokenGatewayError(Exception):
    """A gateway fails as no gateway should, and its request is on its way."""


class Wire:
    """A `PaymentGateway` to the provider, with everything that a network does."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._shop = process.shop
        self._provider = process.shop.provider

    @property
    def profile(self) -> GatewayProfile:
        account = self._process.strange_account
        ours = self._provider.account.profile
        return replace(ours, account=account) if account else ours

    def check(self, amount: Money, token: str, /) -> None:
        self._provider.account.check(amount, token)

    def is_single_use(self, token: str, /) -> bool:
        return self._provider.account.is_single_use(token)

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        shop, chance, about = self._shop, self._shop.chance, transaction.order_id
        if self._process.is_strange:
            shop.judge.found(NOBODY_ELSE_SENDS, about, f"{self._process.name}: {transaction}")
        await pause(int(chance.random() * 2000))
        if self._stalls_here(transaction):
            shop.inject(Fault.STALL_IN_CALL, self._process.name, about)
            # Whoever holds the order has lost it, and its request is about to leave.
            await self._process.stand_still(33 + 30 * chance.random())
        trouble = self._process.trouble()
        if trouble in _BEFORE and trouble is not None:
            await self._process.suffer(trouble, about)
        # From here on the bytes are on their way, whatever becomes of this process.
        if self._process.clock.now() >= transaction.send_until:
            return self._heard(transaction, NotSent("too_late"))
        self._provider.sent_at[transaction.id] = shop.scheduler.now
        outcome = await self._exchanged(transaction)
        if trouble is not None and trouble not in _BEFORE:
            await self._process.suffer(trouble, about)
        return self._heard(transaction, outcome)

    async def _exchanged(self, transaction: PaymentTransaction) -> Outcome:
        shop, chance = self._shop, self._shop.chance
        fault = self._fault_of(transaction)
        if fault in _REFUSALS and fault is not None:
            await pause(int(chance.random() * SECOND))
            return _REFUSALS[fault]
        if fault is Fault.REQUEST_LOST:
            await pause(self._time_out())
            return OutcomeUnknown("timed_out")
        answers: list[Outcome] = []
        delivery = Delivery.SERVER_ERROR if fault is Fault.ERROR_AFTER else Delivery.ANSWERED

        def leave(after: int) -> None:
            self._provider.leaves(transaction)
            shop.scheduler.after(
                after, lambda: answers.append(self._provider.arrive(transaction, delivery))
            )

        there = int(20_000 + chance.random() * 200_000)
        back = int(20_000 + chance.random() * 400_000)
        if fault in _ARRIVES_LATE:
            overdue = fault is Fault.REQUEST_OVERDUE
            leave(self._overdue(transaction) if overdue else self._late(transaction))
            await pause(self._time_out())
            return OutcomeUnknown("timed_out")
        leave(there)
        if fault is Fault.GATEWAY_RAISED:
            await pause(int(chance.random() * 2 * there))
            raise BrokenGatewayError
        if fault is Fault.REQUEST_TWICE:
            leave(there + int(chance.random() * MINUTE))
        if fault is Fault.ANSWER_LOST:
            await pause(max(self._time_out(), there))
            return OutcomeUnknown("connection_broke")
        if fault is Fault.ANSWER_SLOW:
            back = int(5 * SECOND + chance.random() * 14 * SECOND)
        await pause(there + back)
        return answers[0] if answers else OutcomeUnknown("timed_out")

    def _fault_of(self, transaction: PaymentTransaction) -> Fault | None:
        shop, chance = self._shop, self._shop.chance
        fault: Fault | None
        if shop.scheduler.now < shop.provider_down_until:
            shop.inject(Fault.PROVIDER_OUTAGE, self._process.name, transaction.order_id)
            return chance.choice((Fault.NOT_SENT, Fault.REQUEST_LOST, Fault.REQUEST_LOST))
        luck = shop.bad_luck_of(transaction.order_id)
        if luck and luck.requests and transaction.takes_money:
            fault = luck.of_send(transaction.sends)
        elif chance.happens(_UNLUCKY if luck else shop.knobs.provider_fault):
            fault = chance.choice(_FAULTS)
        else:
            return None
        if fault is Fault.REQUEST_OVERDUE and not self._may_be_overdue(transaction):
            fault = Fault.REQUEST_LATE
        if fault is Fault.STALL_IN_CALL:
            return None
        # The provider says which of its errors this is.
        if fault is not None and fault is not Fault.ERROR_AFTER:
            shop.inject(fault, self._process.name, transaction.order_id)
        return fault

    def _may_be_overdue(self, transaction: PaymentTransaction) -> bool:
        # Whatever leaves later would arrive when its key is forgotten.
        is_first = transaction.takes_money and transaction.sends == transaction.step == 1
        at_once = PAYMENT_METHODS.get(transaction.token or "", OBEY).effect is Effect.OBEY
        return is_first and (at_once or self._shop.knobs.overdue_approvals)

    def _stalls_here(self, transaction: PaymentTransaction) -> bool:
        luck = self._shop.bad_luck_of(transaction.order_id)
        if luck and luck.requests and transaction.takes_money:
            return luck.of_send(transaction.sends) is Fault.STALL_IN_CALL
        return self._shop.chance.happens(self._shop.knobs.stall)

    def _late(self, transaction: PaymentTransaction) -> int:
        """Soon after we gave up, or as late as the horizon allows."""
        shop = self._shop
        latest = _HORIZON - int(shop.knobs.horizon_margin * SECOND)
        if transaction.last_send_at is not None and not shop.knobs.late_after_stall:
            latest -= int((self._process.clock.now() - transaction.last_send_at) / _MICROSECOND)
        late = min(shop.chance.choice((30 * SECOND, 12 * MINUTE, latest)), latest)
        return max(late - int(shop.chance.random() * 10 * SECOND), _BUDGET)

    def _overdue(self, transaction: PaymentTransaction) -> int:
        """After "it never happened", for the horizon is over; and before the second look."""
        self._provider.overdue.add(transaction.id)
        return int(_HORIZON + (2 + 20 * self._shop.chance.random()) * MINUTE)

    def _time_out(self) -> int:
        # A connection breaks at once, or is silent to the end.
        return int(_BUDGET * self._shop.chance.choice((0.05, 0.98)))

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        shop, chance = self._shop, self._shop.chance
        if transaction.kind not in shop.looks_up:
            about = f"{self._process.name}: {transaction}"
            shop.judge.found(ONLY_WHAT_CAN_BE_ASKED, transaction.order_id, about)
        await pause(int(40_000 + chance.random() * 400_000))
        trouble = self._process.trouble()
        if trouble is not None:
            await self._process.suffer(trouble, transaction.order_id)
        down = shop.scheduler.now < shop.provider_down_until
        if down or (not shop.is_calm and chance.happens(shop.knobs.look_up_fault)):
            shop.inject(Fault.LOOK_UP_UNANSWERED, self._process.name, transaction.order_id)
            await pause(self._time_out())
            return self._heard(transaction, OutcomeUnknown("could_not_ask"), asked=True)
        # Nobody there has ever heard of it.
        found = NotFound() if self._process.is_strange else self._provider.found(transaction)
        return self._heard(transaction, found, asked=True)

    def _heard(
        self, transaction: PaymentTransaction, outcome: Outcome | NotFound, *, asked: bool = False
    ) -> Outcome:
        story = self._shop.story
        if story is not None:
            call = "look_up" if asked else f"send {transaction.kind}"
            what = f"{call} {transaction.key} -> {outcome}"
            story.tell(self._shop.scheduler.now, self._process.name, what, transaction.order_id)
        return outcome  # type: ignore[return-value]

    async def close(self) -> None:
        pass


_SAYS: Final = {
    OrderPlaced: OrderStatus.PENDING,
    OrderCancelled: OrderStatus.CANCELLED,
}


class Mail:
    """A `Notifier` whose letters are read: what they say must stay true."""

    def __init__(self, process: "Process") -> None:
        self._process = process

    async def tell(self, notice: Notice, /) -> None:
        shop = self._process.shop
        await pause(int(100_000 * shop.chance.random()))
        trouble = self._process.trouble()
        if trouble in _BEFORE and trouble is not None:
            await self._process.suffer(trouble, notice.order.id)
        if not shop.is_calm and shop.chance.happens(shop.knobs.mail_fault):
            refused = shop.chance.happens(0.1)
            fault = Fault.MAIL_REFUSED if refused else Fault.MAIL_FAILED
            shop.inject(fault, self._process.name, notice.order.id)
            if refused:
                raise NotificationRefused("no such address")
            raise NotificationFailed("try later")
        status = _SAYS.get(type(notice.happened.event))
        if status is not None:
            shop.judge.told(notice.order.id, status)
        if trouble is not None and trouble not in _BEFORE:
            await self._process.suffer(trouble, notice.order.id)
