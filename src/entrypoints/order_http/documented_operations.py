"""Every operation of the service, for the OpenAPI document."""

from typing import Final

from pydantic import BaseModel

from order_core.order_status import UNPLACED, OrderStatus
from order_http import answer_schemas as answers
from order_http import openapi_examples as examples
from order_http.authentication import MANAGE, READ, WRITE
from order_http.cursor import LONGEST as LONGEST_CURSOR
from order_http.list_query import DEFAULT_LIMIT, LONGEST_CUSTOMER_ID, MAX_LIMIT, MAX_OFFSET
from order_http.operation import Answer, Json, Operation, reference
from order_http.order_body import OrderBody
from order_http.receive_webhook import WEBHOOK_PATH
from order_http.staff_bodies import RefundBody, ReviewBody, ShipBody

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


def _staff_operation(
    action: str,
    operation_id: str,
    summary: str,
    answers_of: dict[int, Answer],
    *,
    codes: tuple[str, ...],
    body: type[BaseModel] | None = None,
    body_example: Json | None = None,
    body_is_optional: bool = False,
) -> Operation:
    return Operation(
        "post",
        f"/api/orders/{{order_id}}/{action}",
        operation_id,
        summary,
        answers_of,
        codes=("order_not_found", *codes, *_PROBLEMS_OF_WORK),
        scope=MANAGE,
        parameters=(_ORDER_ID, _KEY),
        body=body,
        body_example=body_example,
        body_is_optional=body_is_optional,
    )


def _under_way(what: str, example: Json) -> Answer:
    return Answer(f"{what}: read the order again.", answers.Order, example, ("Retry-After",))


_PROBLEMS_OF_BODIES: Final = (
    "bad_request",
    "malformed_json",
    "body_too_slow",
    "unsupported_media_type",
)
_REFUND_UNDER_WAY: Final = _under_way("The money is on its way back", examples.REFUNDED_ORDER)
_STAFF_OPERATIONS: Final = (
    _staff_operation(
        "process",
        "processOrder",
        "Begin to process an order; what is only held for it is taken first",
        {
            200: Answer("The order is being processed.", answers.Order, examples.STAFFS_ORDER),
            202: _under_way("The money is being taken", examples.STAFFS_ORDER),
        },
        codes=("cannot_process",),
    ),
    _staff_operation(
        "ship",
        "shipOrder",
        "Note that a parcel of an order left; the customer is told",
        {200: Answer("The order is shipped.", answers.Order, examples.SHIPPED_ORDER)},
        codes=("cannot_ship", *_PROBLEMS_OF_BODIES),
        body=ShipBody,
        body_example=examples.SHIP_BODY,
    ),
    _staff_operation(
        "deliver",
        "deliverOrder",
        "Note that an order arrived",
        {200: Answer("The order is delivered.", answers.Order, examples.SHIPPED_ORDER)},
        codes=("cannot_deliver",),
    ),
    _staff_operation(
        "refunds",
        "refundOrder",
        "Give back what was paid, or a part of it",
        {
            200: Answer("The money went back.", answers.Order, examples.REFUNDED_ORDER),
            202: _REFUND_UNDER_WAY,
        },
        codes=("cannot_refund", *_PROBLEMS_OF_BODIES),
        body=RefundBody,
        body_example=examples.REFUND_BODY,
        body_is_optional=True,
    ),
    _staff_operation(
        "review",
        "reviewOrder",
        "Decide about a movement of money that is in review",
        {
            200: Answer("The decision is kept.", answers.Order, examples.STAFFS_ORDER),
            202: _REFUND_UNDER_WAY,
        },
        codes=("cannot_review", "raw_card_number", *_PROBLEMS_OF_BODIES),
        body=ReviewBody,
        body_example=examples.REVIEW_BODY,
    ),
)

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
            "quote_refused",
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
        "List your orders, newest first; staff lists those of all customers",
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
            _query(
                "customer_id",
                "Only this customer's; staff may name any, and sees everybody's without it.",
                {"type": "string", "minLength": 1, "maxLength": LONGEST_CUSTOMER_ID},
            ),
        ),
    ),
    Operation(
        "get",
        "/api/orders/{order_id}",
        "getOrder",
        "Read one of your orders; staff reads any",
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
        "/api/orders/{order_id}/tracking",
        "getOrderTracking",
        "Read with which carrier the parcels of an order went",
        {200: Answer("Every parcel that left.", answers.Tracking, examples.TRACKING)},
        codes=_PROBLEMS_OF_ONE_ORDER,
        scope=READ,
        parameters=(_ORDER_ID,),
    ),
    *_STAFF_OPERATIONS,
    Operation(
        "post",
        WEBHOOK_PATH,
        "receiveWebhook",
        "Where a payment provider sends its events, signed in its own way",
        {200: Answer("The event is stored.", answers.ReceivedEvent, examples.RECEIVED)},
        codes=(
            "bad_request",
            "webhook_rejected",
            "webhook_not_found",
            "body_too_slow",
            "webhook_unverifiable",
            "store_unavailable",
            "overloaded",
            "outcome_unknown",
        ),
        parameters=({"$ref": "#/components/parameters/Provider"},),
        body={"description": "What the provider signs: its raw bytes are verified first."},
        body_example=examples.EVENT,
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
