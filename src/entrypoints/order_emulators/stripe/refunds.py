"""Giving money back."""

from typing import Final

from order_emulators.stripe.books import Books, Json
from order_emulators.stripe.cards import Card, card
from order_emulators.stripe.form import Form, integer, metadata, only, text
from order_emulators.stripe.refusals import Refusal, conflict, invalid, missing

_CREATE: Final = ("amount", "charge", "expand", "metadata", "payment_intent", "reason")


def create(books: Books, form: Form) -> Json:
    """`POST /v1/refunds`."""
    only(form, _CREATE)
    charge = _charge(books, form)
    if charge["refunded"]:
        raise conflict(
            "charge_already_refunded", f"Charge {charge['id']} has already been refunded."
        )
    if charge["disputed"]:
        raise conflict("charge_disputed", f"Charge {charge['id']} has been charged back.")
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = integer(form, "amount", left)
    if amount < 1:
        raise invalid("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    if amount > left:
        # Stripe gives this error no code.
        raise Refusal(
            400,
            {
                "type": "invalid_request_error",
                "message": f"Refund amount ({amount}) is greater than unrefunded amount on charge.",
                "param": "amount",
            },
        )
    status = (card(charge["payment_method"]) or Card()).refund
    reference = books.new_id("re")
    refund: Json = {
        "id": reference,
        "object": "refund",
        "amount": amount,
        "balance_transaction": books.new_id("txn") if status == "succeeded" else None,
        "charge": charge["id"],
        "created": books.now(),
        "currency": charge["currency"],
        "metadata": metadata(form),
        "payment_intent": charge["payment_intent"],
        "reason": text(form, "reason"),
        "status": status,
    }
    books.refunds[reference] = refund
    _book(charge, amount)
    books.tell("refund.created", refund)
    books.tell("charge.refunded", charge)
    return refund


def finish(books: Books, refund: Json, *, arrives: bool) -> bool:
    """The bank takes a pending refund, or sends it back; even one that had succeeded."""
    before = refund["status"]
    if before not in {"pending", "succeeded"} or (arrives and before == "succeeded"):
        return False
    if arrives:
        refund.update(status="succeeded", balance_transaction=books.new_id("txn"))
        books.tell("refund.updated", refund, status=before)
        return True
    refund.update(status="failed", failure_reason="expired_or_canceled_card")
    if refund["balance_transaction"]:
        refund["failure_balance_transaction"] = books.new_id("txn")
    _book(books.charges[refund["charge"]], -refund["amount"])
    books.tell("refund.updated", refund, status=before)
    books.tell("refund.failed", refund)
    return True


def _book(charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]


def _charge(books: Books, form: Form) -> Json:
    charge_id, intent_id = text(form, "charge"), text(form, "payment_intent")
    if bool(charge_id) is bool(intent_id):
        raise invalid("One of charge and payment_intent must be given.")
    if intent_id:
        intent = books.intents.get(intent_id)
        if intent is None:
            raise missing("payment_intent", intent_id, "payment_intent")
        charge_id = intent["latest_charge"]
    charge = books.charges.get(charge_id or "")
    if charge is None or not charge["captured"]:
        raise conflict(
            "charge_not_refundable", "This payment does not have a successful charge to refund."
        )
    return charge
