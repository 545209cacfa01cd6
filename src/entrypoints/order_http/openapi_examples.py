"""Examples that the OpenAPI document shows. A test sends and compares them."""

from typing import Any, Final

ORDER_BODY: Final[dict[str, Any]] = {
    "items": [{"product_id": "teapot-blue", "quantity": 2, "price": 24.5}],
    "shipping_address": {"name": "Ada Byron", "street": "12 St James's Square", "city": "London"},
    "payment_method": "ok",
    "email": "ada@example.org",
}
ORDER: Final[dict[str, Any]] = {
    "order_id": "0198c5a1-5f3e-7d44-9c1b-2f6f0c2f9a10",
    "status": "pending",
    "total": 49.0,
    "currency": "USD",
    "items": ORDER_BODY["items"],
    "shipping_address": ORDER_BODY["shipping_address"],
    "created_at": "2030-01-01T12:00:00.000000Z",
    "email": ORDER_BODY["email"],
    "payment": {
        "status": "paid",
        "provider": "sandbox",
        "transaction_id": "0198c5a1-5f3e-7d44-9c1b-3a11d5e0b7c2",
    },
    "allowed_actions": ["cancel"],
    "refused_actions": [],
}
OPEN_ORDER: Final[dict[str, Any]] = {
    **ORDER,
    "status": "awaiting_payment",
    "payment": {
        **ORDER["payment"],
        "status": "unpaid",
        "action": {
            "type": "redirect",
            "url": "https://pay.example/approve/1",
            "expires_at": "2030-01-01T12:30:00.000000Z",
        },
    },
}
CANCELLED: Final[dict[str, Any]] = {
    "message": "The order is cancelled. The payment was given back.",
    "order": {
        **ORDER,
        "status": "cancelled",
        "payment": {**ORDER["payment"], "status": "refunded"},
        "allowed_actions": [],
        "refused_actions": [
            {
                "action": "cancel",
                "reason": "already_cancelled",
                "detail": "it is cancelled already",
            }
        ],
    },
}
HISTORY: Final[list[dict[str, Any]]] = [
    {
        "sequence": 1,
        "at": "2030-01-01T12:00:00.000000Z",
        "event": "order_opened",
        "details": {
            "transaction_id": "0198c5a1-5f3e-7d44-9c1b-3a11d5e0b7c2",
            "amount": "49.00 USD",
            "provider": "sandbox",
            "by": "customer",
        },
    }
]
REFUND_BODY: Final[dict[str, Any]] = {"amount": 12.25}
SHIP_BODY: Final[dict[str, Any]] = {"carrier": "DHL", "tracking_number": "JD014600000000000007"}
TRACKING: Final[dict[str, Any]] = {
    "order_id": ORDER["order_id"],
    "status": "shipped",
    "shipments": [
        {
            **SHIP_BODY,
            "shipment_id": "0198c5a1-5f3e-7d44-9c1b-51de0c0ffee1",
            "shipped_at": "2026-04-08T09:30:00.000000Z",
        }
    ],
}
REVIEW_BODY: Final[dict[str, Any]] = {
    "transaction_id": "0198c5a1-5f3e-7d44-9c1b-3a11d5e0b7c2",
    "decision": "accept",
    "note": "The bank confirms the amount; see ticket 1815.",
}
_CHARGE: Final[dict[str, Any]] = {
    "transaction_id": ORDER["payment"]["transaction_id"],
    "kind": "charge",
    "status": "succeeded",
    "origin": "ours",
    "amount": 49.0,
    "provider_reference": "pay-1843",
}
_NOT_IN_REVIEW: Final = {
    "action": "review",
    "reason": "not_in_review",
    "detail": "nothing of its payment is in review",
}
STAFFS_ORDER: Final[dict[str, Any]] = {
    **ORDER,
    "status": "processing",
    "allowed_actions": ["ship", "refund"],
    "refused_actions": [
        {
            "action": "process",
            "reason": "already_processing",
            "detail": "it is being processed already",
        },
        {
            "action": "deliver",
            "reason": "not_shipped",
            "detail": "it has not been shipped yet",
        },
        _NOT_IN_REVIEW,
    ],
    "customer_id": "customer-ada",
    "transactions": [_CHARGE],
}
REFUNDED_ORDER: Final[dict[str, Any]] = {
    **STAFFS_ORDER,
    "payment": {**ORDER["payment"], "status": "partially_refunded"},
    "transactions": [
        _CHARGE,
        {
            **_CHARGE,
            "transaction_id": "0198c5a1-5f3e-7d44-9c1b-44c0de5a11e1",
            "kind": "refund",
            "amount": 12.25,
            "provider_reference": "back-1852",
            "parent_id": _CHARGE["transaction_id"],
        },
    ],
}
SHIPPED_ORDER: Final[dict[str, Any]] = {
    **STAFFS_ORDER,
    "status": "shipped",
    "allowed_actions": ["ship", "deliver", "refund"],
    "refused_actions": [
        {
            "action": "process",
            "reason": "already_shipped",
            "detail": "it has already been shipped",
        },
        _NOT_IN_REVIEW,
    ],
}
EVENT: Final[dict[str, Any]] = {"id": "evt_1815", "type": "payment_intent.succeeded"}
RECEIVED: Final[dict[str, Any]] = {"received": True, "verdict": "settled"}
