"""What Adyen's events say about money."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from order_adyen import disputes, holds
from order_adyen.answers import money_in, reference_in
from order_adyen.marks import Mark, mark
from order_core.money import Money
from order_core.outcomes import Authorized, Declined, Outcome, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact

_LATER: Final = {
    "CAPTURE": TransactionKind.CAPTURE,
    "CANCELLATION": TransactionKind.VOID,
    "TECHNICAL_CANCEL": TransactionKind.VOID,
    "REFUND": TransactionKind.REFUND,
}
_REFUND_UNDONE: Final = frozenset({"REFUND_FAILED", "REFUNDED_REVERSED"})
_DISPUTE_STATUS: Final = re.compile(r"[A-Za-z]{1,32}")


def facts_of(item: Mapping[str, object], *, heard_at: datetime) -> tuple[ProviderFact, ...]:
    """The facts in an event whose signature was verified. Raises: Unreadable."""
    told = _Told(
        heard_at=heard_at,
        name=str(item["eventCode"]),
        went_well=item["success"] == "true",
        reference=reference_in(item),
        amount=money_in(item.get("amount")),
        payment=str(item.get("originalReference", "")) or None,
        mark=mark(item.get("merchantReference")),
        dispute_status=dispute_status(item),
        refunds=_beside(item, "modification.action") == "refund",
    )
    fact = _fact_in(told)
    return () if fact is None else (fact,)


@dataclass(frozen=True, slots=True)
class _Told:
    """What stands in an event; all but the last two are signed."""

    heard_at: datetime
    name: str
    went_well: bool
    reference: str
    amount: Money
    payment: str | None
    """Adyen's reference of the payment that something was done to."""
    mark: Mark | None
    dispute_status: str | None
    refunds: bool


def _fact_in(told: _Told) -> ProviderFact | None:
    if told.name == "AUTHORISATION":
        return _begun(told)
    if told.name in _LATER:
        return _changed(told, _LATER[told.name])
    if told.name == "CANCEL_OR_REFUND":
        # Whoever changed the word that is not signed gains nothing: the money went back, and what
        # is taken for a cancellation goes before a person.
        kind = TransactionKind.REFUND if told.refunds else TransactionKind.VOID
        return _changed(told, kind)
    if not told.went_well:
        return None
    if told.name == "EXPIRE":
        return _expired(told)
    because = told.name.lower()
    if told.name in _REFUND_UNDONE:
        undone = Reversed(told.reference, told.amount, because)
        return _done_to_a_payment(told, TransactionKind.REFUND, undone)
    if told.name == "CAPTURE_FAILED":
        lost = Reversed(told.reference, told.amount, because)
        return _done_to_a_payment(told, TransactionKind.REVERSAL, lost)
    disputed = disputes.outcome_of(told.name, told.dispute_status, told.reference, told.amount)
    if disputed is None:
        return None
    return _done_to_a_payment(told, TransactionKind.REVERSAL, disputed)


def _begun(told: _Told) -> ProviderFact:
    ours = told.mark
    kind = (ours.begins if ours else None) or TransactionKind.CHARGE
    outcome: Outcome
    transaction_id = ours.transaction_id if ours else ""
    if not told.went_well:
        outcome = Declined(f"{kind}_refused", reference=told.reference)
    elif kind is TransactionKind.AUTHORIZATION:
        ends = told.heard_at + holds.SHORTEST
        outcome = Authorized(told.reference, told.amount, transaction_id, ends)
    else:
        outcome = Succeeded(told.reference, told.amount, transaction_id)
    return ProviderFact(
        kind,
        outcome,
        told.reference,
        transaction_id=ours.transaction_id if ours else None,
        installation=ours.installation if ours else None,
    )


def _expired(told: _Told) -> ProviderFact | None:
    ours = told.mark
    # Adyen's example names no other reference than this one.
    payment = told.payment or told.reference
    if ours is None or ours.begins is None:
        return None
    if ours.begins is TransactionKind.CHARGE:
        # It counted as paid, and nothing was captured.
        never_taken = Reversed(told.reference, told.amount, holds.EXPIRED)
        named = replace(told, payment=payment)
        return _done_to_a_payment(named, TransactionKind.REVERSAL, never_taken)
    return ProviderFact(
        ours.begins,
        Declined(holds.EXPIRED, reference=payment),
        payment,
        transaction_id=ours.transaction_id,
        installation=ours.installation,
        parent_reference=payment,
    )


def _changed(told: _Told, kind: TransactionKind) -> ProviderFact | None:
    """A capture, cancellation or refund, of ours or by hand."""
    begins = told.mark.begins if told.mark else None
    if kind is TransactionKind.CAPTURE and begins is TransactionKind.CHARGE:
        # The capture that a charge asks for has the charge's own reference, and is paid already.
        if told.went_well:
            return None
        failed = Reversed(told.reference, told.amount, "capture_failed")
        return _done_to_a_payment(told, TransactionKind.REVERSAL, failed)
    if not told.went_well:
        no = Declined(f"{kind}_refused", reference=told.reference)
        return _done_to_a_payment(told, kind, no)
    ours = told.mark.transaction_id if told.mark and begins is None else ""
    return _done_to_a_payment(told, kind, Succeeded(told.reference, told.amount, ours))


def _done_to_a_payment(
    told: _Told, kind: TransactionKind, outcome: Outcome | Reversed | Restored
) -> ProviderFact:
    return ProviderFact(
        kind,
        outcome,
        told.reference,
        transaction_id=_named(told, kind),
        installation=told.mark.installation if told.mark else None,
        parent_reference=told.payment,
        sequence=disputes.stage_of(told.name),
    )


def _named(told: _Told, kind: TransactionKind) -> str | None:
    """Our id of the change; of its payment, if nothing else says which payment it was done to.

    What is done by hand, or by a bank, has the payment's reference.
    """
    if told.mark is None:
        return None
    if told.mark.begins is None:
        # A dispute is about the payment, and never about what we did to it.
        return None if kind is TransactionKind.REVERSAL else told.mark.transaction_id
    return None if told.payment else told.mark.transaction_id


def dispute_status(item: Mapping[str, object]) -> str | None:
    """How a dispute stands, which Adyen does not sign; None if the event does not say."""
    status = _beside(item, "disputeStatus")
    return status if _DISPUTE_STATUS.fullmatch(status) else None


def _beside(item: Mapping[str, object], name: str) -> str:
    """A word that Adyen tells beside the event, unsigned; empty if there is none."""
    more = item.get("additionalData")
    told = more.get(name) if isinstance(more, dict) else None
    return told if isinstance(told, str) else ""
