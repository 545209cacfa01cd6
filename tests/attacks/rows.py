"""For every route, the request that its rightful caller may make, and others try to.

A route that is not here has not been attacked, and the build fails.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from order_http.desk import ORDER_PATH
from order_http.endpoint import Endpoint, Guarded

Route = tuple[str, str]

# Each of these belongs to the victim's order alone, so that it can be looked for in every answer.
BODY_OF_VICTIM: dict[str, Any] = {
    "items": [{"product_id": "victims-teapot", "quantity": 3, "price": "47.11"}],
    "shipping_address": "7 Victim Street, Galway",
    "email": "victim@private.example",
    "payment_method": "ok",
}
SECRETS = (
    *("victims-teapot", "47.11", "141.33", "Victim Street", "victim@private.example"),
    "customer-victim",
)
BODY_OF_ORDER: dict[str, Any] = {
    "items": [{"product_id": "attackers-mug", "quantity": 1, "price": "2.50"}],
    "shipping_address": "9 Attacker Row, Cork",
    "payment_method": "ok",
    # It is tried more than once, and a guard against double clicks is not what is looked at.
    "allow_duplicate": True,
}


@dataclass(frozen=True)
class Row:
    """`right` is the status that tells that a caller got past the door."""

    right: int = 200
    body: Mapping[str, Any] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """What to put into the path, beside the id of the victim's order."""
    query: Mapping[str, str] = field(default_factory=dict)


_REVIEW = {"transaction_id": "nobodys", "decision": "note", "note": "I looked at it."}
# The victim's order has nothing to review: to be told so is to be past the door.
ROWS: dict[Route, Row] = {
    ("POST", "/api/orders/create"): Row(201, BODY_OF_ORDER),
    ("GET", "/api/orders/"): Row(query={"limit": "100"}),
    ("GET", "/api/orders"): Row(query={"limit": "100"}),
    ("GET", ORDER_PATH): Row(),
    ("POST", f"{ORDER_PATH}/cancel"): Row(),
    ("GET", f"{ORDER_PATH}/history"): Row(),
    ("GET", f"{ORDER_PATH}/tracking"): Row(),
    ("POST", f"{ORDER_PATH}/process"): Row(),
    # It is not being processed: to be told so is to be past the door.
    ("POST", f"{ORDER_PATH}/ship"): Row(409, {"carrier": "DHL", "tracking_number": "JD0146"}),
    ("POST", f"{ORDER_PATH}/deliver"): Row(409),
    ("POST", f"{ORDER_PATH}/refunds"): Row(200, {"amount": "1.00"}),
    ("POST", f"{ORDER_PATH}/review"): Row(409, _REVIEW),
}
OPEN_ROWS: dict[Route, Row] = {
    ("POST", "/api/webhooks/{provider}"): Row(404, BODY_OF_ORDER, {"provider": "nobody"}),
    ("GET", "/health/live"): Row(),
    ("GET", "/health/ready"): Row(),
    ("GET", "/metrics"): Row(),
    ("GET", "/openapi.json"): Row(),
    ("GET", "/docs"): Row(),
    ("GET", "/docs/rapidoc.js"): Row(),
}
"""Of routes that ask for no token: `right` is what everybody gets."""


def route_of(endpoint: Endpoint) -> Route:
    return endpoint.method, endpoint.path


def unattacked(
    endpoints: Iterable[Endpoint],
    guarded: Collection[Route] = frozenset(ROWS),
    public: Collection[Route] = frozenset(OPEN_ROWS),
) -> set[Route]:
    """The routes that no row attacks in the way in which they are to be attacked."""
    return {
        route_of(endpoint)
        for endpoint in endpoints
        if route_of(endpoint) not in (guarded if isinstance(endpoint, Guarded) else public)
    }
