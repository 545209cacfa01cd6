"""What each kind of event says about movements of money."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from order_core.outcomes import OutcomeUnknown, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact
from order_stripe.answers import (
    Json,
    Unreadable,
    metadata,
    money,
    of_authorization,
    of_payment,
    of_refund,
)
from order_stripe.requests import BadReference, intent_id

Facts = tuple[ProviderFact, ...]

REFUNDED: Final = "charge.refunded"
"""All that an endpoint of an older version is told of a refund at the dashboard."""

_INQUIRIES: Final = "warning_"
_PREVENTED: Final = "prevented"
_OPEN_DISPUTES: Final = frozenset(
    {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"}
)
_END_OF_TIME: Final = 2**53
_TOLD_IN_ORDER: Final = frozenset({TransactionKind.REFUND, TransactionKind.REVERSAL})


def facts_of(name: str, data: object, created: object = None) -> Facts:
    """The facts in an event's `data`; none for an event that is not about our money.

    `created` is the second in which Stripe made the event, which orders what it tells.

    Raises:
        Unreadable: an event that we know is not as documented.
    """
    read = _READERS.get(name)
    if read is None:
        return ()
    shown = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(shown, Mapping) or not isinstance(data, Mapping):
        raise Unreadable("an event without its object")
    before = data.get("previous_attributes")
    facts = read(shown, before if isinstance(before, Mapping) else {})
    moment = created if type(created) is int and 0 <= created < _END_OF_TIME else None
    return tuple(
        replace(fact, sequence=moment) if fact.kind in _TOLD_IN_ORDER else fact for fact in facts
    )


def _payment(intent: Json, _: Json) -> Facts:
    if intent.get("capture_method") != "manual":
        return (_about(intent, TransactionKind.CHARGE, of_payment(intent)),)
    if intent.get("status") == "succeeded":
        return (_capture(intent),)
    return (_about(intent, TransactionKind.AUTHORIZATION, of_authorization(intent)),)


def _failed_try(intent: Json, _: Json) -> Facts:
    # The intent is not dead: whoever has its client secret can try another card. So this
    # is a reason to ask, and the look-up cancels what nobody can confirm any more.
    manual = intent.get("capture_method") == "manual"
    kind = TransactionKind.AUTHORIZATION if manual else TransactionKind.CHARGE
    return (_about(intent, kind, OutcomeUnknown("a_try_failed")),)


def _capture(intent: Json) -> ProviderFact:
    reference = _reference(intent)
    capture_id = metadata(intent, "capture_id")
    return ProviderFact(
        TransactionKind.CAPTURE,
        Succeeded(reference, money(intent, "amount_received"), capture_id),
        reference,
        transaction_id=capture_id or None,
        installation=metadata(intent, "installation") or None,
        parent_reference=reference,
    )


def _about(intent: Json, kind: TransactionKind, outcome: Any) -> ProviderFact:  # noqa: ANN401 - any outcome
    return ProviderFact(
        kind,
        outcome,
        _reference(intent),
        transaction_id=metadata(intent, "transaction_id") or None,
        installation=metadata(intent, "installation") or None,
    )


def _refund(refund: Json, before: Json) -> Facts:
    reference = _word(refund, "id")
    came_back = refund.get("status") == "failed" and (
        before.get("status") == "succeeded"
        # Stripe books the failure only if it had booked the refund.
        or (refund.get("balance_transaction") and refund.get("failure_balance_transaction"))
    )
    outcome = (
        Reversed(reference, money(refund, "amount"), "refund_returned")
        if came_back
        else of_refund(refund)
    )
    parent = refund.get("payment_intent")
    return (
        ProviderFact(
            TransactionKind.REFUND,
            outcome,
            reference,
            transaction_id=metadata(refund, "transaction_id") or None,
            installation=metadata(refund, "installation") or None,
            parent_reference=parent if isinstance(parent, str) else None,
        ),
    )


def _refunds(charge: Json, _: Json) -> Facts:
    listed = charge.get("refunds")
    refunds = listed.get("data") if isinstance(listed, Mapping) else ()
    if not isinstance(refunds, list | tuple) or not all(isinstance(r, Mapping) for r in refunds):
        raise Unreadable("a charge with refunds that are none")
    whose = {"payment_intent": charge.get("payment_intent")}
    return tuple(fact for refund in refunds for fact in _refund({**refund, **whose}, {}))


def _dispute(dispute: Json, _: Json) -> Facts:
    status = _word(dispute, "status")
    if status.startswith(_INQUIRIES):
        return ()  # The bank only asks: nothing is gone.
    won = status == "won"
    if status == _PREVENTED:
        booked = dispute.get("balance_transactions")
        if not booked:
            return ()  # Settled before it took anything; a refund that did it tells itself.
        won = _is_reinstated(booked)
    amount, reference = money(dispute, "amount"), _word(dispute, "id")
    because = f"dispute_{status}"
    outcome = (
        Restored(reference, amount, because)
        if won
        else Reversed(reference, amount, because, open=status in _OPEN_DISPUTES)
    )
    parent = dispute.get("payment_intent")
    return (
        ProviderFact(
            TransactionKind.REVERSAL,
            outcome,
            reference,
            parent_reference=parent if isinstance(parent, str) else None,
        ),
    )


def _is_reinstated(booked: object) -> bool:
    """Whether what the dispute took from the balance has come back, as far as can be read."""
    rows = booked if isinstance(booked, list) else [booked]
    amounts = [row.get("amount") if isinstance(row, Mapping) else None for row in rows]
    numbers = [amount for amount in amounts if type(amount) is int]
    return len(numbers) == len(amounts) and sum(numbers) >= 0


def _reference(intent: Json) -> str:
    try:
        return intent_id(intent.get("id"))
    except BadReference as error:
        raise Unreadable(str(error)) from error


def _word(shown: Json, field: str) -> str:
    value = shown.get(field)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"no {field}")
    return value


_READERS: Final[Mapping[str, Callable[[Json, Json], Facts]]] = {
    "payment_intent.succeeded": _payment,
    "payment_intent.processing": _payment,
    "payment_intent.requires_action": _payment,
    "payment_intent.amount_capturable_updated": _payment,
    "payment_intent.canceled": _payment,
    "payment_intent.payment_failed": _failed_try,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    REFUNDED: _refunds,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
}

EVENTS: Final = tuple(_READERS)
"""The events to subscribe to."""
