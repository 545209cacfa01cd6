"""What Square's events say, however they came here."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from order_core.outcomes import Authorized, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact, WebhookEvent
from order_square import answers
from order_square.sightings import (
    Unreadable,
    seen_dispute,
    seen_payment,
    seen_refund,
)

ABOUT_MONEY: Final = MappingProxyType(
    {
        "payment.created": "payment",
        "payment.updated": "payment",
        "refund.created": "refund",
        "refund.updated": "refund",
        "dispute.created": "dispute",
        "dispute.state.updated": "dispute",
    }
)
"""The events that are understood -> what each shows."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_LOST: Final = frozenset({"LOST", "ACCEPTED"})
_WON: Final = frozenset({"WON"})
_OPEN: Final = frozenset({"EVIDENCE_REQUIRED", "PROCESSING"})


class EventReader:
    """Reads the events of one location. Whom to believe is decided before."""

    def __init__(self, location_id: str) -> None:
        self._location_id = location_id

    def event(self, shown: object) -> WebhookEvent:
        """Raises: Unreadable."""
        fields = _object(shown)
        event_id, name = fields.get("event_id"), fields.get("type")
        if not isinstance(event_id, str) or not _NAME.fullmatch(event_id):
            raise Unreadable("no event id")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Unreadable("no event type")
        try:
            return WebhookEvent(event_id, name, self._facts(name, fields))
        except ValueError as error:
            raise Unreadable(f"{name} {event_id}: {error}") from error

    def _facts(self, name: str, fields: Mapping[str, object]) -> tuple[ProviderFact, ...]:
        match ABOUT_MONEY.get(name):
            case "payment":
                return self._payment_facts(_part(fields, "payment"))
            case "refund":
                return self._refund_facts(_part(fields, "refund"))
            case "dispute":
                return self._dispute_facts(_part(fields, "dispute"))
        return ()

    def _payment_facts(self, shown: object) -> tuple[ProviderFact, ...]:
        payment = seen_payment(shown)
        if self._is_elsewhere(payment.location_id):
            return ()
        outcome = answers.of_payment(payment)
        kind = payment.mark.kind if payment.mark else TransactionKind.CHARGE
        if kind is TransactionKind.AUTHORIZATION and isinstance(outcome, Succeeded):
            # Captured, but the payment does not say by which request. Told as a fact, it could
            # overtake our own capture's answer and look like money that nobody asked for; the
            # look-up finds it.
            return ()
        if isinstance(outcome, Authorized) and payment.mark is None:
            kind = TransactionKind.AUTHORIZATION
        mark = payment.mark
        return (
            ProviderFact(
                kind=kind,
                outcome=outcome,
                reference=payment.id,
                transaction_id=mark.transaction_id if mark else None,
                installation=mark.installation if mark else None,
            ),
        )

    def _refund_facts(self, shown: object) -> tuple[ProviderFact, ...]:
        refund = seen_refund(shown)
        if self._is_elsewhere(refund.location_id):
            return ()
        mark = refund.mark
        return (
            ProviderFact(
                kind=TransactionKind.REFUND,
                outcome=answers.of_refund(refund),
                reference=refund.id,
                transaction_id=mark.transaction_id if mark else None,
                installation=mark.installation if mark else None,
                parent_reference=refund.payment_id,
            ),
        )

    def _dispute_facts(self, shown: object) -> tuple[ProviderFact, ...]:
        dispute = seen_dispute(shown)
        if self._is_elsewhere(dispute.location_id) or dispute.state not in _LOST | _OPEN | _WON:
            # A mere inquiry takes no money.
            return ()
        because = f"dispute_{dispute.reason}"
        outcome = (
            Restored(dispute.id, dispute.amount, because)
            if dispute.state in _WON
            else Reversed(dispute.id, dispute.amount, because, open=dispute.state in _OPEN)
        )
        return (
            ProviderFact(
                kind=TransactionKind.REVERSAL,
                outcome=outcome,
                reference=dispute.id,
                parent_reference=dispute.payment_id,
                sequence=dispute.version,
            ),
        )

    def _is_elsewhere(self, location_id: str | None) -> bool:
        return location_id is not None and location_id != self._location_id


def _part(fields: Mapping[str, object], name: str) -> object:
    return _object(_object(fields.get("data")).get("object")).get(name)


def _object(shown: object) -> Mapping[str, object]:
    if not isinstance(shown, Mapping):
        raise Unreadable("not an object")
    return shown
