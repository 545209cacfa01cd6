"""What the customer reads: subject, plain text and HTML, from templates."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from order_core.errors import NotificationRefused
from order_core.events import Event, OrderCancelled, OrderPlaced, OrderShipped, PaymentRefunded
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports.notifier import Notice
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress
from order_email.one_line import one_line
from order_email.wording import money_back, paid_back, payment_state


@dataclass(frozen=True, slots=True)
class Message:
    """One mail in both forms; a reader's program shows whichever it can."""

    subject: str
    text: str
    html: str


_TEMPLATES: Final[dict[type[Event], str]] = {
    OrderPlaced: "placed",
    OrderCancelled: "cancelled",
    OrderShipped: "shipped",
    PaymentRefunded: "refunded",
}

_HEADLINES: Final = {
    "placed": "Thank you for your order",
    "cancelled": "Your order is cancelled",
    "shipped": "Your order is on its way",
    "refunded": "Your money is on its way",
}


def render(notice: Notice) -> Message:
    """The message for the notice, the same for each delivery while the order stays the same.

    Raises:
        NotificationRefused: customers are not told of such events.
    """
    template = _TEMPLATES.get(type(notice.happened.event))
    if template is None:
        raise NotificationRefused(f"there is no message about {notice.happened.event.name}")
    order = notice.order
    facts = {
        "headline": _HEADLINES[template],
        "order": order,
        "order_id": one_line(order.id),
        "placed_on": order.created_at.date().isoformat(),
        "cancelled": order.status is OrderStatus.CANCELLED,
        "address": address_lines(order.shipping_address),
        "payment": payment_state(order),
        "money": _money(order, notice.happened.event),
        "parcel": _parcel(order, notice.happened.event),
    }
    templates = _templates()
    return Message(
        subject=f"{_HEADLINES[template]}: {one_line(order.id)}",
        text=templates.get_template(f"{template}.txt").render(facts),
        html=templates.get_template(f"{template}.html").render(facts),
    )


def address_lines(address: ShippingAddress | None) -> tuple[tuple[str, str], ...]:
    """The lines of the address, each with its name, which is empty in free text."""
    if address is None:
        return ()
    if isinstance(address.lines, str):
        lines = tuple(("", one_line(line)) for line in address.lines.splitlines())
        return tuple((name, line) for name, line in lines if line)
    return tuple((one_line(name.replace("_", " ")), one_line(line)) for name, line in address.lines)


def _parcel(order: Order, event: Event) -> Shipment | None:
    if not isinstance(event, OrderShipped):
        return None
    return next((each for each in order.shipments if each.id == event.shipment_id), None)


def _money(order: Order, event: Event) -> str:
    match event:
        case OrderCancelled():
            return money_back(order)
        case PaymentRefunded(amount=amount):
            return paid_back(order, amount)
        case _:
            return money_back(order) if order.status is OrderStatus.CANCELLED else ""


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("order_email"),
        autoescape=select_autoescape(["html"]),
        # A misspelt name in a template is an error, not an empty place in a customer's mail.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["one_line"] = one_line
    return environment
