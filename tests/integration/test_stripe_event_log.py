"""What Stripe has on record as told is read whole, and as it would have been delivered."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from order_core.errors import EventsUnavailable
from order_core.money import Money
from order_core.outcomes import Succeeded
from order_core.ports import EventLog, EventPage, WebhookEvent
from order_stripe import StripeEventLog, StripeWebhooks, event_log, event_reader, stripe_client
from order_stripe.event_facts import EVENTS
from tests.integration.stripe_wire import API_KEY, Shop, assert_as_documented

_NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_SECRET = "whsec_emulator"
_KEY = "rk_test_very_secret"

Json = dict[str, Any]


class _Time:
    def __init__(self) -> None:
        self.is_now = _NOON

    def now(self) -> datetime:
        return self.is_now


class _Shop(Shop):
    """Also hears what is delivered."""

    def __init__(self, time: _Time) -> None:
        super().__init__(now=time.now, webhook_url="https://shop.example/hook", post=self._post)
        self._webhooks = StripeWebhooks(_SECRET, livemode=False, now=time.now)
        self.heard: list[WebhookEvent] = []
        client = stripe_client(API_KEY, self.http, "http://emulator")
        self.log: EventLog = StripeEventLog(client, livemode=False)

    async def _post(self, _url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.heard.append(await self._webhooks.parse(body, headers))
        return 200

    async def steer(self, action: str) -> None:
        wish = {"action": action}
        assert (await self.control.post("/_emulator/webhooks", json=wish)).is_success

    async def order(self, path: str, **data: Any) -> Json:
        """What somebody asks of Stripe beside us."""
        answer = await self.http.post(
            f"http://emulator/v1/{path}", data=data, headers={"authorization": f"Bearer {API_KEY}"}
        )
        shown: Json = answer.json()
        return shown

    async def pays(self, method: str = "pm_card_visa", **but: Any) -> str:
        order = {"amount": 2500, "currency": "eur", "confirm": "true", "payment_method": method}
        made: str = (await self.order("payment_intents", **order, **but))["id"]
        return made


@pytest.fixture
def time() -> _Time:
    return _Time()


@pytest.fixture
async def shop(time: _Time) -> AsyncIterator[_Shop]:
    shop = _Shop(time)
    yield shop
    await shop.steer("drain")
    await shop.close()
    assert_as_documented(shop.wire)


async def whole(log: EventLog, begin: datetime, end: datetime) -> list[EventPage]:
    """All pages, the first one first."""
    pages = [await log.read(begin, end)]
    while pages[-1].next_page is not None:
        pages.append(await log.read(begin, end, page=pages[-1].next_page))
    return pages


def names(page: EventPage) -> list[str]:
    return [event.name for event in page.events]


async def test_what_is_read_is_what_was_delivered(shop: _Shop) -> None:
    paid = await shop.pays()
    await shop.order("refunds", payment_intent=paid, amount=700)
    await shop.pays("pm_card_createDisputeInquiry")
    await shop.pays("pm_card_createDispute")
    held = await shop.pays(capture_method="manual")
    await shop.order(f"payment_intents/{held}/capture", amount_to_capture=900)
    asked = await shop.pays("pm_card_authenticationRequired")
    await shop.order(f"payment_intents/{asked}/cancel")
    await shop.steer("drain")

    page = await shop.log.read(_NOON - _DAY, _NOON)

    delivered = [event for event in shop.heard if event.name in EVENTS]
    assert list(page.events) == delivered[::-1]
    assert len(delivered) > 8
    assert page.next_page is None


async def test_what_was_never_delivered_is_read(shop: _Shop) -> None:
    await shop.steer("hold")
    await shop.pays()
    await shop.steer("drain")

    page = await shop.log.read(_NOON - _DAY, _NOON)

    assert shop.heard == []
    assert names(page) == ["payment_intent.succeeded"]
    assert len(page.events[0].facts) == 1


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [
        (-1, 1, True),
        (0.9, 9, True),  # Stripe's moments are whole seconds, and this one is not over.
        (-9, 0, True),
        (1, 9, False),
        (-9, -1, False),
    ],
)
async def test_only_what_came_to_be_in_that_time_is_read(
    shop: _Shop, begins: float, ends: float, found: bool
) -> None:
    await shop.pays()

    page = await shop.log.read(_NOON + begins * _SECOND, _NOON + ends * _SECOND)

    assert len(page.events) == found


async def test_more_than_a_hundred_events_are_read_page_by_page_and_none_twice(
    shop: _Shop, time: _Time
) -> None:
    paid = await shop.pays()
    for _ in range(104):
        time.is_now += _SECOND
        await shop.order("refunds", payment_intent=paid, amount=1)

    pages = await whole(shop.log, _NOON, time.is_now)

    ids = [event.id for page in pages for event in page.events]
    assert [len(page.events) for page in pages] == [100, 100, 9]
    assert pages[0].next_page == ids[99]
    assert len(set(ids)) == 209


async def test_no_more_types_are_asked_for_than_stripe_takes_at_once(shop: _Shop) -> None:
    await shop.log.read(_NOON - _DAY, _NOON)

    query = parse_qs(shop.wire.calls[0][0].url.query.decode())
    types = [query[f"types[{number}]"] for number in range(len(EVENTS))]
    assert types == [[name] for name in EVENTS]
    assert len(types) <= 20


async def test_events_older_than_thirty_days_are_gone(shop: _Shop, time: _Time) -> None:
    await shop.pays()
    time.is_now += 31 * _DAY

    assert (await shop.log.read(_NOON - _DAY, time.is_now)).events == ()


async def test_a_page_that_stripe_does_not_know_cannot_be_read(shop: _Shop) -> None:
    with pytest.raises(EventsUnavailable, match=r"^answer 400$"):
        await shop.log.read(_NOON - _DAY, _NOON, page="evt_forgotten")


@pytest.mark.parametrize(
    ("kind", "because"),
    [
        ("request_lost", "no answer"),
        ("answer_lost", "no answer"),
        ("error_before", "answer 500"),
        ("rate_limited", "asked too often"),
    ],
)
async def test_stripe_is_asked_once_and_not_again(shop: _Shop, kind: str, because: str) -> None:
    await shop.pays()
    await shop.fault("GET /v1/events", kind)

    with pytest.raises(EventsUnavailable, match=f"^{because}$"):
        await shop.log.read(_NOON - _DAY, _NOON)

    assert names(await shop.log.read(_NOON - _DAY, _NOON)) == ["payment_intent.succeeded"]


# A scripted Stripe --------------------------------------------------------------------------


class _Stripe:
    """Shows these events as one list, and of every payment these refunds."""

    def __init__(self, *events: Any, **but: Any) -> None:
        self.list = {"object": "list", "url": "/v1/events", "has_more": False, "data": [*events]}
        self.list.update(but)
        self.refunds: list[Json] = []
        self.asked: list[httpx.Request] = []
        self.before: Callable[[httpx.Request], None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.before(request)
        if request.url.path == "/v1/refunds":
            listed = {"object": "list", "has_more": False, "data": self.refunds}
            return httpx.Response(200, json=listed)
        return httpx.Response(200, json=self.list)


async def read(
    answering: Callable[[httpx.Request], Any], page: str | None = None, **settings: Any
) -> EventPage:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answering)) as http:
        log = StripeEventLog(stripe_client(_KEY, http, "http://stripe"), **settings)
        return await log.read(_NOON - _DAY, _NOON, page=page)


def event(number: int, name: str = "payment_intent.succeeded", **but: Any) -> Json:
    intent = {"id": "pi_1", "status": "succeeded", "amount_received": 2500, "currency": "eur"}
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "type": name,
        "livemode": False,
        "created": 1_900_000_000,
        "data": {"object": intent},
        **but,
    }


def a_refunded_charge(number: int) -> Json:
    """As an account of an older version has it: without its refunds."""
    charge = {"id": "ch_1", "payment_intent": f"pi_{number}", "currency": "eur"}
    return event(number, "charge.refunded", api_version="2023-10-16", data={"object": charge})


async def test_an_event_that_cannot_be_read_is_left_out_and_the_next_page_is_still_found(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strange = [
        event(2, data={"object": {"id": "no intent"}}),
        event(3, data=None),
        event(4) | {"id": ""},
        event(5) | {"type": 5},
        event(6, data={"object": {"status": "succeeded"}}),
    ]

    page = await read(_Stripe(event(1), *strange, has_more=True))

    assert [each.id for each in page.events] == ["evt_1"]
    assert page.next_page == "evt_6"
    told = [each.message for each in caplog.records if each.name == event_log.__name__]
    assert [message.partition(" in ")[0] for message in told] == [
        "event evt_2",
        "event evt_3",
        "event without an id",
        "event evt_5",
        "event evt_6",
    ]


async def test_what_says_nothing_about_money_has_no_facts() -> None:
    page = await read(_Stripe(event(1, "customer.created"), event(2), has_more=True))

    assert [(each.id, len(each.facts)) for each in page.events] == [("evt_1", 0), ("evt_2", 1)]


@pytest.mark.parametrize("live", [True, False])
async def test_events_of_the_other_mode_move_nothing(live: bool) -> None:
    stripe = _Stripe(event(1, livemode=True), event(2, livemode=False))

    page = await read(stripe, livemode=live)

    assert [len(each.facts) for each in page.events] == [int(live), int(not live)]


async def test_an_older_version_is_asked_for_the_refunds_that_it_leaves_out() -> None:
    stripe = _Stripe(a_refunded_charge(7))
    stripe.refunds = [{"id": "re_1", "status": "succeeded", "amount": 900, "currency": "eur"}]

    page = await read(stripe)

    (fact,) = page.events[0].facts
    assert fact.outcome == Succeeded("re_1", Money(900, "EUR"), "")
    assert (fact.parent_reference, fact.sequence) == ("pi_7", 1_900_000_000)
    assert [request.url.path for request in stripe.asked] == ["/v1/events", "/v1/refunds"]


async def test_refunds_that_cannot_be_had_make_the_page_unavailable() -> None:
    def answering(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/refunds":
            return httpx.Response(503)
        return _Stripe(event(1), a_refunded_charge(2))(request)

    with pytest.raises(EventsUnavailable, match=r"^the refunds of a charge cannot be had$"):
        await read(answering)


async def test_refunds_that_stripe_does_not_tell_in_time_make_the_page_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_reader, "_ASKING_SECONDS", 0.05)

    async def answering(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/refunds":
            await asyncio.sleep(60)
        return _Stripe(event(1), a_refunded_charge(2))(request)

    with pytest.raises(EventsUnavailable, match=r"^the refunds of a charge cannot be had$"):
        await asyncio.wait_for(read(answering), 5)


async def test_what_takes_too_long_is_left_for_the_next_page() -> None:
    clock = [0.0]
    stripe = _Stripe(*map(a_refunded_charge, range(1, 8)), event(8))

    def passes(request: httpx.Request) -> None:
        clock[0] += 11.9 if request.url.path == "/v1/events" else 3.0

    stripe.before = passes

    page = await read(stripe, monotonic=lambda: clock[0])

    assert [each.id for each in page.events] == ["evt_1", "evt_2", "evt_3"]
    assert page.next_page == "evt_3"
    assert clock[0] < 30


async def test_one_event_at_least_is_read_however_long_it_takes() -> None:
    clock = [0.0]
    stripe = _Stripe(a_refunded_charge(1), a_refunded_charge(2))

    def passes(_: httpx.Request) -> None:
        clock[0] += 60

    stripe.before = passes

    page = await read(stripe, page="evt_0", monotonic=lambda: clock[0])

    assert (len(page.events), page.next_page) == (1, "evt_1")


@pytest.mark.parametrize(
    ("status", "error", "because"),
    [
        (400, {"type": "invalid_request_error", "code": "resource_missing"}, "answer 400"),
        (401, {"type": "invalid_request_error"}, "the API key is refused"),
        (403, {"type": "invalid_request_error"}, "the API key may not read events"),
        (404, {"type": "invalid_request_error"}, "answer 404"),
        (429, {"type": "invalid_request_error", "code": "rate_limit"}, "asked too often"),
        (500, {"type": "api_error"}, "answer 500"),
        (503, {}, "answer 503"),
        (302, {}, "answer 302"),
    ],
)
async def test_why_there_are_no_events_is_told_and_nothing_secret(
    status: int, error: Json, because: str
) -> None:
    asked = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json={"error": {"message": f"Key {_KEY}", **error}})

    with pytest.raises(EventsUnavailable) as unavailable:
        await read(answering)

    assert unavailable.value.because == because
    assert len(asked) == 1


_TOO_DEEP = b'{"object": "list", "data": ' + b"[" * 900 + b"]" * 900 + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"null",
        b"5",
        b"[]",
        b"{}",
        b"[" * 100_000,
        _TOO_DEEP,
        b'{"object": "list", "has_more": false}',
        b'{"object": "list", "has_more": false, "data": {}}',
        b'{"object": "list", "has_more": false, "data": [1]}',
        b'{"object": "list", "has_more": false, "data": null}',
        b'{"object": "list", "data": []}',
        b'{"object": "list", "has_more": "true", "data": []}',
        b'{"object": "list", "has_more": true, "data": []}',
        b'{"object": "list", "has_more": true, "data": [{"object": "event"}]}',
        b'{"object": "list", "has_more": true, "data": [{"object": "event", "id": "evt_0"}]}',
        json.dumps({"has_more": False, "data": [event(n) for n in range(101)]}).encode(),
    ],
    ids=range(19),
)
async def test_a_list_that_cannot_be_read_is_no_list_without_events(body: bytes) -> None:
    with pytest.raises(EventsUnavailable) as unavailable:
        await read(lambda _: httpx.Response(200, content=body), page="evt_0")

    assert len(unavailable.value.because) < 60


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (httpx.ConnectError(_KEY), "no connection"),
        (httpx.ConnectTimeout(_KEY), "no connection"),
        (httpx.ReadTimeout(_KEY), "no answer"),
        (httpx.RemoteProtocolError(_KEY), "no answer"),
    ],
)
async def test_silence_is_no_list_without_events(error: Exception, because: str) -> None:
    def answering(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(EventsUnavailable, match=f"^{because}$"):
        await read(answering)


async def test_an_answer_that_never_comes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_log, "_LIST_SECONDS", 0.05)

    async def answering(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(EventsUnavailable, match=r"^no answer in time$"):
        await asyncio.wait_for(read(answering), 5)
