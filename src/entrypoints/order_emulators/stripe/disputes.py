"""A cardholder who wants the money back from the bank."""

from order_emulators.stripe.books import Books, Json


def dispute(books: Books, charge: Json, status: str) -> Json:
    """The bank tells Stripe; unless it is an inquiry only, the money is gone at once."""
    reference = books.new_id("dp")
    disputed: Json = {
        "id": reference,
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": books.now(),
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {"has_evidence": False, "past_due": False, "submission_count": 0},
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": status,
    }
    books.disputes[reference] = disputed
    charge["disputed"] = True
    books.tell("charge.dispute.created", disputed)
    if not status.startswith("warning_"):
        books.tell("charge.dispute.funds_withdrawn", disputed)
    return disputed


def decide(books: Books, disputed: Json, *, for_the_shop: bool) -> None:
    """The bank decides."""
    before = disputed["status"]
    if before.startswith("warning_"):
        disputed["status"] = "warning_closed" if for_the_shop else "needs_response"
        closed = "charge.dispute.closed" if for_the_shop else "charge.dispute.updated"
        books.tell(closed, disputed, status=before)
        return
    disputed["status"] = "won" if for_the_shop else "lost"
    books.tell("charge.dispute.closed", disputed, status=before)
    if for_the_shop:
        books.tell("charge.dispute.funds_reinstated", disputed)
