"""Finding our payment or refund at Square, which cannot be asked for our own reference.

Lists are read by time, and may be some seconds behind. A list is not narrowed by the amount: a
payment of another amount than ours must be found too.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from order_core.payment import PaymentTransaction
from order_square.sightings import Unreadable

_PAGE: Final = 100
_MOST_PAGES: Final = 50
_CLOCKS_DIFFER: Final = timedelta(minutes=5)

Fields = Mapping[str, object]


class TooMany(RuntimeError):
    """There were more payments in that time than can be read within one call."""


class Page(Protocol):
    """What the SDK's pager shows of one page."""

    @property
    def response(self) -> Any: ...  # noqa: ANN401 - the SDK's own model


def span(transaction: PaymentTransaction, now: datetime) -> dict[str, str]:
    """The time in which Square may have made it."""
    begin = transaction.recorded_at - _CLOCKS_DIFFER
    end = transaction.send_until + transaction.horizon + _CLOCKS_DIFFER
    times = {"begin_time": begin}
    if end < now:
        # Left out as long as it is to come, when Square's own "now" is the right end.
        times["end_time"] = end
    return {name: moment.isoformat() for name, moment in times.items()}


async def everything(
    ask: Callable[..., Awaitable[Page]], field: str, query: Mapping[str, Any]
) -> list[Fields]:
    """Every element of the list `field`, oldest first.

    Raises:
        TooMany: it does not end within the pages that one call may read.
        Unreadable: it is no list.
    """
    found: list[Fields] = []
    cursor: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = await ask(**query, **cursor, sort_order="ASC", limit=_PAGE)
        shown = page.response.model_dump(warnings=False)
        found.extend(_elements(shown.get(field)))
        if not shown.get("cursor"):
            return found
        cursor = {"cursor": str(shown["cursor"])}
    raise TooMany(field)


def _elements(shown: object) -> Iterator[Fields]:
    if shown is not None and not isinstance(shown, list):
        raise Unreadable("no list")
    for element in shown or ():
        if not isinstance(element, Mapping):
            raise Unreadable("no object in a list")
        yield element
