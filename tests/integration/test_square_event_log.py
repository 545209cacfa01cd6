"""Square's own record is read to its end, as its webhooks are, and a silence is not believed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from order_core.errors import EventsUnavailable
from order_core.outcomes import Succeeded
from order_core.ports import EventPage, WebhookEvent
from order_core.ports.event_log import LONGEST_PAGE
from order_square.event_log import SquareEventLog
from order_square.events import ABOUT_MONEY
from tests.integration.square_wire import (
    ACCESS_TOKEN,
    LOCATION,
    NOON,
    Answering,
    Recorder,
    Square,
    an_event_log,
    breaches,
    specification,
)

_BEGIN, _END = NOON - timedelta(days=2), NOON + timedelta(hours=1)
_SEARCH, _PAYMENTS = ("POST", "/v2/events"), ("GET", "/v2/payments")


@pytest.fixture
async def square() -> AsyncIterator[Square]:
    square = Square()
    await square.ask("PUT", "/v2/events/enable")
    square.wire.exchanges.clear()
    square.wire.requests.clear()
    yield square
    await square.gateway.close()
    if specification() is not None:
        assert breaches(square.wire.exchanges) == []


async def everything(log: SquareEventLog) -> list[EventPage]:
    pages = [await log.read(_BEGIN, _END)]
    while pages[-1].next_page is not None:
        pages.append(await log.read(_BEGIN, _END, page=pages[-1].next_page))
    return pages


def an_event(number: int = 1, **but: Any) -> dict[str, Any]:
    payment = {
        "id": f"PAY{number}",
        "status": "COMPLETED",
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "location_id": LOCATION,
    }
    return {
        "event_id": f"E-{number}",
        "type": "payment.updated",
        "data": {"type": "payment", "id": payment["id"], "object": {"payment": payment}},
        **but,
    }


def a_log_that_hears(answering: Answering, **but: Any) -> tuple[SquareEventLog, Recorder]:
    wire = Recorder(httpx.MockTransport(answering))
    return an_event_log(wire, **but), wire


def hearing(status: int, body: object) -> tuple[SquareEventLog, Recorder]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return a_log_that_hears(lambda _: httpx.Response(status, content=content))


def asked(wire: Recorder) -> list[tuple[str, str]]:
    return [(request.method, request.url.path) for request in wire.requests]


async def refused(log: SquareEventLog) -> str:
    with pytest.raises(EventsUnavailable) as refusal:
        await log.read(_BEGIN, _END)
    return refusal.value.because


# What is read -----------------------------------------------------------------------------


async def test_the_record_says_what_the_webhooks_say_under_the_same_ids(square: Square) -> None:
    paid = await square.gateway.send(square.a_charge())
    assert isinstance(paid, Succeeded)
    await square.refund_at_the_dashboard(paid.reference, 700)
    square.time.passes(seconds=3)
    await square.control("act", {"reference": paid.reference, "decision": "refuse"})

    [page] = await everything(square.event_log)

    delivered = [await square.webhooks.parse(*each) for each in await square.deliveries()]
    assert list(page.events) == delivered
    assert {event.name for event in delivered} == {
        "payment.created",
        "refund.created",
        "refund.updated",
        "dispute.created",
    }
    assert all(event.facts for event in delivered)


async def test_what_is_asked_for(square: Square) -> None:
    await square.pay_beside_us("p")
    square.wire.requests.clear()
    east = timezone(timedelta(hours=5, minutes=30))

    await square.event_log.read(_BEGIN.astimezone(east), _END)

    [request] = square.wire.requests
    assert (request.method, request.url.path) == _SEARCH
    assert json.loads(request.content) == {
        "limit": 100,
        "query": {
            "filter": {
                "event_types": [
                    "payment.created",
                    "payment.updated",
                    "refund.created",
                    "refund.updated",
                    "dispute.created",
                    "dispute.state.updated",
                ],
                "created_at": {
                    "start_at": "2029-12-30T12:00:00Z",
                    "end_at": "2030-01-01T13:00:00Z",
                },
            },
            "sort": {"field": "DEFAULT", "order": "ASC"},
        },
    }


async def test_a_record_of_several_pages_is_read_to_its_end(square: Square) -> None:
    for number in range(LONGEST_PAGE + 5):
        await square.pay_beside_us(f"p-{number}")

    first, second = await everything(square.event_log)

    told = [event.id for page in (first, second) for event in page.events]
    delivered = [json.loads(body)["event_id"] for body, _ in await square.deliveries()]
    assert (len(first.events), len(second.events)) == (LONGEST_PAGE, 5)
    assert told == delivered


async def test_the_cursor_goes_back_as_it_came_with_the_same_question() -> None:
    cursor = "Ä+/=.\\" + "x" * 250
    pages = [{"events": [an_event(1)], "cursor": cursor}, {"events": [an_event(2)]}]
    log, wire = a_log_that_hears(lambda _: httpx.Response(200, json=pages.pop(0)))

    found = await everything(log)

    assert [event.id for page in found for event in page.events] == ["E-1", "E-2"]
    first, second = (json.loads(request.content) for request in wire.requests)
    assert second == {**first, "cursor": cursor}


@pytest.mark.parametrize("cursor", ["", None])
async def test_an_empty_cursor_is_the_end(cursor: str | None) -> None:
    log, _ = hearing(200, {"events": [an_event()], "cursor": cursor})

    assert (await log.read(_BEGIN, _END)).next_page is None


async def test_a_page_may_be_empty_before_the_last_one() -> None:
    log, wire = hearing(200, {"events": [], "cursor": "on"})

    assert await log.read(_BEGIN, _END) == EventPage((), "on")
    assert asked(wire) == [_SEARCH]


@pytest.mark.parametrize("name", ABOUT_MONEY)
async def test_every_type_that_is_asked_for_is_understood(name: str) -> None:
    what = ABOUT_MONEY[name]
    shown = {
        "id": "X1",
        "status": "COMPLETED",
        "state": "LOST",
        "amount_money": {"amount": 2500, "currency": "EUR"},
    }
    log, _ = hearing(200, {"events": [an_event(type=name, data={"object": {what: shown}})]})

    [event] = (await log.read(_BEGIN, _END)).events

    assert (event.name, len(event.facts)) == (name, 1)


async def test_another_type_and_another_location_have_no_facts() -> None:
    elsewhere = an_event(2)
    elsewhere["data"]["object"]["payment"]["location_id"] = "LOTHER"
    log, _ = hearing(200, {"events": [an_event(1, type="order.created"), elsewhere]})

    assert (await log.read(_BEGIN, _END)).events == (
        WebhookEvent("E-1", "order.created"),
        WebhookEvent("E-2", "payment.updated"),
    )


@pytest.mark.parametrize(
    "unreadable",
    [
        None,
        "E-2",
        [],
        {},
        an_event(2, event_id=5),
        an_event(2, event_id=f"../{ACCESS_TOKEN}!"),
        an_event(2, type=None),
        an_event(2, data=None),
        an_event(2, data="none"),
        an_event(2, data={"object": "none"}),
        an_event(2, data={"object": {"payment": {"id": 5}}}),
        an_event(2, data={"object": {"refund": {"id": "R1"}}}),
    ],
)
async def test_an_event_that_cannot_be_read_is_logged_and_left_out(
    unreadable: object, caplog: pytest.LogCaptureFixture
) -> None:
    log, _ = hearing(200, {"events": [an_event(1), unreadable, an_event(3)]})

    page = await log.read(_BEGIN, _END)

    assert [event.id for event in page.events] == ["E-1", "E-3"]
    [told] = [each for each in caplog.records if each.name == "order_square.event_log"]
    assert told.levelno == logging.WARNING
    assert ACCESS_TOKEN not in caplog.text


# What is no record ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "because"),
    [
        (401, "UNAUTHORIZED", "http_401:unauthorized"),
        (429, "RATE_LIMITED", "http_429:rate_limited"),
        (500, "INTERNAL_SERVER_ERROR", "http_500:internal_server_error"),
        (503, "SERVICE_UNAVAILABLE", "http_503:service_unavailable"),
        (400, f"say {ACCESS_TOKEN}", "http_400:unrecognised"),
        (400, "BAD_REQUEST", "http_400:bad_request"),
        (403, "FORBIDDEN", "http_403:forbidden"),
        (404, "NOT_FOUND", "http_404:not_found"),
    ],
)
async def test_a_refusal_is_no_record(status: int, code: str, because: str) -> None:
    error = {"category": "API_ERROR", "code": code, "detail": f"Say nothing of {ACCESS_TOKEN}."}
    log, wire = hearing(status, {"errors": [error]})

    said = await refused(log)

    assert said.startswith(because)
    assert ("PUT /v2/events/enable" in said) is (status in {400, 403, 404})
    assert ACCESS_TOKEN not in said
    # The SDK tries again by itself unless it is told not to.
    assert asked(wire) == [_SEARCH]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b"",
        b"[]",
        b"null",
        b'"yes"',
        b'{"events": ' + b"[" * 3000,
        {"events": {"a": 1}},
        {"events": "none"},
        {"events": [an_event()], "cursor": 5},
        {"events": [an_event()], "cursor": "x" * 257},
        {"events": [an_event(number) for number in range(LONGEST_PAGE + 1)]},
        {"errors": [{"category": "API_ERROR", "code": "GATEWAY_TIMEOUT"}]},
        {"errors": [{"category": "API_ERROR", "code": "GATEWAY_TIMEOUT"}], "events": [an_event()]},
    ],
)
async def test_a_list_that_cannot_be_read_does_not_say_that_nothing_is_there(body: object) -> None:
    log, wire = hearing(200, body)

    assert len(await refused(log)) < 100
    assert asked(wire) == [_SEARCH]


@pytest.mark.parametrize(
    "fault",
    [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, OSError],
)
async def test_a_broken_connection_is_no_record(fault: type[Exception]) -> None:
    def break_off(_: httpx.Request) -> httpx.Response:
        raise fault(f"on the way with {ACCESS_TOKEN}")

    log, wire = a_log_that_hears(break_off)

    assert await refused(log) == fault.__name__
    assert len(wire.requests) == 1


async def test_a_page_ends_in_time() -> None:
    class Silence(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError(request)

    assert await refused(an_event_log(Silence(), read_seconds=0.05)) == "TimeoutError"


async def test_whoever_shows_the_failure_shows_nothing_of_squares_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = {"category": "API_ERROR", "code": "BAD_REQUEST", "detail": f"Not {ACCESS_TOKEN}."}
    log, _ = hearing(400, {"errors": [error]})
    try:
        await log.read(_BEGIN, _END)
    except EventsUnavailable:
        logging.getLogger("test").exception("the worst that somebody could do")

    assert "EventsUnavailable" in caplog.text
    assert ACCESS_TOKEN not in caplog.text + repr(vars(log))


# Events that are not enabled --------------------------------------------------------------


async def test_payments_without_events_mean_that_events_are_not_enabled(square: Square) -> None:
    await square.ask("PUT", "/v2/events/disable")
    await square.gateway.send(square.a_charge())
    square.wire.requests.clear()

    because = await refused(square.event_log)

    assert "PUT /v2/events/enable" in because
    # The shop decides about that, not we.
    assert asked(square.wire) == [_SEARCH, _PAYMENTS]


async def test_from_the_moment_it_is_enabled_the_record_is_read(square: Square) -> None:
    await square.ask("PUT", "/v2/events/disable")
    await square.gateway.send(square.a_charge())
    await square.ask("PUT", "/v2/events/enable")
    assert "PUT /v2/events/enable" in await refused(square.event_log)

    await square.gateway.send(square.a_charge())

    [page] = await everything(square.event_log)
    assert len(page.events) == 1


async def test_without_payments_an_empty_record_is_believed(square: Square) -> None:
    await square.gateway.send(square.a_charge("ccof:customer-card-id-declined"))
    square.time.passes(days=3)
    square.wire.requests.clear()
    now: datetime = square.time.now()

    page = await square.event_log.read(now - timedelta(days=2), now)

    assert page == EventPage(())
    assert asked(square.wire) == [_SEARCH, _PAYMENTS]


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "PENDING", None])
async def test_only_money_that_was_taken_must_have_been_told(status: str | None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        shown = {"payments": [{"id": "P1", "status": status}]}
        return httpx.Response(200, json={} if request.method == "POST" else shown)

    log, _ = a_log_that_hears(answer)

    assert await log.read(_BEGIN, _END) == EventPage(())


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(200, json={"payments": 1})])
async def test_an_empty_record_that_cannot_be_checked_is_not_believed(
    answer: httpx.Response,
) -> None:
    log, _ = a_log_that_hears(
        lambda request: httpx.Response(200, json={}) if request.method == "POST" else answer
    )

    assert await refused(log) in {"http_500:no_code", "unreadable_answer"}


async def test_no_payment_is_looked_for_behind_the_first_page() -> None:
    log, wire = hearing(200, {})

    assert await log.read(_BEGIN, _END, page="on") == EventPage(())
    assert asked(wire) == [_SEARCH]
