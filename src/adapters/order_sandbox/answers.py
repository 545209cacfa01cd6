"""Answers as text, for the memory of which key was answered how."""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    Outcome,
    OutcomeUnknown,
    Pending,
    Succeeded,
)

_TYPES: Final[dict[str, type[Outcome]]] = {
    kind.__name__: kind
    for kind in (
        ActionRequired,
        Authorized,
        Continue,
        Declined,
        OutcomeUnknown,
        Pending,
        Succeeded,
    )
}
_NAMES_OF: Final[dict[type[Outcome], list[str]]] = {
    kind: [field.name for field in fields(kind)] for kind in _TYPES.values()
}


def written(answer: Outcome) -> str:
    """The answer as text. Only what a provider remembers can be written."""
    kind = type(answer)
    if kind.__name__ not in _TYPES:
        raise TypeError(f"no provider remembers {answer}")
    values = {name: _plain(getattr(answer, name)) for name in _NAMES_OF[kind]}
    return json.dumps([kind.__name__, values])


def read(text: str) -> Outcome:
    """The answer that `written` wrote."""
    name, values = json.loads(text)
    if "amount" in values:
        values["amount"] = Money(*values["amount"])
    if values.get("capture_before"):
        values["capture_before"] = datetime.fromisoformat(values["capture_before"])
    return _TYPES[name](**values)


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, Money):
        return [value.minor_units, value.currency]
    return value.isoformat() if isinstance(value, datetime) else value
