"""Orders of every kind that the core lets in, whatever they say, for Hypothesis."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st

from order_core.currencies import DECIMALS
from order_core.events import EVENT_TYPES, Event, Happened
from order_core.money import MAX_MINOR_UNITS, Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import (
    OPEN_STATUSES,
    TAKING_KINDS,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress

_numbers = count(1)

# Everything that the core lets in: no NUL, no other control character, no lone surrogate.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\{}[],:%$?"),
    min_size=1,
    max_size=30,
).filter(lambda text: text.strip() != "")
moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
durations = st.timedeltas(timedelta(0), timedelta(days=400))
counts = st.integers(0, 2**31 - 1)


@dataclass(frozen=True)
class Stock:
    """What orders say. Many orders of one example share a few words, or Hypothesis gives up."""

    texts: st.SearchStrategy[str] = texts
    moments: st.SearchStrategy[datetime] = moments


EVERYTHING = Stock()


def money(currency: str, most: int = MAX_MINOR_UNITS) -> st.SearchStrategy[Money]:
    return st.builds(Money, st.integers(1, most), st.just(currency))


@st.composite
def transactions(
    draw: st.DrawFn, order_id: str, currency: str, of: Stock, *, first: bool = False
) -> PaymentTransaction:
    # Facts of the provider, and only dead charges: nothing here breaks a constraint.
    kind = draw(st.sampled_from(sorted(TAKING_KINDS) if first else list(TransactionKind)))
    dead = st.sampled_from([TransactionStatus.DECLINED, TransactionStatus.FAILED])
    status = draw(dead if kind in TAKING_KINDS else st.sampled_from(TransactionStatus))
    origin = Origin.PROVIDER if kind is TransactionKind.REFUND else draw(st.sampled_from(Origin))
    maybe_text, maybe_moment = st.none() | of.texts, st.none() | of.moments
    is_open, sends = status in OPEN_STATUSES, draw(counts)
    return PaymentTransaction(
        id=f"t-any-{next(_numbers)}",
        order_id=order_id,
        customer_id=draw(of.texts),
        kind=kind,
        amount=draw(money(currency)),
        provider=draw(of.texts),
        account=draw(of.texts),
        installation=draw(of.texts),
        request_version=draw(of.texts),
        recorded_at=draw(of.moments),
        send_until=draw(of.moments),
        horizon=draw(durations),
        status=status,
        origin=Origin.OURS if first else origin,
        token=draw(maybe_text if is_open else st.none()),
        single_use_fingerprint=draw(maybe_text),
        return_url=draw(maybe_text),
        parent_id=draw(maybe_text),
        parent_reference=draw(maybe_text),
        provider_reference=draw(maybe_text),
        step=draw(st.integers(1, 1000)),
        sends=sends,
        last_send_at=draw(maybe_moment),
        attempts=draw(counts),
        attend_at=draw(of.moments if is_open else maybe_moment),
        reason=draw(maybe_text),
        retryable=draw(st.booleans()),
        review=draw(maybe_text),
        action_url=draw(maybe_text),
        client_secret=draw(maybe_text if is_open else st.none()),
        action_expires_at=draw(maybe_moment),
        capture_before=draw(maybe_moment),
        never_ran=draw(st.integers(0, sends)),
        provider_sequence=draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
    )


@st.composite
def events(draw: st.DrawFn, of: Stock) -> Event:
    kind = draw(st.sampled_from(sorted(EVENT_TYPES)))
    values: dict[str, Any] = {
        field.name: draw(st.booleans() if field.type is bool else of.texts)
        for field in fields(EVENT_TYPES[kind])
    }
    return EVENT_TYPES[kind](**values)


@st.composite
def orders(draw: st.DrawFn, of: Stock = EVERYTHING) -> Order:
    order_id, currency = f"o-any-{next(_numbers)}", draw(st.sampled_from(sorted(DECIMALS)))
    item = st.builds(OrderItem, of.texts, st.integers(1, 1000), money(currency))
    one_line = of.texts.map(lambda text: " ".join(text.split()))
    shipment = st.builds(Shipment, of.texts, one_line, one_line, of.moments)
    lines = st.lists(st.tuples(of.texts, of.texts), min_size=1, max_size=5).map(tuple)
    news = draw(st.lists(st.tuples(of.moments, events(of)), max_size=4))
    charge = draw(transactions(order_id, currency, of, first=True))
    more = draw(st.lists(transactions(order_id, currency, of), max_size=2))
    return Order(
        id=order_id,
        customer_id=draw(of.texts),
        items=tuple(draw(st.lists(item, min_size=1, max_size=3))),
        total=draw(money(currency)),
        shipping_address=ShippingAddress(draw(of.texts | lines)),
        email=draw(st.none() | of.texts),
        status=draw(st.sampled_from(OrderStatus)),
        created_at=draw(of.moments),
        transactions=(charge, *more),
        shipments=tuple(draw(st.lists(shipment, max_size=2))),
        event_count=len(news),
        news=tuple(Happened(n, at, event) for n, (at, event) in enumerate(news, start=1)),
    )
