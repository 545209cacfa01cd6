"""Orders to store: each builder's values are valid, distinct, and changed by name."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from order_core.events import EVENT_TYPES, Event, Happened, OrderOpened, OrderPlaced
from order_core.money import MAX_MINOR_UNITS, Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.ports import RequestRecord
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress

EUR_25: Final = Money(2500, "EUR")

_numbers = count(1)


def a_charge(order_id: str, at: datetime, **but: Any) -> PaymentTransaction:  # noqa: ANN401
    """A charge of 25 euro as it is recorded with its order, not sent yet."""
    charge = PaymentTransaction(
        id=f"charge-{next(_numbers)}",
        order_id=order_id,
        customer_id="ann",
        kind=TransactionKind.CHARGE,
        amount=EUR_25,
        provider="scripted",
        account="test",
        installation="default",
        request_version="1",
        recorded_at=at,
        send_until=at + timedelta(minutes=10),
        horizon=timedelta(minutes=30),
        token="ok",  # noqa: S106 - the payment method of a pretended provider
    )
    return kept(replace(charge, **but))


def kept(transaction: PaymentTransaction) -> PaymentTransaction:
    """As a store keeps it: looked after a day later while it is open, without secrets after."""
    if not transaction.is_open:
        return replace(transaction, token=None, client_secret=None)
    later = transaction.recorded_at + timedelta(days=1)
    return replace(transaction, attend_at=transaction.attend_at or later)


def a_refund(charge: PaymentTransaction, **but: Any) -> PaymentTransaction:  # noqa: ANN401
    """A refund of the whole of `charge`, not sent yet."""
    refund = replace(
        charge,
        id=f"refund-{next(_numbers)}",
        kind=TransactionKind.REFUND,
        status=TransactionStatus.RECORDED,
        token=None,
        single_use_fingerprint=None,
        provider_reference=None,
        parent_id=charge.id,
        parent_reference=charge.provider_reference,
    )
    return kept(replace(refund, **but))


def a_capture(held: PaymentTransaction, **but: Any) -> PaymentTransaction:  # noqa: ANN401
    """A capture of the whole of the authorization `held`, not sent yet."""
    capture = a_refund(held, id=f"capture-{next(_numbers)}", kind=TransactionKind.CAPTURE)
    return replace(capture, **but)


def an_order(at: datetime, **but: Any) -> Order:  # noqa: ANN401
    """An order of Ann's for two mugs that waits for its charge; never stored yet.

    `charge` gives fields of its charge, `order_id` its id.
    """
    order_id = but.pop("order_id", f"order-{next(_numbers):06}")
    customer_id = but.get("customer_id", "ann")
    charge = a_charge(order_id, at, **{"customer_id": customer_id, **but.pop("charge", {})})
    order = Order.open(
        order_id=order_id,
        customer_id=customer_id,
        items=(OrderItem("mug", 2, Money(1250, "EUR")),),
        shipping_address=ShippingAddress("Kanalstraße 1, 24159 Kiel"),
        email="ann@example.com",
        charge=charge,
        at=at,
    )
    return replace(order, **but)


def a_placed_order(at: datetime, **but: Any) -> Order:  # noqa: ANN401
    """An order of Ann's that was paid with the payment `ref-<order id>`."""
    order = an_order(at, **but)
    reference = f"ref-{order.id}"
    paid = order.charge.finished(TransactionStatus.SUCCEEDED, reference=reference)
    placed = replace(order.with_transaction(paid), status=but.get("status", OrderStatus.PENDING))
    return placed.with_news(OrderPlaced(paid.id, reference), at)


def an_order_that_ended(at: datetime, status: OrderStatus, **but: Any) -> Order:  # noqa: ANN401
    """An order of Ann's whose charge was declined."""
    order = an_order(at, **but)
    declined = order.charge.finished(TransactionStatus.DECLINED, reason="insufficient_funds")
    return replace(order.with_transaction(declined), status=status)


def a_request(key: str, **but: str) -> RequestRecord:
    """Ann's request with this key."""
    record = RequestRecord("ann", "POST /api/orders/create", key, f"body of {key}")
    return replace(record, **but)


def the_fullest_order(at: datetime) -> Order:
    """An order of which no field, at any depth, has its default value, but `version`."""
    order_id = f"order-{next(_numbers):06}"
    open_charge = a_charge(
        order_id,
        at,
        customer_id="zoë",
        amount=Money(MAX_MINOR_UNITS, "JPY"),
        status=TransactionStatus.ACTION_REQUIRED,
        single_use_fingerprint="f1" * 32,
        return_url="https://shop.example/back?a=1&b=ü",
        provider_reference="pay_1",
        step=2,
        sends=3,
        never_ran=1,
        last_send_at=at + timedelta(seconds=1, microseconds=1),
        attempts=4,
        attend_at=at + timedelta(days=1, microseconds=2),
        reason="no_answer_in_time",
        action_url="https://bank.example/3ds?x=%20",
        client_secret="pay_1_secret_2",  # noqa: S106 - made up
        action_expires_at=at + timedelta(minutes=30, microseconds=3),
        capture_before=at + timedelta(days=7, microseconds=4),
    )
    second_debit = a_charge(
        order_id,
        at,
        customer_id="zoë",
        amount=Money(7, "JPY"),
        token=None,
        status=TransactionStatus.SUCCEEDED,
        origin=Origin.PROVIDER,
        parent_id=open_charge.id,
        parent_reference="pay_1",
        provider_reference="pay_2",
        retryable=True,
        review="not_asked_for",
        provider_sequence=1_904_126_400_000_001,
    )
    order = Order(
        id=order_id,
        customer_id="zoë",
        items=(
            OrderItem("zebra", 1, Money(MAX_MINOR_UNITS - 3, "JPY")),
            OrderItem("ape", 3, Money(1, "JPY")),
        ),
        total=Money(MAX_MINOR_UNITS, "JPY"),
        shipping_address=ShippingAddress((("street", "東京 1"), ("city", "Ålesund\nNorway"))),
        email="zoë@example.com",
        status=OrderStatus.AWAITING_PAYMENT,
        created_at=at,
        transactions=(open_charge, second_debit),
        shipments=(
            Shipment("parcel-1", "Größe & Söhne", "JD 0146 ü", at + timedelta(microseconds=6)),
            Shipment("parcel-2", "DHL", "'; --", at + timedelta(days=1)),
        ),
    )
    return order.with_news(OrderOpened(open_charge.id, "9007199254740991 JPY", "scripted"), at)


def one_of_each_event(at: datetime) -> tuple[Happened, ...]:
    """Every kind of event, with values that differ from field to field."""
    return tuple(
        Happened(number, at + timedelta(microseconds=number), _filled(kind))
        for number, kind in enumerate(EVENT_TYPES.values(), start=1)
    )


def _filled(kind: type[Event]) -> Event:
    values: dict[str, Any] = {
        field.name: True if field.type in {bool, "bool"} else f"{field.name} ü"
        for field in fields(kind)
    }
    return kind(**values)


def with_all_news(order: Order, events: tuple[Happened, ...]) -> Order:
    """The order with `events` as its only news."""
    return replace(order, news=events, event_count=len(events))
