"""The pretended Stripe's books as movements of money."""

from order_emulators.chassis import LedgerEntry
from order_emulators.stripe.amounts import in_iso_units
from order_emulators.stripe.books import Books, Json


def entries(books: Books) -> list[LedgerEntry]:
    """Every movement, by kind: payments, refunds, disputes."""
    found: list[LedgerEntry] = []
    for intent in books.intents.values():
        found += _payment(intent)
    for refund in books.refunds.values():
        parent = refund["payment_intent"]
        moved = refund["status"] == "succeeded"
        found.append(_entry("refund", refund, refund["amount"], moved=moved, parent=parent))
    for disputed in books.disputes.values():
        gone = disputed["status"] != "won" and not disputed["status"].startswith("warning_")
        parent = disputed["payment_intent"]
        found.append(_entry("dispute", disputed, disputed["amount"], moved=gone, parent=parent))
    return found


def _payment(intent: Json) -> list[LedgerEntry]:
    status = intent["status"]
    if intent["capture_method"] != "manual":
        return [_entry("charge", intent, intent["amount"], moved=status == "succeeded")]
    held = status == "requires_capture"
    found = [_entry("authorization", intent, intent["amount"], moved=held)]
    if status == "succeeded":
        found.append(
            _entry("capture", intent, intent["amount_received"], moved=True, parent=intent["id"])
        )
    return found


def _entry(
    kind: str, shown: Json, amount: int, *, moved: bool, parent: str | None = None
) -> LedgerEntry:
    name = "capture_id" if kind == "capture" else "transaction_id"
    return LedgerEntry(
        kind=kind,
        reference=shown["id"],
        amount=in_iso_units(amount, shown["currency"]),
        currency=shown["currency"].upper(),
        status=shown["status"],
        moved=moved,
        transaction_id=shown["metadata"].get(name),
        parent_reference=parent,
    )
