"""One movement of money as the pretended provider has it in its books."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from sqlite3 import Row
from typing import Final, NamedTuple

from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    Outcome,
    Pending,
    Succeeded,
)
from order_core.payment import TransactionKind

_HELD_FOR: Final = timedelta(days=7)


class Standing(StrEnum):
    """Where a movement stands at the provider."""

    BEGUN = "begun"
    ACTION_REQUIRED = "action_required"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    AUTHORIZED = "authorized"
    DECLINED = "declined"
    VOIDED = "voided"


class Movement(NamedTuple):
    """What the provider did, with the metadata that came with the request."""

    reference: str
    transaction_id: str
    order_id: str
    installation: str
    kind: TransactionKind
    amount: Money
    standing: Standing
    token: str
    reason: str
    retryable: bool
    parent_reference: str | None
    return_url: str | None
    at: datetime

    @classmethod
    def of_row(cls, row: Row) -> "Movement":
        """The movement of a row of the table."""
        return cls(
            reference=row["reference"],
            transaction_id=row["transaction_id"],
            order_id=row["order_id"],
            installation=row["installation"],
            kind=TransactionKind(row["kind"]),
            amount=Money(row["minor_units"], row["currency"]),
            standing=Standing(row["standing"]),
            token=row["token"],
            reason=row["reason"],
            retryable=bool(row["retryable"]),
            parent_reference=row["parent_reference"],
            return_url=row["return_url"],
            at=datetime.fromtimestamp(row["at"], UTC),
        )

    def row(self) -> tuple[str | int | None, ...]:
        """The values of the table's first columns behind the number, without the moment."""
        return (
            self.reference,
            self.transaction_id,
            self.order_id,
            self.installation,
            # SQLite's driver would look for an adapter of what is not quite a str.
            str(self.kind),
            self.amount.minor_units,
            self.amount.currency,
            str(self.standing),
            self.token,
            self.reason,
            self.retryable,
            self.parent_reference,
            self.return_url,
        )

    def outcome(self, public_url: str) -> Outcome:
        """What the provider says about the movement now."""
        match self.standing:
            case Standing.BEGUN:
                return Continue(self.reference)
            case Standing.ACTION_REQUIRED:
                return ActionRequired(self.reference, f"{public_url}/sandbox/{self.reference}")
            case Standing.PENDING:
                return Pending(self.reference)
            case Standing.SUCCEEDED:
                return Succeeded(self.reference, self.amount, self.transaction_id)
            case Standing.AUTHORIZED:
                until = self.at + _HELD_FOR
                return Authorized(self.reference, self.amount, self.transaction_id, until)
            case Standing.DECLINED:
                return Declined(self.reason, self.retryable, self.reference)
            case Standing.VOIDED:
                return Declined("voided", reference=self.reference)
