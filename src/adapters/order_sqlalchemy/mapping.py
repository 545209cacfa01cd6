"""Orders, transactions and events as rows, and back, field by field."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from order_core.events import EVENT_TYPES, Event, Happened
from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.ports import ReceivedEvent
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress
from order_sqlalchemy.fact_mapping import facts_from, facts_text

Row = Sequence[Any]
"""The values of one row, in the order of its SELECT."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

ORDER_COLUMNS: Final = (
    "id",
    "customer_id",
    "status",
    "currency",
    "total_minor",
    "items",
    "shipping_address",
    "email",
    "created_at_us",
    "version",
    "event_count",
    "shipments",
)
"""What `order_from` reads; behind them come the transactions, as one JSON text."""

TRANSACTION_COLUMNS: Final = (
    "id",
    "order_id",
    "customer_id",
    "kind",
    "amount_minor",
    "currency",
    "provider",
    "account",
    "installation",
    "request_version",
    "recorded_at_us",
    "send_until_us",
    "horizon_us",
    "status",
    "origin",
    "token",
    "single_use_fingerprint",
    "return_url",
    "parent_id",
    "parent_reference",
    "provider_reference",
    "step",
    "sends",
    "never_ran",
    "last_send_at_us",
    "attempts",
    "attend_at_us",
    "reason",
    "retryable",
    "review",
    "action_url",
    "client_secret",
    "action_expires_at_us",
    "capture_before_us",
    "provider_sequence",
)
"""What a transaction's JSON array holds, in this order."""

EVENT_COLUMNS: Final = (
    "provider",
    "event_id",
    "name",
    "received_at_us",
    "verdict",
    "order_id",
    "facts",
)
"""The whole of `received_events`, as `received_event_from` reads it."""


# Moments --------------------------------------------------------------------------------


def microseconds(duration: timedelta) -> int:
    """Whole microseconds."""
    return duration // _MICROSECOND


def moment_us(moment: datetime) -> int:
    """Whole microseconds since 1970, without the rounding of `datetime.timestamp`."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_from(us: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def _us_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def _moment_or_none(us: int | None) -> datetime | None:
    return None if us is None else moment_from(us)


# What is no JSON by itself has a form that we decide on.
_PLAIN: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def json_text(value: object) -> str:
    """JSON without needless spaces and escapes.

    Raises:
        ValueError: it holds what JSON cannot, a lone surrogate say.
    """
    try:
        return orjson.dumps(value, option=_PLAIN).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from error


# To rows --------------------------------------------------------------------------------


def order_row(order: Order) -> dict[str, Any]:
    """The columns of `orders`, without version and lease; JSON columns as plain values."""
    return {
        "id": order.id,
        "customer_id": order.customer_id,
        "status": order.status,
        "currency": order.total.currency,
        "total_minor": order.total.minor_units,
        "items": [[item.product_id, item.quantity, item.price.minor_units] for item in order.items],
        "shipping_address": _address_row(order.shipping_address),
        "email": order.email,
        "created_at_us": moment_us(order.created_at),
        "event_count": order.event_count,
        "captured_minor": order.captured_minor_units,
        "refunded_minor": order.refunded_minor_units,
        "refund_asked_minor": order.refund_asked_minor_units,
        "attend_at_us": _us_or_none(order.attend_at),
        "shipments": _shipment_rows(order) or None,
    }


def _shipment_rows(order: Order) -> list[list[str | int]]:
    return [
        [each.id, each.carrier, each.tracking_number, moment_us(each.shipped_at)]
        for each in order.shipments
    ]


def _address_row(address: ShippingAddress | None) -> str | tuple[tuple[str, str], ...]:
    # An address has a line at least, so none of it is one that was erased.
    return () if address is None else address.lines


def transaction_row(position: int, transaction: PaymentTransaction) -> dict[str, Any]:
    """The columns of `payment_transactions`; `position` is its place in the order."""
    return {
        "position": position,
        "id": transaction.id,
        "order_id": transaction.order_id,
        "customer_id": transaction.customer_id,
        "kind": transaction.kind,
        "amount_minor": transaction.amount.minor_units,
        "currency": transaction.amount.currency,
        "provider": transaction.provider,
        "account": transaction.account,
        "installation": transaction.installation,
        "request_version": transaction.request_version,
        "recorded_at_us": moment_us(transaction.recorded_at),
        "send_until_us": moment_us(transaction.send_until),
        "horizon_us": microseconds(transaction.horizon),
        "status": transaction.status,
        "origin": transaction.origin,
        "token": transaction.token,
        "single_use_fingerprint": transaction.single_use_fingerprint,
        "return_url": transaction.return_url,
        "parent_id": transaction.parent_id,
        "parent_reference": transaction.parent_reference,
        "provider_reference": transaction.provider_reference,
        "step": transaction.step,
        "sends": transaction.sends,
        "never_ran": transaction.never_ran,
        "last_send_at_us": _us_or_none(transaction.last_send_at),
        "attempts": transaction.attempts,
        "attend_at_us": _us_or_none(transaction.attend_at),
        "reason": transaction.reason,
        "retryable": transaction.retryable,
        "review": transaction.review,
        "action_url": transaction.action_url,
        "client_secret": transaction.client_secret,
        "action_expires_at_us": _us_or_none(transaction.action_expires_at),
        "capture_before_us": _us_or_none(transaction.capture_before),
        "provider_sequence": transaction.provider_sequence,
    }


def event_row(order: Order, happened: Happened) -> dict[str, Any]:
    """The columns of `order_events`. Nobody can be told of an order without a contact."""
    event, at_us = happened.event, moment_us(happened.at)
    is_told, reaches_somebody = happened.is_told, order.email is not None
    return {
        "order_id": order.id,
        "sequence": happened.sequence,
        "at_us": at_us,
        "name": event.name,
        "data": {name: getattr(event, name) for name in _NAMES_OF[type(event)]},
        "tell_at_us": at_us if is_told and reaches_somebody else None,
        "told_at_us": at_us if is_told and not reaches_somebody else None,
    }


_NAMES_OF: Final[dict[type[Event], list[str]]] = {
    kind: [field.name for field in fields(kind)] for kind in EVENT_TYPES.values()
}
"""What an event of each type says."""


def received_event_values(event: ReceivedEvent) -> tuple[str | int | None, ...]:
    """The values of `EVENT_COLUMNS`."""
    return (
        event.provider,
        event.event_id,
        event.name,
        moment_us(event.received_at),
        event.verdict,
        event.order_id,
        facts_text(event.facts),
    )


# From rows ------------------------------------------------------------------------------


def order_from(row: Row) -> Order:
    """Of the values of `ORDER_COLUMNS`, and the JSON text of its transactions."""
    (
        order_id,
        customer_id,
        status,
        currency,
        total_minor,
        items,
        shipping_address,
        email,
        created_at_us,
        version,
        event_count,
        shipments,
        transactions,
    ) = row
    return Order(
        id=order_id,
        customer_id=customer_id,
        items=tuple(
            OrderItem(product_id, quantity, Money(price_minor, currency))
            for product_id, quantity, price_minor in orjson.loads(items)
        ),
        total=Money(total_minor, currency),
        shipping_address=_address_from(shipping_address),
        email=email,
        status=OrderStatus(status),
        created_at=moment_from(created_at_us),
        transactions=tuple(_transaction_from(values) for values in orjson.loads(transactions)),
        shipments=tuple(
            Shipment(shipment_id, carrier, number, moment_from(at_us))
            for shipment_id, carrier, number, at_us in orjson.loads(shipments or "null") or ()
        ),
        event_count=event_count,
        version=version,
    )


def _address_from(text: str) -> ShippingAddress | None:
    lines = orjson.loads(text)
    if lines == []:
        return None
    return ShippingAddress(
        lines if isinstance(lines, str) else tuple((name, line) for name, line in lines)
    )


def _transaction_from(values: list[Any]) -> PaymentTransaction:
    of = dict(zip(TRANSACTION_COLUMNS, values, strict=True))
    return PaymentTransaction(
        id=of["id"],
        order_id=of["order_id"],
        customer_id=of["customer_id"],
        kind=TransactionKind(of["kind"]),
        amount=Money(of["amount_minor"], of["currency"]),
        provider=of["provider"],
        account=of["account"],
        installation=of["installation"],
        request_version=of["request_version"],
        recorded_at=moment_from(of["recorded_at_us"]),
        send_until=moment_from(of["send_until_us"]),
        horizon=timedelta(microseconds=of["horizon_us"]),
        status=TransactionStatus(of["status"]),
        origin=Origin(of["origin"]),
        token=of["token"],
        single_use_fingerprint=of["single_use_fingerprint"],
        return_url=of["return_url"],
        parent_id=of["parent_id"],
        parent_reference=of["parent_reference"],
        provider_reference=of["provider_reference"],
        step=of["step"],
        sends=of["sends"],
        never_ran=of["never_ran"],
        last_send_at=_moment_or_none(of["last_send_at_us"]),
        attempts=of["attempts"],
        attend_at=_moment_or_none(of["attend_at_us"]),
        reason=of["reason"],
        retryable=bool(of["retryable"]),  # SQLite has no truth values, only 0 and 1.
        review=of["review"],
        action_url=of["action_url"],
        client_secret=of["client_secret"],
        action_expires_at=_moment_or_none(of["action_expires_at_us"]),
        capture_before=_moment_or_none(of["capture_before_us"]),
        provider_sequence=of["provider_sequence"],
    )


def happened_from(sequence: int, at_us: int, name: str, data: str) -> Happened:
    """Of the columns of `order_events`."""
    return Happened(sequence, moment_from(at_us), _event_from(name, data))


def _event_from(name: str, data: str) -> Event:
    kind = EVENT_TYPES[name]
    # What a later version says besides is not known here; both run while one replaces the other.
    known = kind.__dataclass_fields__
    return kind(**{key: value for key, value in orjson.loads(data).items() if key in known})


def received_event_from(row: Row) -> ReceivedEvent:
    """Of the values of `EVENT_COLUMNS`."""
    provider, event_id, name, received_at_us, verdict, order_id, facts = row
    at = moment_from(received_at_us)
    return ReceivedEvent(provider, event_id, name, at, verdict, order_id, facts_from(facts))
