"""What PayPal shows, as one of the core's outcomes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    Authorized,
    Declined,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_paypal import issues
from order_paypal.api import ApiAnswer
from order_paypal.identifiers import marked
from order_paypal.reading import Json, each, inside, text

_TAKEN: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
_HELD: Final = frozenset({"CREATED", "CAPTURED", "PARTIALLY_CAPTURED"})
_REFUSED: Final = frozenset({"DECLINED", "FAILED", "DENIED"})


class DoneBefore(Exception):
    """PayPal says that this is done already, so somebody has to look what it means."""

    def __init__(self, issue: str) -> None:
        super().__init__(issue)
        self.issue = issue


class BuyerMustAct(Exception):
    """PayPal wants the buyer first. `links` may name the page."""

    def __init__(self, links: Json) -> None:
        super().__init__("buyer must act")
        self.links = links


def refusal(answer: ApiAnswer) -> Outcome:
    """What an answer without success to a request that moves money means.

    Raises:
        DoneBefore: see there.
        BuyerMustAct: see there.
    """
    match answer.status:
        case 401 | 403:
            return NotSent(f"misconfigured:{_issue(answer.body) or answer.status}")
        case 429:
            return RateLimited(answer.retry_after_seconds)
        case 404:
            # Any other 404 comes from something between us and PayPal.
            known = text(answer.body, "name") == "RESOURCE_NOT_FOUND"
            return Declined("no_such_payment") if known else OutcomeUnknown("status_404")
        case 400 | 409 | 422:
            return _refused(answer)
        case status:
            return OutcomeUnknown(f"status_{status}")


def _refused(answer: ApiAnswer) -> Outcome:
    issue = _issue(answer.body)
    if issue in issues.RUNNING:
        return InProgress()
    if issue in issues.DONE_BEFORE:
        raise DoneBefore(issue)
    if issue in issues.BUYER_MUST_ACT:
        raise BuyerMustAct(inside(answer.body))
    if issue in issues.DECLINED:
        return Declined(issues.DECLINED[issue], retryable=issue in issues.RETRYABLE)
    if text(answer.body, "name") == "INVALID_REQUEST":
        # Refused before anything was done. It would be refused each time.
        return Declined(f"invalid_request:{issue}")
    return OutcomeUnknown(f"status_{answer.status}:{issue}", answered=True)


def _issue(body: Json | None) -> str:
    for detail in each(body, "details"):
        issue = text(detail, "issue")
        # It goes into logs and records, so it has to look like one.
        return issue if issue.isascii() and issue.replace("_", "").isalnum() else "unreadable"
    return ""


def amount_of(resource: Json) -> Money | None:
    """The resource's amount; None if it cannot be read."""
    try:
        return Money.parse(
            text(resource, "amount", "value"), text(resource, "amount", "currency_code")
        )
    except InvalidValue:
        return None


def transaction_of(resource: Json, *, by_invoice: bool = False) -> str:
    """The id of our transaction that a resource of PayPal names; empty if it names none.

    A capture of a hold inherits the hold's `custom_id`; only its `invoice_id` is its own.
    """
    invoice, custom = text(resource, "invoice_id"), marked(text(resource, "custom_id"))[0]
    return (invoice or custom) if by_invoice else (custom or invoice)


def captured(capture: Json, *, pending_as: str, by_invoice: bool = False) -> Outcome:
    """What a capture says. While it is pending, the movement goes by the id `pending_as`."""
    status, reference = text(capture, "status"), text(capture, "id")
    if status in _TAKEN:
        amount = amount_of(capture)
        if amount is None or not reference:
            return OutcomeUnknown("unreadable_capture")
        return Succeeded(reference, amount, transaction_of(capture, by_invoice=by_invoice))
    if status == "PENDING":
        return Pending(pending_as)
    return _no(capture, status)


def held(authorization: Json, *, pending_as: str) -> Outcome:
    """What a hold says."""
    status, reference = text(authorization, "status"), text(authorization, "id")
    if status in _HELD:
        amount = amount_of(authorization)
        if amount is None or not reference:
            return OutcomeUnknown("unreadable_authorization")
        until = _moment(text(authorization, "expiration_time"))
        return Authorized(reference, amount, transaction_of(authorization), until)
    if status == "PENDING":
        return Pending(pending_as)
    if status in {"VOIDED", "EXPIRED"}:
        return Declined(status.lower(), reference=reference or None)
    return _no(authorization, status)


def given_back(refund: Json) -> Outcome:
    """What a refund says."""
    status, reference = text(refund, "status"), text(refund, "id")
    if status in {"COMPLETED", "PENDING"} and reference:
        if status == "PENDING":
            return Pending(reference)
        amount = amount_of(refund)
        if amount is None:
            return OutcomeUnknown("unreadable_refund")
        return Succeeded(reference, amount, transaction_of(refund))
    if status in {"FAILED", "CANCELLED"}:
        return Declined(f"refund_{status.lower()}", reference=reference or None)
    return OutcomeUnknown("unreadable_refund")


def _no(resource: Json, status: str) -> Outcome:
    if status not in _REFUSED:
        return OutcomeUnknown("unreadable_status")
    code = text(resource, "processor_response", "response_code")
    return Declined(
        issues.PROCESSOR_RESPONSES.get(code, "declined"),
        retryable=code in issues.RETRYABLE_RESPONSES,
    )


def _moment(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def payments(order: Json, name: str) -> list[Json]:
    """The order's `captures`, `authorizations` or `refunds`."""
    return [
        payment
        for unit in each(order, "purchase_units")
        for payment in each(unit, "payments", name)
    ]


def most_telling(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Of several tries at one payment, the one that moved money, else the one that may."""
    order = (Succeeded, Authorized, OutcomeUnknown, Pending, Declined)
    ranked = sorted(outcomes, key=lambda outcome: order.index(type(outcome)))
    return ranked[0] if ranked else None
