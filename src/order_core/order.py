"""An order: what was bought, where it goes, what left, and every movement of its money."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from order_core.events import (
    CUSTOMER,
    Event,
    Happened,
    OrderOpened,
)
from order_core.immutable import replace
from order_core.money import Money
from order_core.order_item import OrderItem, total_of
from order_core.order_status import CANCEL_REFUSALS, TRANSITIONS, OrderStatus
from order_core.payment import (
    DISPUTE_OPEN,
    DISPUTE_WON,
    REFUNDED_OTHERWISE,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import PaymentTerms
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress

_REFUND: Final = TransactionKind.REFUND
_SUCCEEDED: Final = TransactionStatus.SUCCEEDED
_LETS_GO: Final = frozenset(
    {OrderStatus.AWAITING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
)


class PaymentStatus(StrEnum):
    """What the movements of money add up to."""

    UNPAID = "unpaid"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    IN_REVIEW = "in_review"


@dataclass(frozen=True, slots=True)
class Order:
    """The aggregate root. Immutable: whatever changes an order makes a new one.

    `version` is that of the stored order this one was made from (0: never stored), and
    `news` is what happened since, not yet stored.
    """

    id: str
    customer_id: str
    items: tuple[OrderItem, ...]
    total: Money
    shipping_address: ShippingAddress | None
    """None once it is erased: there is no order without an address before."""
    email: str | None
    status: OrderStatus
    created_at: datetime
    transactions: tuple[PaymentTransaction, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    """Every parcel that left, in the order in which they did."""
    event_count: int = 0
    news: tuple[Happened, ...] = ()
    version: int = 0

    @classmethod
    def open(
        cls,
        *,
        order_id: str,
        customer_id: str,
        items: tuple[OrderItem, ...],
        shipping_address: ShippingAddress,
        email: str | None,
        charge: PaymentTransaction,
        at: datetime,
        by: str = CUSTOMER,
    ) -> "Order":
        """A new order that waits for its charge, which is recorded with it."""
        opened = OrderOpened(charge.id, str(charge.amount), charge.provider, by)
        return cls(
            id=order_id,
            customer_id=customer_id,
            items=items,
            total=total_of(items),
            shipping_address=shipping_address,
            email=email,
            status=OrderStatus.AWAITING_PAYMENT,
            created_at=at,
            transactions=(charge,),
            event_count=1,
            news=(Happened(1, at, opened),),
        )

    # What the money did -------------------------------------------------------------------

    @property
    def payments(self) -> list[PaymentTransaction]:
        """Every charge and capture that took money, whatever went back of it."""
        return [t for t in self.transactions if t.took_money]

    @property
    def captured_minor_units(self) -> int:
        """What was taken from the buyer, refunds not subtracted."""
        return sum([t.amount.minor_units for t in self.transactions if t.took_money])

    @property
    def refunded_minor_units(self) -> int:
        """What certainly went back to the buyer, and did not come back from there."""
        if not (refunds := self._refunds):
            return 0
        done = self._sum([t for t in refunds if t.status is TransactionStatus.SUCCEEDED])
        return done - sum([self.returned_of(refund) for refund in refunds])

    @property
    def refunded_otherwise_minor_units(self) -> int:
        """What the buyer got back another way than through the provider, by a person's word."""
        return sum([self._refunded_otherwise_of(refund) for refund in self._refunds])

    @property
    def refund_asked_minor_units(self) -> int:
        """What we asked, or are about to ask, the provider to give back."""
        refunds = [t for t in self.transactions if t.kind is _REFUND and t.origin is Origin.OURS]
        if not refunds:
            return 0
        asked = self._sum([t for t in refunds if t.is_live])
        return asked - sum([self.returned_of(refund) for refund in refunds])

    @property
    def _refunds(self) -> list[PaymentTransaction]:
        return [t for t in self.transactions if t.kind is _REFUND]

    @staticmethod
    def _sum(transactions: Iterable[PaymentTransaction]) -> int:
        return sum([transaction.amount.minor_units for transaction in transactions])

    @property
    def payment_status(self) -> PaymentStatus:
        """Derived from the transactions, never set."""
        for transaction in self.transactions:
            if transaction.status is TransactionStatus.IN_REVIEW or transaction.review:
                return PaymentStatus.IN_REVIEW
        if captured := self.captured_minor_units:
            if not self._refunds:
                return PaymentStatus.PAID
            refunded = self.refunded_minor_units + self.refunded_otherwise_minor_units
            if not refunded:
                return PaymentStatus.PAID
            whole = refunded >= captured
            return PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
        if any(
            transaction.status is TransactionStatus.AUTHORIZED for transaction in self.transactions
        ):
            return PaymentStatus.AUTHORIZED
        return PaymentStatus.UNPAID

    @property
    def is_paid(self) -> bool:
        """Whether payments that nobody doubts cover what it costs; a refund of a part is no matter.

        It costs its total, or what a person accepted of its own payment instead.
        """
        return self._is_covered_by(self.payments)

    @property
    def is_paid_in_part(self) -> bool:
        """Whether something is left of a payment that nobody doubts: no hold is taken beside it."""
        return any(self.left_of(t) for t in self.payments if not t.review)

    def is_paid_without(self, payment: PaymentTransaction) -> bool:
        """Whether its other payments cover what it costs."""
        return self._is_covered_by([t for t in self.payments if t.id != payment.id])

    def _is_covered_by(self, payments: list[PaymentTransaction]) -> bool:
        price = min(self.total.minor_units, self.charge.amount.minor_units)
        kept = [t for t in payments if not t.review and self.left_of(t)]
        return price <= self._sum([t for t in kept if t.amount.currency == self.total.currency])

    @property
    def charge(self) -> PaymentTransaction:
        """The charge or authorization that was recorded with the order."""
        return self.transactions[0]

    @property
    def hold(self) -> PaymentTransaction | None:
        """What is held to pay it: its own hold, or one as large that a person accepted instead.

        None while something is left of money that was taken for it. What is let go, or could
        not be, pays nothing; what may be taken already is not taken again.
        """
        if any(self.left_of(payment) for payment in self.payments):
            return None
        for held in self.transactions:
            fits = held.amount == self.total and not held.review
            pays = held.id == self.charge.id or fits
            spoken_for = self.is_let_go(held) or self.may_be_taken(held)
            if held.status is TransactionStatus.AUTHORIZED and pays and not spoken_for:
                return held
        return None

    def lives_on(self, held: PaymentTransaction) -> bool:
        """Whether this is the hold that is to pay it."""
        hold = self.hold
        return hold is not None and hold.id == held.id

    def is_spare(self, held: PaymentTransaction) -> bool:
        """Whether it is held, and nobody doubts that, although something else pays the order."""
        undoubted = held.status is TransactionStatus.AUTHORIZED and not held.review
        return undoubted and self.is_paid

    def is_let_go(self, held: PaymentTransaction) -> bool:
        """Whether a void of the hold is on its way or done, or a person's to decide about."""
        return any(
            t.kind is TransactionKind.VOID and t.parent_id == held.id and (t.is_live or t.review)
            for t in self.transactions
        )

    def may_be_taken(self, held: PaymentTransaction) -> bool:
        """Whether a capture of the hold is a person's to decide about: nobody else knows."""
        return any(
            t.kind is TransactionKind.CAPTURE
            and t.parent_id == held.id
            and t.status is TransactionStatus.IN_REVIEW
            for t in self.transactions
        )

    @property
    def attend_at(self) -> datetime | None:
        """When the worker must look after this order next; None when it is at rest."""
        times = [t.attend_at for t in self.transactions if t.attend_at is not None]
        return min(times) if times else None

    def transaction(self, transaction_id: str) -> PaymentTransaction:
        """Raises KeyError when the order has no such transaction."""
        for transaction in self.transactions:
            if transaction.id == transaction_id:
                return transaction
        raise KeyError(transaction_id)

    def holder_of(self, reference: str) -> PaymentTransaction:
        """The payment of this reference at the provider; what took money comes first.

        Raises:
            KeyError: no payment of this order has the reference.
        """
        payments = [
            t
            for t in self.transactions
            if t.provider_reference == reference
            and (t.takes_money or t.kind is TransactionKind.CAPTURE)
        ]
        if not payments:
            raise KeyError(reference)
        return max(
            payments,
            key=lambda t: (t.is_live, t.kind is not TransactionKind.AUTHORIZATION),
        )

    @property
    def lets_go(self) -> bool:
        """Whether it wants no hold, and no payment that waits for its buyer too long."""
        return self.status in _LETS_GO

    def wants(self, transaction: PaymentTransaction) -> bool:
        """Whether this movement should still be sent.

        Nobody charges for a cancelled order, takes a hold of what is paid otherwise, voids what
        a placed order lives on, or gives back what the bank takes back already.
        """
        if transaction.takes_money:
            return self.status is OrderStatus.AWAITING_PAYMENT
        if transaction.parent_reference is None:
            # Accepted by a person, and not told by the provider yet: nobody knows of what.
            return False
        if transaction.kind is TransactionKind.CAPTURE:
            return self.status is OrderStatus.PENDING and not self.is_paid_in_part
        if transaction.kind is TransactionKind.VOID:
            parent = self.transaction(transaction.parent_id or "")
            # While it stands, a void of the hold that it lives on is never wanted; a person may
            # want to let go what the provider holds beside it.
            unwanted = parent.is_beside_ours or self.lets_go or self.is_spare(parent)
            return parent.is_held and unwanted
        if transaction.kind is TransactionKind.REFUND:
            paid = self.transaction(transaction.parent_id or "")
            return not self.taken_back_of(paid) or self._balance_of(paid) >= 0
        return True

    # What may be done ---------------------------------------------------------------------

    @property
    def cancel_refusal(self) -> tuple[str, str] | None:
        """Why the owner cannot cancel now (a word, a clause), or None when he can."""
        if self.status is OrderStatus.CANCELLED:
            return ("already_cancelled", "it is cancelled already")
        captures = [t for t in self.transactions if t.kind is TransactionKind.CAPTURE and t.is_open]
        # A send is counted only while it is wanted: what never left cannot leave once it is not.
        if any(self.wants(capture) or not capture.has_never_left for capture in captures):
            return ("capture_in_progress", "its money is being taken just now")
        return CANCEL_REFUSALS.get(self.status)

    def left_of(self, paid: PaymentTransaction) -> int:
        """How many minor units of `paid` nobody has given, taken or asked back, in whatever way."""
        return max(self._balance_of(paid), 0)

    def _balance_of(self, paid: PaymentTransaction) -> int:
        refunds = [t for t in self._refunds if t.parent_id == paid.id]
        asked = self._sum([t for t in refunds if t.is_live])
        returned = sum([self.returned_of(t) for t in refunds])
        otherwise = sum([self._refunded_otherwise_of(t) for t in refunds])
        return paid.amount.minor_units - asked + returned - otherwise - self.taken_back_of(paid)

    def _refunded_otherwise_of(self, refund: PaymentTransaction) -> int:
        # Refused, or come back: what it was to give back is said by one of the two.
        return self._sum(
            t
            for t in self.transactions
            if t.reason == REFUNDED_OTHERWISE and refund.id in {t.id, t.parent_id}
        )

    def taken_back_of(self, paid: PaymentTransaction) -> int:
        """How many minor units of a payment the bank took back, or may: no dispute that was won."""
        lost = [t for t in self._disputes_of(paid) if t.reason != DISPUTE_WON]
        if any(t.amount.currency != paid.amount.currency for t in lost):
            # Told in the bank's currency it cannot be compared: all of it may be gone.
            return max(paid.amount.minor_units, self._sum(lost))
        return self._sum(lost)

    def is_disputed(self, paid: PaymentTransaction) -> bool:
        """Whether a dispute of the payment has no end yet."""
        return any(t.reason == DISPUTE_OPEN for t in self._disputes_of(paid))

    def _disputes_of(self, paid: PaymentTransaction) -> Iterable[PaymentTransaction]:
        # The latest word on each, for they are added in the order in which they are heard.
        return {
            t.provider_reference: t
            for t in self.transactions
            if t.kind is TransactionKind.REVERSAL and t.parent_id == paid.id
        }.values()

    def returned_of(self, refund: PaymentTransaction) -> int:
        """How many minor units of a refund that had succeeded came back."""
        return self._sum(
            t
            for t in self.transactions
            if t.kind is TransactionKind.REVERSAL and t.parent_id == refund.id
        )

    def follow_up(
        self,
        kind: TransactionKind,
        parent: PaymentTransaction,
        amount: Money,
        *,
        at: datetime,
        new_id: Callable[[], str],
        terms: PaymentTerms,
        reason: str | None = None,
    ) -> PaymentTransaction:
        """A movement of ours that follows `parent`: a capture, void or refund of it."""
        return PaymentTransaction(
            id=new_id(),
            order_id=self.id,
            customer_id=self.customer_id,
            kind=kind,
            amount=amount,
            provider=parent.provider,
            account=parent.account,
            installation=parent.installation,
            request_version=terms.gateway.request_version,
            recorded_at=at,
            send_until=terms.reversal_sent_until(at),
            horizon=terms.gateway.horizon,
            parent_id=parent.id,
            parent_reference=parent.provider_reference,
            reason=reason,
            # At once: whoever sends it inline holds the lease meanwhile.
            attend_at=at,
        )

    # How a change is made -----------------------------------------------------------------

    def moved_to(self, status: OrderStatus) -> "Order":
        """The order in the next status. A move that the table does not have is a bug."""
        if status not in TRANSITIONS[self.status]:
            raise ValueError(f"an order never moves from {self.status} to {status}")
        return replace(self, status=status)

    def with_news(self, event: Event, at: datetime) -> "Order":
        happened = Happened(self.event_count + 1, at, event)
        return replace(self, event_count=happened.sequence, news=(*self.news, happened))

    def with_transaction(self, transaction: PaymentTransaction) -> "Order":
        """The order with `transaction` added, or put in the place of its earlier form."""
        known = {each.id: each for each in self.transactions}
        known[transaction.id] = transaction
        return replace(self, transactions=tuple(known.values()))
