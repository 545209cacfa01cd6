"""Reads the query of a list, and names the next page."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from order_core.errors import InvalidValue
from order_core.order_status import OrderStatus
from order_core.ports import OrderQuery
from order_core.ports.token_verifier import Principal
from order_core.text import checked_text
from order_http.authentication import MANAGE, is_staff, lacks
from order_http.cursor import BrokenCursor, decode_cursor, encode_cursor
from order_http.problems import FieldError, invalid

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 10_000
"""Skipping costs as much as reading; who goes further follows the cursor."""

LONGEST_CUSTOMER_ID: Final = 200
FILTERS: Final = ("status", "created_after", "created_before", "customer_id")
NAMES: Final = frozenset({"limit", "offset", "cursor", *FILTERS})

_INTEGER: Final = re.compile(r"[0-9]{1,6}")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What the query of a list asks for, whoever asks."""

    limit: int
    offset: int
    before: tuple[datetime, str] | None
    statuses: frozenset[OrderStatus] | None
    created_after: datetime | None
    created_before: datetime | None
    customer_id: str | None
    filters: str
    """As the address of the next page has them, with what joins them to the rest."""

    def of(self, principal: Principal) -> OrderQuery:
        """Of the caller's own orders, or for staff of everybody's.

        Raises:
            Problem: 403 for the orders of somebody else without the scope for that.
        """
        staff = is_staff(principal)
        if not staff and self.customer_id not in {None, principal.subject}:
            raise lacks(MANAGE)
        return OrderQuery(
            self.customer_id if staff else principal.subject,
            limit=self.limit,
            offset=self.offset,
            before=self.before,
            statuses=self.statuses,
            created_after=self.created_after,
            created_before=self.created_before,
        )

    def next_page(self, root: str, before: tuple[datetime, str]) -> str:
        """The `Link` header of the page whose orders come after the one of `before`."""
        # Nothing in a cursor has to be escaped.
        query = f"{self.filters}limit={self.limit}&cursor={encode_cursor(*before)}"
        return f'<{root}/api/orders/?{query}>; rel="next"'


@lru_cache(maxsize=256)
def list_request(query_string: bytes) -> ListRequest:
    """What the query says. Nearly all lists are asked for by the same few, so they are kept read.

    Raises:
        Problem: 422, with every parameter that breaks a rule.
    """
    query = QueryParams(query_string)
    reader = _Reader(query)
    limit = reader.read("limit", lambda text: _integer(text, 1, MAX_LIMIT))
    offset = reader.read("offset", lambda text: _integer(text, 0, MAX_OFFSET))
    before = reader.read("cursor", _cursor)
    if "cursor" in query and "offset" in query:
        reader.refuse("offset", "excluded", "cannot be combined with cursor")
    statuses = reader.statuses()
    created_after = reader.read("created_after", _time)
    created_before = reader.read("created_before", _time)
    customer_id = reader.read("customer_id", _customer_id)
    if reader.errors:
        raise invalid(reader.errors)
    kept = [(name, value) for name, value in query.multi_items() if name in FILTERS]
    return ListRequest(
        limit=DEFAULT_LIMIT if limit is None else limit,
        offset=offset or 0,
        before=before,
        statuses=statuses,
        created_after=created_after,
        created_before=created_before,
        customer_id=customer_id,
        filters=f"{urlencode(kept)}&" if kept else "",
    )


class _Reader:
    def __init__(self, query: QueryParams) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in query.multi_items():
            self._given.setdefault(name, []).append(value)
        self.errors: list[FieldError] = []

    def refuse(self, name: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(f"?{name}", code, detail))

    def read(self, name: str, parse: Callable[[str], T]) -> T | None:
        values = self._given.get(name)
        if not values:
            return None
        if len(values) > 1:
            self.refuse(name, "repeated", "must come once")
            return None
        try:
            return parse(values[0])
        except _RefusedError as refusal:
            self.refuse(name, refusal.code, refusal.detail)
            return None

    def statuses(self) -> frozenset[OrderStatus] | None:
        given = self._given.get("status")
        if not given:
            return None
        try:
            return frozenset(OrderStatus(name) for text in given for name in text.split(","))
        except ValueError:
            known = ", ".join(OrderStatus)
            self.refuse("status", "unknown_status", f"must be one or more of {known}")
            return None


class _RefusedError(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def _integer(text: str, least: int, most: int) -> int:
    if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
        raise _RefusedError("out_of_range", f"must be an integer between {least} and {most}")
    return int(text)


def _cursor(text: str) -> tuple[datetime, str]:
    try:
        return decode_cursor(text)
    except BrokenCursor:
        raise _RefusedError(
            "broken_cursor", "is not a cursor of this service; take it from Link"
        ) from None


def _customer_id(text: str) -> str:
    try:
        return checked_text(text, longest=LONGEST_CUSTOMER_ID)
    except InvalidValue as refusal:
        raise _RefusedError(refusal.code, refusal.because) from None


def _time(text: str) -> datetime:
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _RefusedError("not_a_time", "must be an RFC 3339 time (in a query, + is written %2B)")
