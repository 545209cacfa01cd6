"""What an unmatched event says about money, as one JSON text, and back."""

import json
from dataclasses import fields
from typing import Any, Final

from order_core.money import Money
from order_core.outcomes import Declined, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact

_OUTCOMES: Final = {
    "succeeded": Succeeded,
    "reversed": Reversed,
    "restored": Restored,
    "declined": Declined,
}
_WORDS: Final = {outcome: word for word, outcome in _OUTCOMES.items()}


def facts_text(facts: tuple[ProviderFact, ...]) -> str | None:
    """None for no facts.

    Raises:
        KeyError: an outcome that says nothing about money which somebody else moved.
    """
    return json.dumps([_fact_row(fact) for fact in facts]) if facts else None


def facts_from(text: str | None) -> tuple[ProviderFact, ...]:
    """Of the column `facts`."""
    return tuple(_fact_from(row) for row in json.loads(text)) if text else ()


def _fact_row(fact: ProviderFact) -> dict[str, Any]:
    outcome = fact.outcome
    values = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    amount: Money | None = values.pop("amount", None)
    return {
        "kind": fact.kind.value,
        "outcome": _WORDS[type(outcome)],
        "amount_minor": amount.minor_units if amount else None,
        "currency": amount.currency if amount else None,
        "said": values,
        "reference": fact.reference,
        "transaction_id": fact.transaction_id,
        "installation": fact.installation,
        "parent_reference": fact.parent_reference,
        "sequence": fact.sequence,
    }


def _fact_from(row: dict[str, Any]) -> ProviderFact:
    said = dict(row["said"])
    if row["amount_minor"] is not None:
        said["amount"] = Money(row["amount_minor"], row["currency"])
    return ProviderFact(
        TransactionKind(row["kind"]),
        _OUTCOMES[row["outcome"]](**said),
        row["reference"],
        row["transaction_id"],
        row["installation"],
        row["parent_reference"],
        row.get("sequence"),
    )
