"""Stripe's form bodies: `metadata[order_id]=7&expand[0]=latest_charge`."""

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from order_emulators.stripe.refusals import invalid

Form = dict[str, Any]

_PART: Final = re.compile(r"[^\[\]]+")
_MOST_FIELDS: Final = 500


def read_form(body: bytes) -> Form:
    """The body as nested dictionaries; lists are dictionaries by number."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise invalid(f"Invalid request body: {error}") from error
    return nested(pairs)


def nested(pairs: Iterable[tuple[str, str]]) -> Form:
    """Bracketed names as nested dictionaries."""
    form: Form = {}
    for name, value in pairs:
        parts = _PART.findall(name)
        if not parts:
            raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown")
        place = form
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise invalid(f"Invalid object: {parts[0]}", param=parts[0])
        place[parts[-1]] = value
    return form


def only(form: Form, known: Iterable[str]) -> None:
    """Refuse what the endpoint does not know."""
    for name in form:
        if name not in known:
            raise invalid(
                f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
            )


def integer(form: Form, name: str, default: int | None = None) -> int:
    """A whole number."""
    text = form.get(name)
    if text is None and default is not None:
        return default
    if text is None:
        raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise invalid(f"Invalid integer: {text}", param=name, code="parameter_invalid_integer")
    return int(text)


def text(form: Form, name: str) -> str | None:
    """A text, None if it is not there; empty ones are refused."""
    value = form.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise invalid(
            f"You passed an empty string for '{name}'.", param=name, code="parameter_invalid_empty"
        )
    return value


def one_of(form: Form, name: str, choices: tuple[str, ...], default: str) -> str:
    """One of a few words."""
    value = text(form, name) or default
    if value not in choices:
        raise invalid(f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
    return value


def metadata(form: Form) -> dict[str, str]:
    """At most 50 keys of 40 characters, with values of 500."""
    found = form.get("metadata", {})
    if found == "":
        return {}
    good = isinstance(found, dict) and len(found) <= 50  # noqa: PLR2004 - in the line above
    if not good or not all(
        isinstance(value, str) and len(name) <= 40 and len(value) <= 500  # noqa: PLR2004
        for name, value in found.items()
    ):
        raise invalid("Invalid metadata", param="metadata")
    return dict(found)


def expansions(form: Form) -> set[str]:
    """What to show in full."""
    wanted = form.get("expand", {})
    return set(wanted.values()) if isinstance(wanted, dict) else {wanted}
