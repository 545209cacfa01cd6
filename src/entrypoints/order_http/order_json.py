"""Orders and their history as JSON, amounts to the last digit."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from starlette.responses import Response

from order_core.events import Event, Happened
from order_core.money import Money
from order_core.order import Order
from order_core.payment import PaymentTransaction, TransactionStatus
from order_core.shipping_address import ShippingAddress

_REFUSED: Final = frozenset({TransactionStatus.DECLINED, TransactionStatus.FAILED})


def json_response(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """An answer of JSON that may contain `order_json` and its like."""
    return Response(orjson.dumps(value), status, headers, "application/json")


def json_text_response(text: str, *, headers: dict[str, str] | None = None) -> Response:
    """An answer of JSON that is written already."""
    return Response(text, 200, headers, "application/json")


def order_json(order: Order) -> dict[str, Any]:
    """What its owner sees of an order."""
    document: dict[str, Any] = {
        "order_id": order.id,
        "status": order.status,
        "total": amount_json(order.total),
        "currency": order.total.currency,
        "items": [
            {
                "product_id": item.product_id,
                "quantity": item.quantity,
                "price": amount_json(item.price),
            }
            for item in order.items
        ],
        "shipping_address": _address_json(order.shipping_address),
        "created_at": time_json(order.created_at),
    }
    if order.email is not None:
        document["email"] = order.email
    document["payment"] = _payment_json(order)
    refusal = order.cancel_refusal
    document["allowed_actions"] = [] if refusal else ["cancel"]
    document["refused_actions"] = (
        [{"action": "cancel", "reason": refusal[0], "detail": refusal[1]}] if refusal else []
    )
    return document


_FOR_STAFF: Final = {
    "refund_recorded": ("by",),
    "capture_recorded": ("by",),
    "reviewed": ("by", "note"),
    "processing_began": ("by",),
    "order_shipped": ("by",),
    "order_delivered": ("by",),
}
"""What an event says of our staff, which is not for customers."""


def history_json(entries: tuple[Happened, ...], *, for_staff: bool) -> list[dict[str, Any]]:
    """Everything that happened to an order, oldest first; who did it and why, to staff only."""
    return [
        {
            "sequence": entry.sequence,
            "at": time_json(entry.at),
            "event": entry.event.name,
            "details": _details(entry.event, for_staff=for_staff),
        }
        for entry in entries
    ]


def _details(event: Event, *, for_staff: bool) -> dict[str, Any]:
    hidden = () if for_staff else _FOR_STAFF.get(event.name, ())
    said = {each.name: getattr(event, each.name) for each in fields(event)}
    return {name: value for name, value in said.items() if value is not None and name not in hidden}


def tracking_json(order: Order) -> dict[str, Any]:
    """Where the parcels of an order are to be looked for."""
    return {
        "order_id": order.id,
        "status": order.status.value,
        "shipments": [
            {
                "shipment_id": each.id,
                "carrier": each.carrier,
                "tracking_number": each.tracking_number,
                "shipped_at": time_json(each.shipped_at),
            }
            for each in order.shipments
        ],
    }


def amount_json(money: Money) -> orjson.Fragment:
    """A JSON number with exactly the currency's decimals; no float has touched it."""
    return orjson.Fragment(money.plain())


def time_json(at: datetime) -> str:
    """RFC 3339, in UTC, to the microsecond."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    if at.microsecond:
        # In a fifth of the time; but it leaves out microseconds that are none.
        return orjson.dumps(at, option=orjson.OPT_UTC_Z)[1:-1].decode()
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _address_json(address: ShippingAddress | None) -> object:
    if address is None:
        return None
    return address.lines if isinstance(address.lines, str) else dict(address.lines)


def _payment_json(order: Order) -> dict[str, Any]:
    charge = order.charge
    payment: dict[str, Any] = {
        "status": order.payment_status,
        "provider": charge.provider,
        "transaction_id": charge.id,
    }
    if charge.status in _REFUSED:
        payment["decline_code"] = charge.reason or "declined"
    if action := _action_json(charge):
        payment["action"] = action
    return payment


def _action_json(charge: PaymentTransaction) -> dict[str, Any] | None:
    """What the buyer must do, while there is something to do."""
    if charge.status is not TransactionStatus.ACTION_REQUIRED:
        return None
    action: dict[str, Any]
    if charge.action_url is not None:
        action = {"type": "redirect", "url": charge.action_url}
    elif charge.client_secret is not None:
        action = {"type": "client_secret", "client_secret": charge.client_secret}
    else:
        return None
    if charge.action_expires_at is not None:
        action["expires_at"] = time_json(charge.action_expires_at)
    return action
