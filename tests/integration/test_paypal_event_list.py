"""The pretended PayPal lists what it told, as the official description says."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from order_core.errors import EventsUnavailable
from order_core.ports import EventLog, WebhookEvent
from order_emulators.chassis import Decision, Fault, Provision
from order_memory import ManualClock
from order_paypal import ApiAnswer, ApiRequest, PayPalEventLog
from tests.integration.paypal_wire import (
    CLIENT_ID,
    CLIENT_SECRET,
    WEBHOOK_ID,
    PayPalWire,
    broken_by,
    paypal_wire,
    spec_of,
)

_LIST = "/v1/notifications/webhooks-events"
_DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def wire(clock: ManualClock) -> AsyncIterator[PayPalWire]:
    secrets = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "webhook_id": WEBHOOK_ID,
    }
    async with paypal_wire(Provision(secrets=secrets, clock=clock.now)) as wire:
        yield wire


@pytest.fixture
async def log(wire: PayPalWire) -> AsyncIterator[EventLog]:
    gateway = wire.gateway()
    yield PayPalEventLog(gateway.threads, {wire.url})
    await gateway.close()


def told(wire: PayPalWire) -> str:
    """One event more, of an order that its buyer approves; the order's id."""
    order = wire.emulator.books.open(intent="CAPTURE", value=Decimal(25), currency="EUR")
    assert wire.emulator.act(order.id, Decision.APPROVE)
    return order.id


async def asked(wire: PayPalWire, **query: str) -> ApiAnswer:
    api = wire.transport()
    request = ApiRequest("GET", _LIST, query=tuple(query.items()))
    until = time.monotonic() + 10
    answer = await asyncio.to_thread(api.call, request, until=until, may_leave=lambda: True)
    api.close()
    return answer


def listed(answer: ApiAnswer) -> list[str]:
    """The orders that the listed events are about."""
    assert answer.body is not None
    events: Any = answer.body["events"]
    assert answer.body["count"] == len(events)
    return [event["resource"]["id"] for event in events]


def onward(answer: ApiAnswer) -> dict[str, str] | None:
    assert answer.body is not None
    links: Any = answer.body.get("links", [])
    return dict(parse_qsl(urlsplit(links[0]["href"]).query)) if links else None


async def whole(log: EventLog, begin: datetime, end: datetime) -> list[list[WebhookEvent]]:
    pages = [await log.read(begin, end)]
    while pages[-1].next_page is not None:
        pages.append(await log.read(begin, end, page=pages[-1].next_page))
    return [list(page.events) for page in pages]


# As PayPal answers -------------------------------------------------------------------------


async def test_the_newest_events_come_first_ten_of_them_if_nobody_says_how_many(
    wire: PayPalWire,
) -> None:
    orders = [told(wire) for _ in range(12)]

    first = await asked(wire)
    rest = onward(first)
    assert rest is not None
    second = await asked(wire, **rest)

    assert listed(first) == orders[:1:-1]
    assert listed(second) == orders[1::-1]
    assert onward(second) is None


async def test_events_are_found_by_time_type_and_resource(
    wire: PayPalWire, clock: ManualClock
) -> None:
    first = told(wire)
    clock.advance(_DAY)
    noon = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    second = told(wire)
    clock.advance(_DAY)
    third = told(wire)

    assert listed(await asked(wire, start_time=noon)) == [third, second]
    assert listed(await asked(wire, end_time=noon)) == [second, first]
    assert listed(await asked(wire, start_time=noon, end_time=noon)) == [second]
    assert listed(await asked(wire, transaction_id=first)) == [first]
    assert listed(await asked(wire, event_type="CHECKOUT.ORDER.APPROVED", page_size="1")) == [third]
    assert listed(await asked(wire, event_type="PAYMENT.CAPTURE.COMPLETED")) == []


async def test_after_thirty_days_nothing_is_on_record(wire: PayPalWire, clock: ManualClock) -> None:
    told(wire)
    begin = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    clock.advance(30 * _DAY + timedelta(seconds=1))

    assert listed(await asked(wire)) == []
    assert (await asked(wire, start_time=begin)).status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"start_time": "yesterday"},
        {"start_time": "2026-11-29T00:00:00"},
        {"end_time": "1999-01-01T00:00:00Z"},
        {"page_size": "0"},
        {"page_size": "many"},
        {"move_to": "next", "index_id": "-1"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    wire: PayPalWire, query: dict[str, str]
) -> None:
    answer = await asked(wire, **query)

    assert answer.status == 400
    assert answer.body is not None
    assert answer.body["name"] == "VALIDATION_ERROR"
    assert broken_by(wire.exchanges[-1]) == []


def test_the_official_description_is_at_hand() -> None:
    assert spec_of(_LIST).routes


# As the adapter asks -----------------------------------------------------------------------


async def test_each_event_is_listed_as_it_was_delivered(
    wire: PayPalWire, log: EventLog, clock: ManualClock
) -> None:
    told(wire)
    (event,) = wire.emulator.take_events()

    ((listed_one,),) = await whole(log, clock.now() - _DAY, clock.now())

    assert (listed_one.id, listed_one.name) == (event.id, event.type)
    assert len(listed_one.facts) == 1


async def test_a_long_list_is_read_to_its_end_page_by_page(
    wire: PayPalWire, log: EventLog, clock: ManualClock
) -> None:
    told(wire)
    clock.advance(_DAY)
    begin = clock.now()
    for _ in range(120):
        told(wire)
    ours = {event.id for event in wire.emulator.take_events()[1:]}
    clock.advance(_DAY)
    told(wire)

    pages = await whole(log, begin, begin + _DAY / 2)

    assert [len(page) for page in pages] == [50, 50, 20]
    assert {event.id for page in pages for event in page} == ours


async def test_what_comes_to_be_while_the_list_is_read_moves_no_page(
    wire: PayPalWire, log: EventLog, clock: ManualClock
) -> None:
    old = [told(wire) for _ in range(60)]
    begin, end = clock.now() - _DAY, clock.now() + _DAY
    first = await log.read(begin, end)
    for _ in range(30):
        told(wire)

    last = await log.read(begin, end, page=first.next_page)

    facts = [fact for event in (*first.events, *last.events) for fact in event.facts]
    assert [fact.reference for fact in facts] == old[::-1]


async def test_a_token_that_was_withdrawn_is_fetched_anew(
    wire: PayPalWire, log: EventLog, clock: ManualClock
) -> None:
    await log.read(clock.now() - _DAY, clock.now())
    wire.emulator.withdraw_tokens()

    assert (await log.read(clock.now() - _DAY, clock.now())).events == ()


@pytest.mark.parametrize(
    ("fault", "because"),
    [
        (Fault.REQUEST_LOST, "connection_failed"),
        (Fault.ANSWER_LOST, "connection_failed"),
        (Fault.ERROR_BEFORE, "status_500"),
        (Fault.RATE_LIMITED, "status_429"),
    ],
)
async def test_while_paypal_is_away_there_is_no_list(
    wire: PayPalWire, log: EventLog, clock: ManualClock, fault: Fault, because: str
) -> None:
    await wire.order_faults(f"GET {_LIST}", fault)

    with pytest.raises(EventsUnavailable, match=because) as refusal:
        await log.read(clock.now() - _DAY, clock.now())

    assert CLIENT_SECRET not in str(refusal.value)
    assert "127.0.0.1" not in str(refusal.value)
    assert (await log.read(clock.now() - _DAY, clock.now())).events == ()


async def test_wrong_credentials_show_no_list(wire: PayPalWire, clock: ManualClock) -> None:
    gateway = wire.gateway(api=wire.transport(client_secret="wrong"))
    log = PayPalEventLog(gateway.threads, {wire.url})

    with pytest.raises(EventsUnavailable, match=r"^misconfigured:credentials_refused$"):
        await log.read(clock.now() - _DAY, clock.now())
    await gateway.close()


async def test_a_page_that_paypal_has_forgotten_is_no_end(
    wire: PayPalWire, log: EventLog, clock: ManualClock
) -> None:
    for _ in range(60):
        told(wire)
    begin = clock.now() - _DAY
    first = await log.read(begin, clock.now())
    clock.advance(31 * _DAY)

    with pytest.raises(EventsUnavailable, match="status_400"):
        await log.read(begin, clock.now(), page=first.next_page)
