"""An order as its owner sees it, as the JSON text that the API answers with."""

from typing import Final

import orjson

from order_core.immutable import replace
from order_core.order import Order
from order_http.order_json import order_json

_MOST_KEPT: Final = 64


class JsonView:
    """An `OwnerView`: `order_json`, written down. Stores keep the text, so it has an edition."""

    edition: Final = "json-1"
    """Another one whenever `order_json` says anything else of any order: what is stored in the
    edition before is then written anew when it is read."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[Order, str]] = {}

    def text_of(self, order: Order, /) -> str:
        """A JSON object."""
        # Whoever changes an order is answered with what was just written down with it.
        same, text = self._latest.pop(order.id, (None, ""))
        if same and replace(same, version=order.version, news=order.news) == order:
            return text
        if len(self._latest) >= _MOST_KEPT:
            del self._latest[next(iter(self._latest))]
        text = orjson.dumps(order_json(order)).decode()
        self._latest[order.id] = order, text
        return text


OWNER_VIEW: Final = JsonView()
