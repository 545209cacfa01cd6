"""Every operation of the service, for the OpenAPI document."""

from typing import Final

from order_core.order_status import UNPLACED, OrderStatus
from order_http import answer_schemas as answers
from order_http import openapi_examples as examples
from order_http.authentication import READ, WRITE
from order_http.cursor import LONGEST as LONGEST_CURSOR
from order_http.list_query import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from order_http.operation import Answer, Json, Operation, reference
from order_http.order_body import OrderBody

_PROBLEMS_OF_ONE_ORDER: Final = ("not_your_order", "order_not_found", "store_unavailable")
_PROBLEMS_OF_WORK: Final = (
    "invalid_idempotency_key",
    "idempotency_key_reused",
    "store_unavailable",
    "provider_unavailable",
    "overloaded",
    "outcome_unknown",
)


def _query(name: str, meaning: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": meaning, "schema": schema}


_ORDER_ID: Final = {"$ref": "#/components/parameters/OrderId"}
_KEY: Final = {"$ref": "#/components/parameters/IdempotencyKey"}
_TIME: Final = {"type": "string", "format": "date-time"}

OPERATIONS: Final = (
    Operation(
        "post",
        "/api/orders/create",
        "createOrder",
        "Place an order and pay for it",
        {
            201: Answer("The order is placed.", answers.Order, examples.ORDER, ("Location",)),
            202: Answer(
                "The buyer must act, or the provider has not answered yet: read the order.",
                answers.Order,
                examples.OPEN_ORDER,
                ("Location", "Retry-After"),
            ),
        },
        codes=(
            "bad_request",
            "malformed_json",
            "payment_declined",
            "payment_failed",
            "body_too_slow",
            "possible_duplicate",
            "payment_method_in_use",
            "unsupported_media_type",
            "price_mismatch",
            "unknown_provider",
            "raw_card_number",
            "request_in_progress",
            *_PROBLEMS_OF_WORK,
        ),
        scope=WRITE,
        parameters=(_KEY,),
        body=OrderBody,
        body_example=examples.ORDER_BODY,
    ),
    Operation(
        "get",
        "/api/orders/",
        "listOrders",
        "List your orders, newest first",
        {
            200: Answer(
                "A page of orders.",
                {"type": "array", "items": reference(answers.Order), "maxItems": MAX_LIMIT},
                [examples.ORDER],
                ("Link",),
            )
        },
        codes=("store_unavailable",),
        scope=READ,
        parameters=(
            _query(
                "limit",
                "The size of the page.",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
            ),
            _query(
                "offset",
                "How many to skip. Not together with cursor.",
                {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
            ),
            _query(
                "cursor",
                "Where the page begins; take it from Link.",
                {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": LONGEST_CURSOR},
            ),
            _query(
                "status",
                "Only these; repeated, or with commas. Without it, all but "
                f"{' and '.join(sorted(UNPLACED))}.",
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "enum": [status.value for status in OrderStatus]},
                },
            ),
            _query("created_after", "Only orders of this time or later.", _TIME),
            _query("created_before", "Only orders earlier than this.", _TIME),
        ),
    ),
    Operation(
        "get",
        "/api/orders/{order_id}",
        "getOrder",
        "Read one of your orders",
        {200: Answer("The order.", answers.Order, examples.ORDER)},
        codes=_PROBLEMS_OF_ONE_ORDER,
        scope=READ,
        parameters=(_ORDER_ID,),
    ),
    Operation(
        "post",
        "/api/orders/{order_id}/cancel",
        "cancelOrder",
        "Cancel an order and get the money back; repeating it is harmless",
        {200: Answer("The order is cancelled.", answers.Cancelled, examples.CANCELLED)},
        codes=(*_PROBLEMS_OF_ONE_ORDER[:2], "cannot_cancel", *_PROBLEMS_OF_WORK),
        scope=WRITE,
        parameters=(_ORDER_ID, _KEY),
    ),
    Operation(
        "get",
        "/api/orders/{order_id}/history",
        "getOrderHistory",
        "Read what happened to an order, oldest first",
        {
            200: Answer(
                "Every event of the order.",
                {"type": "array", "items": reference(answers.HistoryEntry)},
                examples.HISTORY,
            )
        },
        codes=_PROBLEMS_OF_ONE_ORDER,
        scope=READ,
        parameters=(_ORDER_ID,),
    ),
    Operation(
        "get",
        "/health/live",
        "isLive",
        "Whether the process answers",
        {200: Answer("It does.", answers.Health, {"status": "live"})},
    ),
    Operation(
        "get",
        "/health/ready",
        "isReady",
        "Whether orders can be placed",
        {200: Answer("They can.", answers.Health, {"status": "ready"})},
        codes=("not_ready",),
    ),
    Operation(
        "get",
        "/metrics",
        "getMetrics",
        "Figures for Prometheus",
        {
            200: Answer(
                "The exposition.",
                {"type": "string"},
                "order_core_open_charges 0.0\n",
                media_type="text/plain",
            )
        },
    ),
)
