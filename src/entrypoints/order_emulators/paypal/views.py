"""The books as PayPal shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from order_emulators.paypal.books import Payment, PayPalOrder


def order_view(order: PayPalOrder, origin: str) -> dict[str, Any]:
    """An order with everything that was paid with it."""
    unit: dict[str, Any] = {
        "reference_id": order.reference_id,
        "amount": _money(order.value, order.currency),
    }
    for name in ("custom_id", "invoice_id", "description"):
        if getattr(order, name):
            unit[name] = getattr(order, name)
    payments = {
        kind: [payment_view(order, payment, origin, inside=True) for payment in found]
        for kind in ("captures", "authorizations", "refunds")
        if (found := order.of_kind(kind))
    }
    if payments:
        unit["payments"] = payments
    return {
        "id": order.id,
        "intent": order.intent,
        "status": order.status,
        "purchase_units": [unit],
        "create_time": _written(order.at),
        "links": order_links(order, origin),
    }


def order_links(order: PayPalOrder, origin: str) -> list[dict[str, str]]:
    """Where an order can be asked about, and where its buyer approves it."""
    links = [_link(f"{origin}/v2/checkout/orders/{order.id}", "self", "GET")]
    if order.status in {"CREATED", "PAYER_ACTION_REQUIRED"}:
        relation = "approve" if order.status == "CREATED" else "payer-action"
        links.append(_link(buyers_page(order, origin), relation, "GET"))
    return links


def buyers_page(order: PayPalOrder, origin: str) -> str:
    """Where the buyer would approve. There is no page; the control endpoint decides."""
    return f"{origin}/checkoutnow?token={order.id}"


def payment_view(
    order: PayPalOrder, payment: Payment, origin: str, *, inside: bool = False
) -> dict[str, Any]:
    """A capture, authorization or refund; `inside` an order it says less."""
    view: dict[str, Any] = {
        "id": payment.id,
        "status": payment.status,
        "amount": _money(payment.value, payment.currency),
        "create_time": _written(payment.at),
        "update_time": _written(payment.at),
        "links": [_link(f"{origin}/v2/payments/{payment.kind}/{payment.id}", "self", "GET")],
    }
    for name in ("custom_id", "invoice_id"):
        if getattr(payment, name):
            view[name] = getattr(payment, name)
    if payment.response_code:
        view["processor_response"] = {"response_code": payment.response_code}
    if payment.kind == "captures":
        view["final_capture"] = payment.final
    if payment.kind == "authorizations":
        view["expiration_time"] = _written(payment.expires_at)
    if payment.parent_id:
        up = "captures" if payment.kind == "refunds" else "authorizations"
        view["links"].append(_link(f"{origin}/v2/payments/{up}/{payment.parent_id}", "up", "GET"))
    if not inside and payment.kind != "refunds":
        related = {"order_id": order.id}
        if payment.parent_id:
            related["authorization_id"] = payment.parent_id
        view["supplementary_data"] = {"related_ids": related}
    return view


def _money(value: Decimal, currency: str) -> dict[str, str]:
    # PayPal writes two decimals, even of yen.
    return {"currency_code": currency, "value": f"{value:.2f}"}


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _link(href: str, rel: str, method: str) -> dict[str, str]:
    return {"href": href, "rel": rel, "method": method}
