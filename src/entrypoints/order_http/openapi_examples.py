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
        },
    }
]
