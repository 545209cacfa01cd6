"""What an event of PayPal says about the money."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import Continue, Outcome, OutcomeUnknown, Restored, Reversed
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact, WebhookEvent
from order_paypal.answers import amount_of, captured, given_back, held, transaction_of
from order_paypal.identifiers import BadReference, marked, reference
from order_paypal.reading import Json, each, inside, link, text

Facts = tuple[ProviderFact, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DISPUTED: Final = 100
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def event_of(shown: Json) -> WebhookEvent | None:
    """The event that PayPal shows, alike where it is delivered and where it is listed.

    None if it has no id by which it could be remembered.
    """
    event_id, name = text(shown, "id"), text(shown, "event_type")
    if not _ID.fullmatch(event_id):
        return None
    return WebhookEvent(event_id, name, facts_of(name, inside(shown, "resource")))


def facts_of(name: str, resource: Json) -> Facts:
    """The facts of the event `name`; none if it is not known here, or cannot be read.

    An event that cannot be read moves nothing: a look-up finds what it would have told.
    """
    read = _READERS.get(name)
    return read(resource) if read else ()


def _capture(resource: Json) -> Facts:
    hold_id = text(resource, "supplementary_data", "related_ids", "authorization_id")
    order_id = text(resource, "supplementary_data", "related_ids", "order_id")
    capture_id = text(resource, "id")
    if hold_id:
        outcome = captured(resource, pending_as=capture_id, by_invoice=True)
        kind, parent = TransactionKind.CAPTURE, hold_id
    else:
        outcome = captured(resource, pending_as=order_id or capture_id)
        kind, parent = TransactionKind.CHARGE, ""
    return _fact(kind, outcome, resource, parent=parent, by_invoice=bool(hold_id))


def _refused_capture(resource: Json) -> Facts:
    # Whatever the resource's own status says: the event's name is the news.
    return _capture({**resource, "status": "DECLINED"})


def _authorization(resource: Json) -> Facts:
    order_id = text(resource, "supplementary_data", "related_ids", "order_id")
    outcome = held(resource, pending_as=order_id or text(resource, "id"))
    return _fact(TransactionKind.AUTHORIZATION, outcome, resource)


def _refund(resource: Json) -> Facts:
    parent = _captured_id(resource)
    return _fact(TransactionKind.REFUND, given_back(resource), resource, parent=parent)


def _reversal(resource: Json) -> Facts:
    value = text(resource, "amount", "value").removeprefix("-")
    # No look-up would find what is not read here, so the sign does not matter.
    amount = amount_of({"amount": {**inside(resource, "amount"), "value": value}})
    parent = _captured_id(resource) or text(resource, "id")
    if amount is None:
        return ()
    # It comes back if the dispute behind it is won, and no event tells that, or which dispute it
    # is: called lost for good, it could be ended by nobody.
    outcome = Reversed(text(resource, "id"), amount, "reversed", open=True)
    # The mark on it is that of the payment, which is not the movement told here.
    return (
        ProviderFact(
            TransactionKind.REVERSAL,
            outcome,
            outcome.reference,
            installation=marked(text(resource, "custom_id"))[1],
            parent_reference=parent,
        ),
    )


def _approval(resource: Json) -> Facts:
    intent = text(resource, "intent")
    unit = next(each(resource, "purchase_units"), {})
    try:
        order_id = reference(text(resource, "id"))
    except BadReference:
        return ()
    kind = TransactionKind.CHARGE if intent == "CAPTURE" else TransactionKind.AUTHORIZATION
    # Approval moves nothing: our completion is due now.
    return _fact(kind, Continue(order_id), {**unit, "id": order_id})


def _dispute(resource: Json) -> Facts:
    try:
        amount = Money.parse(
            text(resource, "dispute_amount", "value"),
            text(resource, "dispute_amount", "currency_code"),
        )
    except InvalidValue:
        return ()
    dispute_id = text(resource, "dispute_id")
    decided = text(resource, "status") == "RESOLVED"
    won = text(resource, "dispute_outcome", "outcome_code") in {
        "RESOLVED_SELLER_FAVOUR",
        "CANCELED_BY_BUYER",
        "DENIED",
    }
    if not dispute_id:
        return ()
    if decided and not won:
        amount = _got_by_buyer(resource, amount)
    disputed = list(each(resource, "disputed_transactions"))[:_MOST_DISPUTED]
    facts = []
    for payment in disputed:
        # The dispute's amount is that of all its payments together.
        part = _gross(payment, amount) if len(disputed) > 1 else amount
        outcome = (
            Restored(dispute_id, part, "dispute_won")
            if decided and won
            else Reversed(dispute_id, part, "dispute", open=not decided)
        )
        facts.append(
            ProviderFact(
                TransactionKind.REVERSAL,
                outcome,
                dispute_id,
                installation=marked(text(payment, "custom"))[1],
                parent_reference=text(payment, "seller_transaction_id") or None,
                sequence=_microseconds(text(resource, "update_time")),
            )
        )
    return tuple(facts)


def _got_by_buyer(dispute: Json, most: Money) -> Money:
    """What the dispute cost: what its buyer got, or all of it if the event does not say.

    PayPal may have paid that itself (`RESOLVED_WITH_PAYOUT`). It counts as the shop's loss all
    the same, for too much only lets a person look, and too little could be given back twice.
    """
    outcome = inside(dispute, "dispute_outcome")
    got = _part(outcome, "amount_refunded", most)
    return got if got.minor_units else most


def _gross(payment: Json, most: Money) -> Money:
    """What was paid, as far as the dispute reaches; all of that if the event does not say."""
    return _part(payment, "gross_amount", most)


def _part(shown: Json, name: str, most: Money) -> Money:
    try:
        part = Money.parse(text(shown, name, "value"), text(shown, name, "currency_code"))
    except InvalidValue:
        return most
    return part if part.currency == most.currency and part.minor_units < most.minor_units else most


def _microseconds(written: str) -> int | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1) if moment.tzinfo else None


def _captured_id(refund: Json) -> str:
    """The capture that a refund belongs to; it stands only in a link."""
    address = link(refund, "up")
    _, found, capture_id = address.rpartition("/captures/")
    try:
        return reference(capture_id) if found else ""
    except BadReference:
        return ""


def _fact(
    kind: TransactionKind,
    outcome: Outcome,
    resource: Json,
    *,
    parent: str = "",
    by_invoice: bool = False,
) -> Facts:
    if isinstance(outcome, OutcomeUnknown):
        return ()
    transaction_id = transaction_of(resource, by_invoice=by_invoice)
    return (
        ProviderFact(
            kind,
            outcome,
            text(resource, "id"),
            transaction_id=transaction_id or None,
            installation=marked(text(resource, "custom_id"))[1],
            parent_reference=parent or None,
        ),
    )


_READERS: Final[MappingProxyType[str, Callable[[Json], Facts]]] = MappingProxyType(
    {
        "CHECKOUT.ORDER.APPROVED": _approval,
        "CUSTOMER.DISPUTE.CREATED": _dispute,
        "CUSTOMER.DISPUTE.RESOLVED": _dispute,
        "CUSTOMER.DISPUTE.UPDATED": _dispute,
        "PAYMENT.AUTHORIZATION.CREATED": _authorization,
        "PAYMENT.AUTHORIZATION.VOIDED": _authorization,
        "PAYMENT.CAPTURE.COMPLETED": _capture,
        "PAYMENT.CAPTURE.DECLINED": _refused_capture,
        "PAYMENT.CAPTURE.DENIED": _refused_capture,
        "PAYMENT.CAPTURE.PENDING": _capture,
        "PAYMENT.CAPTURE.REFUNDED": _refund,
        "PAYMENT.CAPTURE.REVERSED": _reversal,
        "PAYMENT.REFUND.FAILED": _refund,
        "PAYMENT.REFUND.PENDING": _refund,
    }
)
