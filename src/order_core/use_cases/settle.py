"""Store what a fact does to its order: the one door for answers, look-ups and webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass

from order_core.errors import ConcurrentUpdate, PaymentReferenceTaken
from order_core.order import Order
from order_core.outcomes import Declined, Fact, Report
from order_core.payment_terms import PaymentTerms
from order_core.ports import Clock, Ids, Lease, OrderRepository
from order_core.settlement import ALREADY_USED, settled

_MOST_TRIES = 20


@dataclass(frozen=True, slots=True)
class Settle:
    """Brings a fact to an order; safe to call twice, late, or beside anything else."""

    orders: OrderRepository
    terms: Mapping[str, PaymentTerms]
    clock: Clock
    ids: Ids

    async def __call__(
        self, order: Order, transaction_id: str, fact: Fact, *, release: Lease | None = None
    ) -> Order:
        """The order, stored, as `fact` made it.

        Needs no lease: a fact is true whoever brings it. When another change came first,
        the *same fact* is applied to the changed order; nothing is asked again.

        Raises:
            StoreUnavailable, CommitUnknown: the fact may not be stored; bring it again.
        """
        for _ in range(_MOST_TRIES):
            changed = self.changed(order, transaction_id, fact)
            if changed is order and release is None:
                return order
            try:
                return (await self.orders.save(changed, release=release)).order
            except ConcurrentUpdate:
                order = await self.orders.get(order.id)
            except PaymentReferenceTaken:
                # One payment never pays two orders: for this one it is a refusal.
                fact = Report(Declined(ALREADY_USED))
        raise ConcurrentUpdate(order.id)

    def changed(self, order: Order, transaction_id: str, fact: Fact) -> Order:
        """What `fact` makes of the order, not stored; the same order if it is no news."""
        return settled(
            order,
            transaction_id,
            fact,
            at=self.clock.now(),
            new_id=self.ids.new_id,
            terms=self.terms[order.transaction(transaction_id).provider],
        )
