"""What Adyen's events say about money."""

import re
from collections.abc import Mapping
from typing import Final

from order_adyen.answers import money_in, reference_in
from order_adyen.marks import Mark, mark
from order_core.money import Money
from order_core.outcomes import Authorized, Declined, Outcome, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact

_LATER: Final = {
    "CAPTURE": TransactionKind.CAPTURE,
    "CANCELLATION": TransactionKind.VOID,
    "REFUND": TransactionKind.REFUND,
}
_TAKEN_BACK: Final = {
    # Event -> whether the money may still come back.
    "CHARGEBACK": True,
    "SECOND_CHARGEBACK": False,
    "CAPTURE_FAILED": False,
}
_STAGES: Final = {"CHARGEBACK": 1, "CHARGEBACK_REVERSED": 2, "SECOND_CHARGEBACK": 3}
"""In which order a dispute goes through them. The event's own time is not signed: whoever
replays an event could choose it."""
_REFUND_UNDONE: Final = frozenset({"REFUND_FAILED", "REFUNDED_REVERSED"})
_DISPUTE_STATUS: Final = re.compile(r"[A-Za-z]{1,32}")


def facts_of(item: Mapping[str, object]) -> tuple[ProviderFact, ...]:
    """The facts in an event whose signature was verified. Raises: Unreadable."""
    name, went_well = str(item["eventCode"]), item["success"] == "true"
    reference, amount = reference_in(item), money_in(item.get("amount"))
    ours = mark(item.get("merchantReference"))
    parent = str(item.get("originalReference", "")) or None
    if name == "AUTHORISATION":
        kind = (ours.begins if ours else None) or TransactionKind.CHARGE
        outcome = _outcome(kind, reference, amount, ours, went_well=went_well)
        return (_fact(kind, outcome, reference, ours),)
    if name in _LATER:
        if ours is not None and ours.begins is not None:
            # An automatic capture has the charge's own reference, and is no news.
            return ()
        kind = _LATER[name]
        outcome = _outcome(kind, reference, amount, ours, went_well=went_well)
        return (_fact(kind, outcome, reference, ours, parent),)
    if name in _REFUND_UNDONE and went_well:
        undone = Reversed(reference, amount, name.lower())
        ours = ours if ours and ours.begins is None else None
        return (_fact(TransactionKind.REFUND, undone, reference, ours, parent),)
    if name in _TAKEN_BACK and went_well:
        lost = Reversed(reference, amount, name.lower(), open=_TAKEN_BACK[name])
        return (_of_dispute(name, lost, parent),)
    if name == "CHARGEBACK_REVERSED" and dispute_status(item) == "Won":
        # Until it is won, what came back is only lent: a second chargeback may follow.
        return (_of_dispute(name, Restored(reference, amount, name.lower()), parent),)
    return ()


def _of_dispute(name: str, outcome: Reversed | Restored, parent: str | None) -> ProviderFact:
    return ProviderFact(
        TransactionKind.REVERSAL,
        outcome,
        outcome.reference,
        parent_reference=parent,
        sequence=_STAGES.get(name),
    )


def dispute_status(item: Mapping[str, object]) -> str | None:
    """How a dispute stands, which Adyen does not sign; None if the event does not say."""
    more = item.get("additionalData")
    status = more.get("disputeStatus") if isinstance(more, dict) else None
    is_word = isinstance(status, str) and _DISPUTE_STATUS.fullmatch(status)
    return status if is_word else None


def _outcome(
    kind: TransactionKind, reference: str, amount: Money, ours: Mark | None, *, went_well: bool
) -> Outcome:
    transaction_id = ours.transaction_id if ours else ""
    if not went_well:
        return Declined(f"{kind}_refused", reference=reference)
    if kind is TransactionKind.AUTHORIZATION:
        return Authorized(reference, amount, transaction_id)
    return Succeeded(reference, amount, transaction_id)


def _fact(
    kind: TransactionKind,
    outcome: Outcome | Reversed,
    reference: str,
    ours: Mark | None,
    parent: str | None = None,
) -> ProviderFact:
    return ProviderFact(
        kind,
        outcome,
        reference,
        transaction_id=ours.transaction_id if ours else None,
        installation=ours.installation if ours else None,
        parent_reference=parent,
    )
