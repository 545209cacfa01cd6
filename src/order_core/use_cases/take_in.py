"""Bring one fact that a provider told by itself to the order that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from order_core.errors import ConcurrentUpdate
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Declined, Outcome, Report, Restored, Reversed, Succeeded
from order_core.payment import TAKING_KINDS, PaymentTransaction, TransactionKind
from order_core.payment_terms import PaymentTerms, Policy
from order_core.ports import Clock, Ids, OrderRepository, ProviderFact
from order_core.settlement import moved_by_provider, refund_of
from order_core.use_cases.find_payment import FindPayment
from order_core.use_cases.settle import Settle

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

    async def __call__(self, provider: str, fact: ProviderFact) -> tuple[str, Order | None]:
        """The verdict, and the order as it is stored now; None if no order knows the money.

        Raises:
            StoreUnavailable, CommitUnknown, ConcurrentUpdate: bring the fact again.
        """
        if fact.installation is not None and fact.installation != self.policy.installation:
            return OTHER_INSTALLATION, None
        if fact.transaction_id is not None:
            order = await self.orders.find_by_transaction(fact.transaction_id)
            outcome = _as_outcome(fact.outcome)
            named = order and _named(order, fact.transaction_id, fact)
            if order is not None and outcome is not None and named and _is_about(named, fact):
                settled = await self.settle(order, named.id, Report(outcome))
                return (NO_NEWS if settled.version == order.version else SETTLED), settled
        return await self._moved_by_provider(provider, fact)

    async def _moved_by_provider(
        self, provider: str, fact: ProviderFact
    ) -> tuple[str, Order | None]:
        # Money that somebody moved at the provider, or that it took back: ours is only the
        # payment that it belongs to.
        outcome = _moved_or_undone(fact)
        if outcome is None:
            return NO_NEWS, None
        terms = self.terms[provider]
        find_payment = FindPayment(self.orders, self.clock)
        for _ in range(_MOST_TRIES):
            found = await find_payment(fact, terms.gateway)
            if found is None:
                return UNKNOWN_TRANSACTION, None
            order, parent = found
            anonymous = fact.kind in {TransactionKind.CAPTURE, TransactionKind.VOID}
            if anonymous and _may_be_ours(order, parent, fact):
                # Ours is on its way, and its answer, or a look-up, will tell which it is.
                return NO_NEWS, order
            ours = refund_of(order, fact.reference)
            if ours is not None and ours.is_open and (no := _as_no(outcome)):
                return SETTLED, await self.settle(order, ours.id, Report(no))
            moved = moved_by_provider(
                order,
                parent,
                fact.kind,
                outcome,
                at=self.clock.now(),
                new_id=self.ids.new_id,
                terms=terms,
                sequence=fact.sequence,
            )
            if moved is order:
                return NO_NEWS, order
            try:
                return SETTLED, (await self.orders.save(moved)).order
            except ConcurrentUpdate:
                continue
        raise ConcurrentUpdate(fact.reference)


def _may_be_ours(order: Order, parent: PaymentTransaction, fact: ProviderFact) -> bool:
    return any(
        t.kind is fact.kind and t.parent_id == parent.id and t.is_open for t in order.transactions
    )


def _named(order: Order, transaction_id: str, fact: ProviderFact) -> PaymentTransaction:
    """Which of the order's movements a fact with our mark is about: ours, or one beside it."""
    for transaction in order.transactions:
        beside = transaction.is_beside_ours and transaction.parent_id == transaction_id
        same = transaction.provider_reference == fact.reference
        if beside and same and fact.kind in TAKING_KINDS:
            return transaction
    return order.transaction(transaction_id)


def _is_about(transaction: PaymentTransaction, fact: ProviderFact) -> bool:
    """Whether the fact is about our transaction itself, and not about something done to it.

    What somebody does at the provider's dashboard often inherits the metadata of the payment
    that it is done to: a refund then names our charge.
    """
    if isinstance(fact.outcome, Reversed):
        return transaction.kind is TransactionKind.REFUND
    both_take = transaction.takes_money and fact.kind in TAKING_KINDS
    return transaction.kind is fact.kind or both_take


def _as_outcome(outcome: Outcome | Reversed | Restored) -> Outcome | None:
    if isinstance(outcome, Restored):
        return None
    # A refund that came back: refused if it was open still, returned if it had succeeded.
    return _as_no(outcome) if isinstance(outcome, Reversed) else outcome


def _as_no(outcome: Outcome | Reversed | Restored) -> Declined | None:
    if isinstance(outcome, Reversed):
        return Declined(outcome.because, retryable=True)
    return outcome if isinstance(outcome, Declined) else None


def _moved_or_undone(fact: ProviderFact) -> Succeeded | Reversed | Restored | Declined | None:
    """What the fact says about money that moved without us; None if it says nothing."""
    outcome = fact.outcome
    if isinstance(outcome, Succeeded | Reversed | Restored):
        return outcome
    if fact.kind is TransactionKind.REFUND and isinstance(outcome, Declined):
        return replace(outcome, reference=fact.reference)
    return None
