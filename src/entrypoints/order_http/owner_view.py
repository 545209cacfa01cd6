"""An order as its owner sees it, as the JSON text that the API answers with."""

from typing import Final

import orjson

from order_core.order import Order
from order_http.order_json import order_json


class JsonView:
    """An `OwnerView`: `order_json`, written down. Stores keep the text, so it has an edition."""

    edition: Final = "json-1"
    """Another one whenever `order_json` says anything else of any order: what is stored in the
    edition before is then written anew when it is read."""

    def text_of(self, order: Order, /) -> str:
        """A JSON object."""
        return orjson.dumps(order_json(order)).decode()


OWNER_VIEW: Final = JsonView()
