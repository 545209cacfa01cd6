"""Find the payment that a fact about money at the provider belongs to."""

from dataclasses import dataclass
from typing import Final

from order_core.errors import ConcurrentUpdate
from order_core.immutable import replace
from order_core.order import Order
from order_core.payment import TAKING_KINDS, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import GatewayProfile
from order_core.ports import Clock, OrderRepository, ProviderFact
from order_core.use_cases.patience import LONGEST_WAIT

_GOES_BACK: Final = frozenset({TransactionKind.REFUND, TransactionKind.REVERSAL})
_TAKES: Final = TAKING_KINDS | {TransactionKind.CAPTURE}


@dataclass(frozen=True, slots=True)
class FindPayment:
    """By the reference that the provider names, or by our own id that it inherited."""

    orders: OrderRepository
    clock: Clock

    async def __call__(
        self, fact: ProviderFact, gateway: GatewayProfile
    ) -> tuple[Order, PaymentTransaction] | None:
        """The order and its payment; None if it is not known, or not known well enough yet.

        Raises:
            StoreUnavailable, CommitUnknown: ask again.
        """
        reference = fact.parent_reference
        if reference is not None:
            order = await self.orders.find_by_reference(
                gateway.provider, gateway.account, reference
            )
            if order is not None:
                return await self._taken(order, order.holder_of(reference), fact)
        if fact.transaction_id is None:
            return None
        order = await self.orders.find_by_transaction(fact.transaction_id)
        if order is None:
            return None
        named = order.transaction(fact.transaction_id)
        return await self._taken(order, named, fact) if _was_done_to(named, fact, gateway) else None

    async def _taken(
        self, order: Order, holder: PaymentTransaction, fact: ProviderFact
    ) -> tuple[Order, PaymentTransaction] | None:
        """What money went back from is the capture, if the provider names its hold.

        Some name the hold for ever. Booked there, a refund would leave the capture all to be
        given back once more.
        """
        if holder.kind is not TransactionKind.AUTHORIZATION or fact.kind not in _GOES_BACK:
            return order, holder
        captures = [
            t
            for t in order.transactions
            if t.kind is TransactionKind.CAPTURE and t.parent_id == holder.id and t.is_live
        ]
        if not captures:
            await self._ask_about(order, holder)
        if not captures or any(t.is_undecided for t in captures):
            return None
        # What was booked on one of them goes on there, whatever is left of it.
        booked = {t.parent_id for t in order.transactions if t.provider_reference == fact.reference}
        return order, max(captures, key=lambda t: (t.id in booked, order.left_of(t)))

    async def _ask_about(self, order: Order, hold: PaymentTransaction) -> None:
        # Somebody else took it, and not every provider tells that by itself.
        now = self.clock.now()
        is_far_off = hold.attend_at is None or hold.attend_at > now + LONGEST_WAIT
        if hold.status is not TransactionStatus.AUTHORIZED or not is_far_off:
            return
        try:
            await self.orders.save(order.with_transaction(replace(hold, attend_at=now)))
        except ConcurrentUpdate:
            return  # The fact is tried again, and this with it.


def _was_done_to(named: PaymentTransaction, fact: ProviderFact, gateway: GatewayProfile) -> bool:
    """Whether the fact is about money that went back from the payment whose id it inherited.

    That it went back says that it was taken, even if we have not heard so; of a hold, by which
    capture is for us to know. But a payment that we call dead, or know by another reference, was
    taken a second time: that must be known first.
    """
    here = (named.provider, named.account) == (gateway.provider, gateway.account)
    same = None in {named.provider_reference, fact.parent_reference}
    return here and same and named.is_live and named.kind in _TAKES and fact.kind in _GOES_BACK
