"""Bring one fact that a provider told by itself to the order that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from order_core.errors import ConcurrentUpdate
from order_core.order import Order
from order_core.outcomes import Declined, Outcome, Report, Restored, Reversed, Succeeded
from order_core.payment import TAKING_KINDS, PaymentTransaction, TransactionKind
from order_core.payment_terms import GatewayProfile, PaymentTerms, Policy
from order_core.ports import Clock, Ids, OrderRepository, ProviderFact
from order_core.settlement import moved_by_provider
from order_core.use_cases.settle import Settle

SETTLED: Final = "settled"
NO_NEWS: Final = "no_news"
OTHER_INSTALLATION: Final = "other_installation"
UNKNOWN_TRANSACTION: Final = "unknown_transaction"

_MOST_TRIES: Final = 20
_GOES_BACK: Final = frozenset({TransactionKind.REFUND, TransactionKind.REVERSAL})
_PAYS: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})


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
            about = order is not None and _is_about(order.transaction(fact.transaction_id), fact)
            if order is not None and outcome is not None and about:
                settled = await self.settle(order, fact.transaction_id, Report(outcome))
                return (NO_NEWS if settled.version == order.version else SETTLED), settled
        return await self._moved_by_provider(provider, fact)

    async def _moved_by_provider(
        self, provider: str, fact: ProviderFact
    ) -> tuple[str, Order | None]:
        # Money that somebody moved at the provider, or that it took back: ours is only the
        # payment that it belongs to.
        if not isinstance(fact.outcome, Succeeded | Reversed | Restored):
            return NO_NEWS, None
        terms = self.terms[provider]
        for _ in range(_MOST_TRIES):
            found = await self._payment_of(fact, terms.gateway)
            if found is None:
                return UNKNOWN_TRANSACTION, None
            order, parent = found
            anonymous = fact.kind in {TransactionKind.CAPTURE, TransactionKind.VOID}
            if anonymous and _may_be_ours(order, parent, fact):
                # Ours is on its way, and its answer, or a look-up, will tell which it is.
                return NO_NEWS, order
            moved = moved_by_provider(
                order,
                parent,
                fact.kind,
                fact.outcome,
                at=self.clock.now(),
                new_id=self.ids.new_id,
                terms=terms,
            )
            if moved is order:
                return NO_NEWS, order
            try:
                return SETTLED, (await self.orders.save(moved)).order
            except ConcurrentUpdate:
                continue
        raise ConcurrentUpdate(fact.reference)

    async def _payment_of(
        self, fact: ProviderFact, gateway: GatewayProfile
    ) -> tuple[Order, PaymentTransaction] | None:
        reference = fact.parent_reference
        if reference is not None:
            order = await self.orders.find_by_reference(
                gateway.provider, gateway.account, reference
            )
            if order is not None:
                holder = order.holder_of(reference)
                return None if _goes_back_early(order, holder, fact) else (order, holder)
        if fact.transaction_id is None:
            return None
        order = await self.orders.find_by_transaction(fact.transaction_id)
        if order is None:
            return None
        named = order.transaction(fact.transaction_id)
        return (order, named) if _was_done_to(named, fact, gateway) else None


def _goes_back_early(order: Order, holder: PaymentTransaction, fact: ProviderFact) -> bool:
    """Whether the fact may be about a capture of this hold whose answer is still on its way.

    Booked on the hold, it would leave the capture all to be given back once more.
    """
    if holder.kind is not TransactionKind.AUTHORIZATION or fact.kind not in _GOES_BACK:
        return False
    return any(
        t.kind is TransactionKind.CAPTURE and t.parent_id == holder.id and t.is_undecided
        for t in order.transactions
    )


def _may_be_ours(order: Order, parent: PaymentTransaction, fact: ProviderFact) -> bool:
    return any(
        t.kind is fact.kind and t.parent_id == parent.id and t.is_open for t in order.transactions
    )


def _is_about(transaction: PaymentTransaction, fact: ProviderFact) -> bool:
    """Whether the fact is about our transaction itself, and not about something done to it.

    What somebody does at the provider's dashboard often inherits the metadata of the payment
    that it is done to: a refund then names our charge.
    """
    if isinstance(fact.outcome, Reversed):
        return transaction.kind is TransactionKind.REFUND
    both_take = transaction.takes_money and fact.kind in TAKING_KINDS
    return transaction.kind is fact.kind or both_take


def _was_done_to(named: PaymentTransaction, fact: ProviderFact, gateway: GatewayProfile) -> bool:
    """Whether the fact is about money that went back from the payment whose id it inherited.

    That it went back says that it was taken, even if we have not heard so. But of a hold it
    does not say whether it was taken, and a payment that we call dead, or know by another
    reference, was taken a second time: that must be known first.
    """
    here = (named.provider, named.account) == (gateway.provider, gateway.account)
    same = None in {named.provider_reference, fact.parent_reference}
    return here and same and named.is_live and named.kind in _PAYS and fact.kind in _GOES_BACK


def _as_outcome(outcome: Outcome | Reversed | Restored) -> Outcome | None:
    if isinstance(outcome, Restored):
        return None
    # A refund that came back: refused if it was open still, returned if it had succeeded.
    if isinstance(outcome, Reversed):
        return Declined(outcome.because, retryable=True)
    return outcome
