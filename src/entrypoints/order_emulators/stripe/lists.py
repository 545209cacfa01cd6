"""Stripe's lists: newest first, in pages."""

import operator
from collections.abc import Callable, Iterable
from typing import Final

from order_emulators.stripe.books import Json
from order_emulators.stripe.form import Form, integer, only, text
from order_emulators.stripe.refusals import invalid, missing

_MOST: Final = 100
_TESTS: Final[dict[str, Callable[[int, int], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def a_page(url: str, objects: Iterable[Json], query: Form, fields: tuple[str, ...]) -> Json:
    """A page of `objects` (oldest first), filtered by `created` and the given fields."""
    only(query, ("created", "ending_before", "expand", "limit", "starting_after", *fields))
    if "ending_before" in query:
        raise invalid("ending_before is not emulated", param="ending_before")
    limit = integer(query, "limit", 10)
    if not 1 <= limit <= _MOST:
        raise invalid("Invalid limit: must be from 1 to 100", param="limit")
    rows = [row for row in reversed(list(objects)) if _fits(row, query, fields)]
    after = text(query, "starting_after")
    if after:
        ids = [row["id"] for row in rows]
        if after not in ids:
            raise missing("object", after, "starting_after", 400)
        rows = rows[ids.index(after) + 1 :]
    return {"object": "list", "url": url, "has_more": len(rows) > limit, "data": rows[:limit]}


def _fits(row: Json, query: Form, fields: tuple[str, ...]) -> bool:
    if any(field in query and row.get(field) != query[field] for field in fields):
        return False
    created = query.get("created", {})
    if isinstance(created, str):
        return bool(row["created"] == integer(query, "created"))
    only(created, _TESTS)
    return all(_TESTS[name](row["created"], integer(created, name)) for name in created)
