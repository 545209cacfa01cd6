"""What a hold, or an order, says about the void of it."""

from order_core.outcomes import Declined, Outcome, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction
from order_paypal.answers import amount_of, payments, transaction_of
from order_paypal.reading import Json, each, text


def void_of_hold(hold: Json, transaction: PaymentTransaction) -> Outcome | None:
    """What a hold says about the void of it; None if it still stands."""
    match text(hold, "status"):
        case "VOIDED":
            amount = amount_of(hold)
            if amount is None:
                return OutcomeUnknown("unreadable_authorization")
            return Succeeded(text(hold, "id"), amount, transaction.id)
        case "CAPTURED" | "PARTIALLY_CAPTURED":
            return Declined("already_captured")
        case "DENIED" | "EXPIRED":
            # There is nothing to let go any more.
            return Declined("no_longer_held")
        case _:
            return None


def void_of_order(order: Json, transaction: PaymentTransaction) -> Outcome | None:
    """What an order says about the void of it; None if it can still be completed."""
    tried = payments(order, "captures") + payments(order, "authorizations")
    if any(text(payment, "status") not in {"DECLINED", "FAILED", "DENIED"} for payment in tried):
        return Declined("already_captured")
    units = list(each(order, "purchase_units"))
    marked_by_us = bool(units) and transaction_of(units[0]) == transaction.id
    if marked_by_us or text(order, "status") == "VOIDED":
        return Succeeded(text(order, "id"), transaction.amount, transaction.id)
    return None
