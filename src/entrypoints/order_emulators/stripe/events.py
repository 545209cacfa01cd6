"""Stripe's record of its events: what it told, whether or not anybody heard it."""

import json
from fnmatch import fnmatchcase
from typing import Final

from order_emulators.stripe.books import Books, Json
from order_emulators.stripe.form import Form, only, text
from order_emulators.stripe.lists import a_page
from order_emulators.stripe.refusals import invalid, missing

_MOST_TYPES: Final = 20


def one(books: Books, reference: str, query: Form) -> Json:
    """`GET /v1/events/{id}`."""
    only(query, ("expand",))
    for row in books.record():
        if row["id"] == reference:
            return _shown(row)
    raise missing("event", reference, "id")


def some(books: Books, query: Form) -> Json:
    """`GET /v1/events`."""
    if "delivery_success" in query:
        raise invalid("delivery_success is not emulated", param="delivery_success")
    patterns = _patterns(query)
    rows = [
        row
        for row in books.record()
        if not patterns or any(fnmatchcase(row["type"], pattern) for pattern in patterns)
    ]
    rest = {name: value for name, value in query.items() if name not in {"type", "types"}}
    page = a_page("/v1/events", rows, rest, ())
    return {**page, "data": [_shown(row) for row in page["data"]]}


def _patterns(query: Form) -> list[str]:
    """The types that are asked for; none means all."""
    names = query.get("types", {})
    if "types" in query and "type" in query:
        raise invalid("You may only specify one of these parameters: type, types.")
    if not isinstance(names, dict) or len(names) > _MOST_TYPES:
        raise invalid(f"Invalid array: up to {_MOST_TYPES} types", param="types")
    one_type = text(query, "type")
    return [one_type] if one_type else [text(names, each) or "" for each in names]


def _shown(row: Json) -> Json:
    shown: Json = json.loads(row["payload"])
    return shown
