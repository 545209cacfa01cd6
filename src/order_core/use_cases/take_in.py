"""Bring one fact that a provider told by itself to the order that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.errors import ConcurrentUpdate
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import (
    Authorized,
    Declined,
    Outcome,
    Report,
    Restored,
    Reversed,
    Succeeded,
)
from order_core.payment import (
    TAKING_KINDS,
    TOLD_WITHOUT_MARK,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import PaymentTerms, Policy
from order_core.ports import Clock, Ids, OrderRepository, ProviderFact
from order_core.settlement import moved_by_provider
from order_core.use_cases.find_payment import FindPayment
from order_core.use_cases.recognize import is_about, known_by, named
from order_core.use_cases.settle import Settle
from order_core.use_cases.unmarked import ANONYMOUS, Unmarked, moves_nothing

SETTLED: Final = "settled"
NO_NEWS: Final = "no_news"
OTHER_INSTALLATION: Final = "other_installation"
UNKNOWN_TRANSACTION: Final = "unknown_transaction"

_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class TakeIn:
    """What a fact comes to; safe to call twice, late, or beside anything else."""

    orders: OrderRepository
    terms: Mapping[str, PaymentTerms]
    settle: Settle
    clock: Clock
    ids: Ids
    policy: Policy

    async def __call__(
        self, provider: str, fact: ProviderFact, *, heard_at: datetime | None = None
    ) -> tuple[str, Order | None]:
        """The verdict, and the order as it is stored now; None if no order knows the money.

        `heard_at` is when the fact came here first; None if that is now.

        Raises:
            StoreUnavailable, CommitUnknown, ConcurrentUpdate: bring the fact again.
        """
        if fact.installation is not None and fact.installation != self.policy.installation:
            return OTHER_INSTALLATION, None
        if fact.transaction_id is not None:
            order = await self.orders.find_by_transaction(fact.transaction_id)
            ours = named(order, fact.transaction_id, fact) if order is not None else None
            report = _as_report(fact.outcome, ours, of_payment=fact.parent_reference)
            if order is not None and report is not None and ours and is_about(ours, fact):
                settled = await self.settle(order, ours.id, report)
                if _ends_what_is_not_known(settled, fact):
                    return UNKNOWN_TRANSACTION, settled
                return (NO_NEWS if settled.version == order.version else SETTLED), settled
        return await self._moved_by_provider(provider, fact, heard_at or self.clock.now())

    async def _moved_by_provider(
        self, provider: str, fact: ProviderFact, heard_at: datetime
    ) -> tuple[str, Order | None]:
        # Money that somebody moved at the provider, or that it took back: ours is only the
        # payment that it belongs to.
        outcome = _moved_or_undone(fact)
        if outcome is None:
            # Held under our mark, for an order that we have lost: nobody else would look.
            lost = isinstance(fact.outcome, Authorized) and fact.transaction_id is not None
            return (UNKNOWN_TRANSACTION if lost else NO_NEWS), None
        terms = self.terms[provider]
        find_payment = FindPayment(self.orders, self.clock)
        for _ in range(_MOST_TRIES):
            found = await find_payment(fact, terms.gateway)
            if found is None and moves_nothing(fact):
                return NO_NEWS, None
            if found is None:
                return UNKNOWN_TRANSACTION, None
            order, parent = found
            # The clock of whoever recorded ours may be ahead.
            heard_by = heard_at + self.policy.clock_skew
            unmarked = Unmarked(order, parent, fact, heard_by, terms.gateway)
            ours = known_by(order, fact) or unmarked.ours()
            report = _to(ours, outcome) if ours is not None else None
            if ours is not None and report is not None:
                moved = self._told_of_ours(order, ours, report)
            elif unmarked.may_be_ours():
                # That a hold was let go is shown by a look-up; of several captures it shows one,
                # so this one is tried again once ours is decided.
                let_go = fact.kind is TransactionKind.VOID
                shown = fact.kind in terms.gateway.looks_up and (moves_nothing(fact) or let_go)
                return (NO_NEWS if shown else UNKNOWN_TRANSACTION), order
            else:
                moved = self._moved(unmarked, outcome)
            if moved is order:
                return NO_NEWS, order
            try:
                return SETTLED, (await self.orders.save(moved)).order
            except ConcurrentUpdate:
                # Which of ours it is may be another one by now: what came first has a name.
                continue
        raise ConcurrentUpdate(fact.reference)

    def _told_of_ours(self, order: Order, ours: PaymentTransaction, report: Report) -> Order:
        moved = self.settle.changed(order, ours.id, report)
        now = moved.transaction(ours.id)
        named = ours.provider_reference is None and now.provider_reference is not None
        done = isinstance(report.outcome, Succeeded) and now.status is TransactionStatus.SUCCEEDED
        if not (named and done and now.kind is TransactionKind.REFUND):
            return moved
        return moved.with_transaction(replace(now, reason=TOLD_WITHOUT_MARK))

    def _moved(
        self, unmarked: Unmarked, outcome: Succeeded | Reversed | Restored | Declined
    ) -> Order:
        order, parent, fact = unmarked.order, unmarked.parent, unmarked.fact
        if moves_nothing(fact):
            return order
        return moved_by_provider(
            order,
            parent,
            fact.kind,
            outcome,
            at=self.clock.now(),
            new_id=self.ids.new_id,
            terms=self.terms[parent.provider],
            sequence=fact.sequence,
            one_of=unmarked.one_of_several(),
        )


def _ends_what_is_not_known(order: Order, fact: ProviderFact) -> bool:
    """Whether it is the end of a hold whose beginning nobody has told, and so is tried again.

    A try that failed ends nothing: it names no payment that it was done to.
    """
    if fact.parent_reference is None or not isinstance(fact.outcome, Declined):
        return False
    known = {t.provider_reference for t in order.transactions if t.takes_money}
    return fact.kind in TAKING_KINDS and fact.parent_reference not in known


def _as_report(
    outcome: Outcome | Reversed | Restored,
    ours: PaymentTransaction | None,
    *,
    of_payment: str | None = None,
) -> Report | None:
    """What is said to the movement of ours that it is about; None if nothing is."""
    if isinstance(outcome, Restored):
        return None
    if not isinstance(outcome, Reversed):
        return Report(outcome, of_payment=of_payment)
    # A refund that came back: refused if it was open still, returned if it had succeeded. Some
    # providers name the return by a reference of its own, which is not that of the refund; of one
    # that nobody has seen it may be either.
    of_its_own = ours is not None and (
        ours.is_done_unseen or ours.provider_reference not in {None, outcome.reference}
    )
    reference = None if of_its_own else outcome.reference
    back = Declined(outcome.because, retryable=True, reference=reference)
    return Report(back, of_payment=of_payment, returned_as=outcome.reference)


def _to(
    ours: PaymentTransaction, outcome: Succeeded | Reversed | Restored | Declined
) -> Report | None:
    """What a fact that names none of our ids says to the movement that it must be about."""
    if isinstance(outcome, Succeeded):
        outcome = replace(outcome, transaction_id=ours.id)
    return _as_report(outcome, ours)


def _moved_or_undone(fact: ProviderFact) -> Succeeded | Reversed | Restored | Declined | None:
    """What the fact says about a movement that it does not name; None if it says nothing."""
    outcome = fact.outcome
    if isinstance(outcome, Succeeded | Reversed | Restored):
        return outcome
    done_to_a_payment = fact.kind is TransactionKind.REFUND or fact.kind in ANONYMOUS
    if done_to_a_payment and isinstance(outcome, Declined):
        return replace(outcome, reference=fact.reference)
    return None
