"""Take in what a provider tells by itself, and let it settle what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from order_core.errors import ConcurrentUpdate, UnknownProvider
from order_core.order import Order
from order_core.outcomes import Declined, Outcome, Report, Restored, Reversed, Succeeded
from order_core.payment import TAKING_KINDS, PaymentTransaction, TransactionKind
from order_core.payment_terms import PaymentTerms, Policy
from order_core.ports import (
    Clock,
    Ids,
    OrderRepository,
    ProviderFact,
    ReceivedEvent,
    WebhookParser,
)
from order_core.settlement import moved_by_provider
from order_core.use_cases.settle import Settle

SETTLED: Final = "settled"
NO_NEWS: Final = "no_news"
NO_FACT: Final = "no_fact"
OTHER_INSTALLATION: Final = "other_installation"
UNKNOWN_TRANSACTION: Final = "unknown_transaction"

_GRAVEST_FIRST: Final = (UNKNOWN_TRANSACTION, SETTLED, NO_NEWS, OTHER_INSTALLATION, NO_FACT)
_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class ReceiveWebhook:
    """The provider's own voice: as welcome as an answer, in any order, any number of times."""

    orders: OrderRepository
    parsers: Mapping[str, WebhookParser]
    terms: Mapping[str, PaymentTerms]
    settle: Settle
    clock: Clock
    ids: Ids
    policy: Policy

    async def __call__(
        self, provider: str, body: bytes, headers: Mapping[str, str]
    ) -> ReceivedEvent:
        """What the event came to; it is stored, with its effect, when this returns.

        The effect comes first and the memory of the event last: an event that is
        remembered has done its work, and one that came twice does no harm.

        Raises:
            UnknownProvider: nobody reads this provider's events here.
            WebhookRejected, WebhookUnverifiable: see `WebhookParser.parse`.
            StoreUnavailable, CommitUnknown, ConcurrentUpdate: it must be delivered again.
        """
        if provider not in self.parsers:
            raise UnknownProvider(provider)
        event = await self.parsers[provider].parse(body, headers)
        verdicts, order_id = {NO_FACT}, None
        for fact in event.facts:
            verdict, order = await self._take_in(provider, fact)
            verdicts.add(verdict)
            order_id = order.id if order else order_id
        received = ReceivedEvent(
            provider=provider,
            event_id=event.id,
            name=event.name,
            received_at=self.clock.now(),
            verdict=next(verdict for verdict in _GRAVEST_FIRST if verdict in verdicts),
            order_id=order_id,
        )
        await self.orders.receive(received)
        return received

    async def _take_in(self, provider: str, fact: ProviderFact) -> tuple[str, Order | None]:
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
        if fact.parent_reference is None:
            return UNKNOWN_TRANSACTION, None
        terms = self.terms[provider]
        account = terms.gateway.account
        for _ in range(_MOST_TRIES):
            order = await self.orders.find_by_reference(provider, account, fact.parent_reference)
            if order is None:
                return UNKNOWN_TRANSACTION, None
            parent = order.holder_of(fact.parent_reference)
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
        raise ConcurrentUpdate(fact.parent_reference)


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


def _as_outcome(outcome: Outcome | Reversed | Restored) -> Outcome | None:
    if isinstance(outcome, Restored):
        return None
    # A refund that came back: refused if it was open still, returned if it had succeeded.
    if isinstance(outcome, Reversed):
        return Declined(outcome.because, retryable=True)
    return outcome
