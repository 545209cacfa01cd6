"""One payment in the pretended Square's books, and one refund of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

HOLD: Final = timedelta(hours=168)


def stamp(moment: datetime) -> str:
    """The moment as Square writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Payment:
    """A payment. `amount` is what it will take, or took; `approved` what the bank allowed."""

    id: str
    key: str
    created_at: datetime
    updated_at: datetime
    amount: int
    currency: str
    status: str
    source_type: str
    location_id: str
    autocomplete: bool
    reference_id: str | None = None
    note: str | None = None
    customer_id: str | None = None
    delay_action: str = "CANCEL"
    failure: str | None = None
    approved: int = 0
    version: int = 1
    refunds: list["Refund"] = field(default_factory=list)

    @property
    def version_token(self) -> str:
        return f"{self.id}-v{self.version}"

    @property
    def given_back(self) -> int:
        """What was refunded, or is about to be."""
        return sum(refund.amount for refund in self.refunds if refund.status != "FAILED")

    def changed(self, at: datetime, status: str | None = None) -> None:
        self.status = status or self.status
        self.updated_at = at
        self.version += 1

    def shown(self) -> dict[str, Any]:
        """The payment as the API shows it. What is not set is not there."""
        money = {"amount": self.amount, "currency": self.currency}
        shown: dict[str, Any] = {
            "id": self.id,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
            "amount_money": money,
            "total_money": money,
            "status": self.status,
            "source_type": self.source_type,
            "location_id": self.location_id,
            "version_token": self.version_token,
        }
        if self.source_type == "CARD":
            shown |= {
                "delay_duration": "PT168H",
                "delay_action": self.delay_action,
                "delayed_until": stamp(self.created_at + HOLD),
                "card_details": self._card(),
            }
        if self.approved:
            shown["approved_money"] = {"amount": self.approved, "currency": self.currency}
        if self.refunds:
            shown["refund_ids"] = [refund.id for refund in self.refunds]
            shown["refunded_money"] = {"amount": self.given_back, "currency": self.currency}
        named = {
            "reference_id": self.reference_id,
            "note": self.note,
            "customer_id": self.customer_id,
        }
        return shown | {name: value for name, value in named.items() if value is not None}

    def _card(self) -> dict[str, Any]:
        states = {"COMPLETED": "CAPTURED", "APPROVED": "AUTHORIZED", "CANCELED": "VOIDED"}
        details: dict[str, Any] = {
            "status": states.get(self.status, "FAILED"),
            "card": {"card_brand": "VISA", "last_4": "5858", "exp_month": 12, "exp_year": 2040},
        }
        if self.failure is not None:
            details["errors"] = [
                {
                    "category": "PAYMENT_METHOD_ERROR",
                    "code": self.failure,
                    "detail": f"Emulated: {self.failure}.",
                }
            ]
        return details


@dataclass(slots=True)
class Refund:
    """A refund; Square begins each as PENDING."""

    id: str
    payment: Payment
    created_at: datetime
    updated_at: datetime
    amount: int
    reason: str | None
    status: str = "PENDING"

    def shown(self) -> dict[str, Any]:
        """The refund as the API shows it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "status": self.status,
            "location_id": self.payment.location_id,
            "unlinked": False,
            "destination_type": self.payment.source_type,
            "amount_money": {"amount": self.amount, "currency": self.payment.currency},
            "payment_id": self.payment.id,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
        }
        return shown if self.reason is None else {**shown, "reason": self.reason}
