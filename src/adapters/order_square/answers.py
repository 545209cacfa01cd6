"""What Square shows about a movement, as an outcome."""

from typing import Final

from order_core.outcomes import (
    Authorized,
    Declined,
    NotFound,
    Outcome,
    OutcomeUnknown,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction
from order_square.refusals import declined
from order_square.sightings import SeenPayment, SeenRefund, code

_ENDED: Final = frozenset({"CANCELED", "FAILED"})


def of_payment(payment: SeenPayment) -> Outcome:
    """What became of a charge or an authorization."""
    match payment.status:
        case "COMPLETED":
            return Succeeded(payment.id, payment.total, payment.reference_id)
        case "APPROVED":
            return Authorized(
                payment.id, payment.total, payment.reference_id, payment.delayed_until
            )
        case "PENDING":
            return Pending(payment.id)
        case "CANCELED":
            return Declined("canceled", reference=payment.id)
        case "FAILED":
            known = declined(payment.failure, payment.id)
            return known or Declined("card_declined", reference=payment.id)
    return OutcomeUnknown(f"unknown_status:{code(payment.status)}")


def of_refund(refund: SeenRefund) -> Outcome:
    """What became of a refund."""
    match refund.status:
        case "COMPLETED":
            ours = refund.mark.transaction_id if refund.mark else None
            return Succeeded(refund.id, refund.amount, ours or "")
        case "PENDING":
            return Pending(refund.id)
        case "REJECTED" | "FAILED":
            return Declined(f"refund_{refund.status.lower()}", retryable=True, reference=refund.id)
    return OutcomeUnknown(f"unknown_status:{code(refund.status)}")


def of_capture(payment: SeenPayment, transaction: PaymentTransaction) -> Outcome | NotFound:
    """What a held payment shows of its capture, which has no object of its own at Square."""
    if payment.status == "COMPLETED":
        return Succeeded(payment.id, payment.total, transaction.id)
    if payment.status in _ENDED:
        return Declined("hold_ended", reference=payment.id)
    if payment.status == "APPROVED":
        return NotFound()
    return OutcomeUnknown(f"unknown_status:{code(payment.status)}")


def of_void(payment: SeenPayment, transaction: PaymentTransaction) -> Outcome | NotFound:
    """What a payment shows of its void: it is gone, or it was too late, or nothing yet."""
    if payment.status in _ENDED:
        return Succeeded(payment.id, payment.total, transaction.id)
    if payment.status == "COMPLETED":
        return Declined("already_captured", reference=payment.id)
    if payment.status in {"APPROVED", "PENDING"}:
        return NotFound()
    return OutcomeUnknown(f"unknown_status:{code(payment.status)}")
