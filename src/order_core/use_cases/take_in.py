"""Bring one fact that a provider told by itself to the order that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import GatewayProfile, PaymentTerms, Policy
from order_core.ports import Clock, Ids, OrderRepository, ProviderFact
from order_core.settlement import moved_by_provider
from order_core.use_cases.find_payment import FindPayment
from order_core.use_cases.settle import Settle

SETTLED: Final = "settled"
NO_NEWS: Final = "no_news"
OTHER_INSTALLATION: Final = "other_installation"
UNKNOWN_TRANSACTION: Final = "unknown_transaction"

_ANONYMOUS: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.VOID})
"""What a provider may tell of without saying whose it is."""
_TOLD_BY_SUM: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.REFUND})
_IN_DOUBT: Final = frozenset({TransactionStatus.FAILED, TransactionStatus.IN_REVIEW})
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

    async def __call__(self, provider: str, fact: ProviderFact) -> tuple[str, Order | None]:
        """The verdict, and the order as it is stored now; None if no order knows the money.

        Raises:
            StoreUnavailable, CommitUnknown, ConcurrentUpdate: bring the fact again.
        """
        if fact.installation is not None and fact.installation != self.policy.installation:
            return OTHER_INSTALLATION, None
        if fact.transaction_id is not None:
            order = await self.orders.find_by_transaction(fact.transaction_id)
            named = _named(order, fact.transaction_id, fact) if order is not None else None
            outcome = _as_outcome(fact.outcome, named)
            if order is not None and outcome is not None and named and _is_about(named, fact):
                report = Report(outcome, of_payment=fact.parent_reference)
                settled = await self.settle(order, named.id, report)
                if _ends_what_is_not_known(settled, fact):
                    return UNKNOWN_TRANSACTION, settled
                return (NO_NEWS if settled.version == order.version else SETTLED), settled
        return await self._moved_by_provider(provider, fact)

    async def _moved_by_provider(
        self, provider: str, fact: ProviderFact
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
            if found is None and _moves_nothing(fact):
                return NO_NEWS, None
            if found is None:
                return UNKNOWN_TRANSACTION, None
            order, parent = found
            ours = _known_by(order, fact) or _unseen(order, parent, fact)
            if ours is not None and (answer := _as_answer(outcome, ours)):
                return SETTLED, await self.settle(order, ours.id, Report(answer))
            if _may_be_ours(order, parent, fact, terms.gateway):
                # That a hold was let go is shown by a look-up; of several captures it shows one,
                # so this one is tried again once ours is decided.
                let_go = fact.kind is TransactionKind.VOID
                shown = fact.kind in terms.gateway.looks_up and (_moves_nothing(fact) or let_go)
                return (NO_NEWS if shown else UNKNOWN_TRANSACTION), order
            moved = self._moved(order, parent, fact, outcome)
            if moved is order:
                return NO_NEWS, order
            try:
                return SETTLED, (await self.orders.save(moved)).order
            except ConcurrentUpdate:
                continue
        raise ConcurrentUpdate(fact.reference)

    def _moved(
        self,
        order: Order,
        parent: PaymentTransaction,
        fact: ProviderFact,
        outcome: Succeeded | Reversed | Restored | Declined,
    ) -> Order:
        if _moves_nothing(fact):
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
        )


def _known_by(order: Order, fact: ProviderFact) -> PaymentTransaction | None:
    """What we asked to be done to a payment, waits for news, and has the fact's reference."""
    kind = TransactionKind.REFUND if isinstance(fact.outcome, Reversed) else fact.kind
    same = [
        t for t in order.transactions if (t.kind, t.provider_reference) == (kind, fact.reference)
    ]
    # Done after it was called absent, it stands beside that, and what comes later is about it.
    known = max(same, key=lambda t: t.is_live, default=None)
    if known is None or known.takes_money:
        return None
    # What was asked about in vain waits, too, and a person may have been wrong about it.
    waits = known.is_open or known.status in _IN_DOUBT or known.is_done_unseen
    return known if waits else None


def _unseen(
    order: Order, parent: PaymentTransaction, fact: ProviderFact
) -> PaymentTransaction | None:
    """Ours that nobody has seen, if it must be the one that is told.

    Booked beside it, the same money would count twice. It must be if a person has accepted it, or
    if there is no room for two, of whatever sum it was asked for.
    """
    of_the_same_sum = _of_the_same_sum(order, parent, fact)
    if isinstance(fact.outcome, Declined) and any(t.is_undecided for t in of_the_same_sum):
        # A refusal is told with no sum: it may be that of the one which is on its way.
        return None
    for accepted in of_the_same_sum:
        if accepted.status is TransactionStatus.SUCCEEDED:
            return accepted
    candidates = of_the_same_sum or [
        t for t in _without_a_name(order, parent, fact) if _is_decided_by_people(t)
    ]
    done = isinstance(fact.outcome, Succeeded)
    if not done or len(candidates) != 1 or _room_in(order, parent, fact.kind) >= _sum_in(fact):
        return None
    (ours,) = candidates
    if ours.is_done_unseen:
        return ours
    # What an open capture came to is shown by its answer, or by a look at its hold.
    return ours if ours.is_given_up or ours.kind is TransactionKind.REFUND else None


def _is_decided_by_people(transaction: PaymentTransaction) -> bool:
    """Whether nothing is on its way any more, and only a person has said what became of it."""
    # Of a capture he has to say so first: it is told which one it was once he has.
    refund = transaction.kind is TransactionKind.REFUND
    return transaction.is_done_unseen or (refund and transaction.is_given_up)


def _of_the_same_sum(
    order: Order, parent: PaymentTransaction, fact: ProviderFact
) -> list[PaymentTransaction]:
    """What may be what the fact tells without saying whose it is: ours, by no reference yet.

    That a refund came back is told with its sum, too; that it failed, with none.
    """
    amount = getattr(fact.outcome, "amount", None)
    return [
        t
        for t in _without_a_name(order, parent, fact)
        if (t.is_undecided or t.is_done_unseen if amount is None else t.amount == amount)
    ]


def _without_a_name(
    order: Order, parent: PaymentTransaction, fact: ProviderFact
) -> list[PaymentTransaction]:
    """What may be what the fact tells, of whatever sum: ours, by no reference yet."""
    told = fact.outcome
    if fact.kind not in _TOLD_BY_SUM or not isinstance(told, Succeeded | Reversed | Declined):
        return []
    if any(
        (t.kind, t.provider_reference) == (fact.kind, fact.reference) for t in order.transactions
    ):
        # Told again, it is the one that it was found to be.
        return []
    return [
        t
        for t in order.transactions
        if (t.kind, t.parent_id, t.provider_reference) == (fact.kind, parent.id, None)
        and t.is_live
        and t.may_have_run
    ]


def _room_in(order: Order, parent: PaymentTransaction, kind: TransactionKind) -> int:
    """How much more can be taken of a hold, or given back of a payment."""
    if kind is TransactionKind.REFUND:
        return order.left_of(parent)
    taken = [t for t in order.transactions if (t.kind, t.parent_id) == (kind, parent.id)]
    return parent.amount.minor_units - sum(t.amount.minor_units for t in taken if t.is_live)


def _sum_in(fact: ProviderFact) -> int:
    return fact.outcome.amount.minor_units if isinstance(fact.outcome, Succeeded) else 0


def _may_be_ours(
    order: Order, parent: PaymentTransaction, fact: ProviderFact, gateway: GatewayProfile
) -> bool:
    """Whether ours is on its way, and nobody knows yet which of the two this is."""
    if any(t.is_undecided for t in _of_the_same_sum(order, parent, fact)):
        return True
    return fact.kind in _ANONYMOUS and any(
        t.kind is fact.kind
        and t.parent_id == parent.id
        and t.is_open
        # One that is answered by nothing but events has its own name from its answer on.
        and (t.provider_reference is None or t.kind in gateway.looks_up)
        for t in order.transactions
    )


def _moves_nothing(fact: ProviderFact) -> bool:
    return fact.kind in _ANONYMOUS and isinstance(fact.outcome, Declined)


def _named(order: Order, transaction_id: str, fact: ProviderFact) -> PaymentTransaction:
    """Which of the order's movements a fact with our mark is about: ours, or one beside it."""
    ours = order.transaction(transaction_id)
    of_its_name = [t for t in order.transactions if t.provider_reference == fact.reference]
    beside = [
        t
        for t in of_its_name
        if (fact.kind in TAKING_KINDS and t.is_beside_ours and t.parent_id == transaction_id)
        or _was_made_beside(ours, t)
    ]
    # One that was said to be let go may stand still, and is on record once more.
    return max(beside, key=lambda t: t.is_live, default=ours)


def _ends_what_is_not_known(order: Order, fact: ProviderFact) -> bool:
    """Whether it is the end of a hold whose beginning nobody has told, and so is tried again.

    A try that failed ends nothing: it names no payment that it was done to.
    """
    if fact.parent_reference is None or not isinstance(fact.outcome, Declined):
        return False
    known = {t.provider_reference for t in order.transactions if t.takes_money}
    return fact.kind in TAKING_KINDS and fact.parent_reference not in known


def _was_made_beside(ours: PaymentTransaction, other: PaymentTransaction) -> bool:
    """Whether it is our refund, called dead and made after all, or made a second time."""
    again = not ours.is_live or ours.provider_reference not in {None, other.provider_reference}
    refunds = ours.kind is other.kind is TransactionKind.REFUND
    here = other.origin is Origin.PROVIDER and other.is_live and other.parent_id == ours.parent_id
    return again and refunds and here


def _is_about(transaction: PaymentTransaction, fact: ProviderFact) -> bool:
    """Whether the fact is about our transaction itself, and not about something done to it.

    What somebody does at the provider's dashboard often inherits the metadata of the payment
    that it is done to: a refund then names our charge.
    """
    if isinstance(fact.outcome, Reversed):
        return transaction.kind is TransactionKind.REFUND
    both_take = transaction.takes_money and fact.kind in TAKING_KINDS
    return transaction.kind is fact.kind or both_take


def _as_outcome(
    outcome: Outcome | Reversed | Restored, ours: PaymentTransaction | None
) -> Outcome | None:
    if isinstance(outcome, Restored):
        return None
    if not isinstance(outcome, Reversed):
        return outcome
    # A refund that came back: refused if it was open still, returned if it had succeeded. Some
    # providers name the return by a reference of its own, which is not that of the refund; of one
    # that nobody has seen it may be either.
    of_its_own = ours is not None and (
        ours.is_done_unseen or ours.provider_reference not in {None, outcome.reference}
    )
    reference = None if of_its_own else outcome.reference
    return Declined(outcome.because, retryable=True, reference=reference)


def _as_answer(outcome: Outcome | Reversed | Restored, ours: PaymentTransaction) -> Outcome | None:
    """What a fact that names none of our ids says to the movement that has its reference."""
    answer = _as_outcome(outcome, ours)
    return replace(answer, transaction_id=ours.id) if isinstance(answer, Succeeded) else answer


def _moved_or_undone(fact: ProviderFact) -> Succeeded | Reversed | Restored | Declined | None:
    """What the fact says about a movement that it does not name; None if it says nothing."""
    outcome = fact.outcome
    if isinstance(outcome, Succeeded | Reversed | Restored):
        return outcome
    done_to_a_payment = fact.kind is TransactionKind.REFUND or fact.kind in _ANONYMOUS
    if done_to_a_payment and isinstance(outcome, Declined):
        return replace(outcome, reference=fact.reference)
    return None
