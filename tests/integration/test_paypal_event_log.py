"""How the list of what PayPal told is asked for, and what its answers come to."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from order_core.errors import EventsUnavailable
from order_core.money import Money
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.ports import EventLog, EventPage, ProviderFact, WebhookEvent
from order_paypal import (
    ApiAnswer,
    ApiRequest,
    NoAnswer,
    PayPalEventLog,
    PayPalGateway,
    PayPalTransport,
    RequestNotSent,
    build,
)
from tests.integration.paypal_scripted import ScriptedApi

_LIVE = frozenset({"https://api-m.paypal.com", "https://api.paypal.com"})
_LIST = "https://api.paypal.com/v1/notifications/webhooks-events"
_NEXT = f"{_LIST}/?start_time=2026-11-20T00:00:00Z&page_size=2&move_to=next&index_id=3"
_END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_BEGIN = _END - timedelta(days=2)


@contextlib.asynccontextmanager
async def log_of(api: ScriptedApi, **but: Any) -> AsyncIterator[EventLog]:
    gateway = PayPalGateway(api, account="scripted", slots=1)
    yield PayPalEventLog(gateway.threads, _LIVE, **but)
    await gateway.close()


async def read(answer: ApiAnswer | Exception, *, page: str | None = None) -> EventPage:
    async with log_of(ScriptedApi(answer)) as log:
        return await log.read(_BEGIN, _END, page=page)


def listing(*events: object, next_page: str | None = None, **but: Any) -> ApiAnswer:
    links = [{"rel": "previous", "href": f"{_LIST}?move_to=previous"}]
    if next_page is not None:
        links.append({"rel": "next", "href": next_page})
    return ApiAnswer(200, {"events": list(events), "count": len(events), "links": links, **but})


def a_refund(event_id: str = "WH-1", **but: Any) -> dict[str, object]:
    resource = {
        "id": "1JU08902781691411",
        "status": "COMPLETED",
        "amount": {"value": "10.00", "currency_code": "EUR"},
        "links": [
            {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/2GG279541U471931P"}
        ],
    }
    return {
        "id": event_id,
        "event_type": "PAYMENT.CAPTURE.REFUNDED",
        "resource": {**resource, **but},
    }


# What is asked -----------------------------------------------------------------------------


async def test_the_list_is_asked_for_in_whole_seconds_of_utc_and_none_too_few() -> None:
    api = ScriptedApi(listing(), listing())
    half = timedelta(microseconds=500_000)
    in_tokyo = timezone(timedelta(hours=9))

    async with log_of(api) as log:
        await log.read(_BEGIN + half, _END + half)
        await log.read(_BEGIN.astimezone(in_tokyo), _END.astimezone(in_tokyo))

    assert [(asked.method, asked.path, asked.body, asked.key) for asked in api.asked] == [
        ("GET", "/v1/notifications/webhooks-events", None, None)
    ] * 2
    assert [dict(asked.query) for asked in api.asked] == [
        {
            "start_time": "2026-11-20T12:00:00Z",
            "end_time": "2026-11-22T12:00:01Z",
            "page_size": "50",
        },
        {
            "start_time": "2026-11-20T12:00:00Z",
            "end_time": "2026-11-22T12:00:00Z",
            "page_size": "50",
        },
    ]


# What is listed ----------------------------------------------------------------------------


async def test_a_listed_event_says_what_it_says_when_it_is_delivered() -> None:
    page = await read(listing(a_refund(), {"id": "WH-2", "event_type": "SOME.NEW.EVENT"}))

    back = Succeeded("1JU08902781691411", Money(1000, "EUR"), "")
    fact = ProviderFact(
        TransactionKind.REFUND, back, back.reference, parent_reference="2GG279541U471931P"
    )
    assert page == EventPage(
        (
            WebhookEvent("WH-1", "PAYMENT.CAPTURE.REFUNDED", (fact,)),
            WebhookEvent("WH-2", "SOME.NEW.EVENT"),
        )
    )


@pytest.mark.parametrize(
    "odd", [7, None, [], {}, {"id": "a b"}, {"id": 7}, {"id": "", "event_type": "X"}]
)
async def test_what_is_no_event_is_logged_and_left_out(
    odd: object, caplog: pytest.LogCaptureFixture
) -> None:
    page = await read(listing(a_refund("WH-1"), odd, a_refund("WH-3")))

    assert [event.id for event in page.events] == ["WH-1", "WH-3"]
    assert caplog.messages == ["an event that PayPal lists has no id"]


async def test_an_event_that_breaks_its_reader_is_logged_and_hides_no_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader(name: str, resource: dict[str, object]) -> tuple[ProviderFact, ...]:
        if resource["id"] == "breaks":
            raise ZeroDivisionError(name)
        return ()

    monkeypatch.setattr("order_paypal.events.facts_of", reader)
    page = await read(listing(a_refund("WH-1", id="breaks"), a_refund("WH-2")))

    assert [event.id for event in page.events] == ["WH-2"]
    assert caplog.messages == ["an event that PayPal lists cannot be read"]


@pytest.mark.parametrize("body", [{"count": 0}, {"events": [], "links": None}])
async def test_a_list_may_be_empty(body: dict[str, object]) -> None:
    assert await read(ApiAnswer(200, body)) == EventPage(())


# Where it goes on --------------------------------------------------------------------------


async def test_the_rest_is_asked_for_in_paypals_words_and_at_our_own_address() -> None:
    api = ScriptedApi(listing(a_refund(), next_page=_NEXT), listing())

    async with log_of(api) as log:
        first = await log.read(_BEGIN, _END)
        last = await log.read(_BEGIN, _END, page=first.next_page)

    assert last.next_page is None
    assert api.asked[1] == ApiRequest(
        "GET",
        "/v1/notifications/webhooks-events",
        query=(
            ("start_time", "2026-11-20T00:00:00Z"),
            ("move_to", "next"),
            ("index_id", "3"),
            ("page_size", "50"),
        ),
    )


async def test_whatever_stands_in_the_address_of_the_rest_arrives_as_it_was_written() -> None:
    onward = "start_time=2026-11-20T05:00:00+02:00&cursor=a%26b%3Dc%2B%C3%A4"
    first = await read(listing(next_page=f"{_LIST}?{onward}"))
    api = ScriptedApi(listing())

    async with log_of(api) as log:
        await log.read(_BEGIN, _END, page=first.next_page)

    # A plus means a space in an address, and is written as a plus again.
    assert api.asked[0].query[:2] == (
        ("start_time", "2026-11-20T05:00:00 02:00"),
        ("cursor", "a&b=c+ä"),
    )


@pytest.mark.parametrize("address", sorted(_LIVE))
@pytest.mark.parametrize("slash", ["", "/"])
async def test_each_name_of_our_own_place_may_stand_in_a_link(address: str, slash: str) -> None:
    href = f"{address}/v1/notifications/webhooks-events{slash}?move_to=next"

    assert (await read(listing(next_page=href))).next_page == "move_to=next"


@pytest.mark.parametrize(
    "href",
    [
        "http://api.paypal.com/v1/notifications/webhooks-events?move_to=next",
        "https://api.sandbox.paypal.com/v1/notifications/webhooks-events?move_to=next",
        "https://evil.example/v1/notifications/webhooks-events?move_to=next",
        "https://api.paypal.com.evil.example/v1/notifications/webhooks-events?move_to=next",
        "https://api.paypal.com@evil.example/v1/notifications/webhooks-events?move_to=next",
        "https://eve@api.paypal.com/v1/notifications/webhooks-events?move_to=next",
        "https://api.paypal.com:8443/v1/notifications/webhooks-events?move_to=next",
        "https://api.paypal.com/v1/notifications/webhooks-events/../x?move_to=next",
        "https://api.paypal.com/v1/notifications/webhooks-events/WH-1?move_to=next",
        "https://api.paypal.com/v1/notifications/webhooks-events//?move_to=next",
        "https://api.paypal.com/v1/notifications/webhooks-events%2F?move_to=next",
        "https://api.paypal.com/v1/oauth2/token?move_to=next",
        "//api.paypal.com/v1/notifications/webhooks-events?move_to=next",
        "/v1/notifications/webhooks-events?move_to=next",
        "file:///v1/notifications/webhooks-events?move_to=next",
        "?move_to=next",
    ],
)
async def test_a_link_to_another_place_is_never_followed(href: str) -> None:
    with pytest.raises(EventsUnavailable, match="not at PayPal's list"):
        await read(listing(a_refund(), next_page=href))


@pytest.mark.parametrize(
    "href",
    [
        "",
        "https://[::1/v1/notifications/webhooks-events?move_to=next",
        _LIST,
        f"{_LIST}?",
        f"{_LIST}?page_size=5",
        f"{_LIST}?move_to",
        f"{_LIST}?Move-To=next",
        f"{_LIST}?amp;move_to=next",
        f"{_LIST}?move_to=\ud800",
        f"{_LIST}?move_to={'x' * 1000}",
    ],
)
async def test_a_link_that_cannot_be_read_is_not_the_end_of_the_list(href: str) -> None:
    with pytest.raises(EventsUnavailable, match="next page"):
        await read(listing(a_refund(), next_page=href))


@pytest.mark.parametrize("links", ["next", {"next": _NEXT}, 7])
async def test_links_that_cannot_be_read_are_not_the_end_of_the_list(links: object) -> None:
    with pytest.raises(EventsUnavailable, match="links cannot be read"):
        await read(listing(a_refund(), links=links))


async def test_a_next_link_without_an_address_is_not_the_end_of_the_list() -> None:
    with pytest.raises(EventsUnavailable, match="next page"):
        await read(listing(a_refund(), links=[None, {"rel": "next", "href": 7}]))


async def test_a_page_that_leads_to_itself_is_not_read_for_ever() -> None:
    page = (await read(listing(a_refund(), next_page=_NEXT))).next_page

    with pytest.raises(EventsUnavailable, match="followed by itself"):
        await read(listing(a_refund(), next_page=_NEXT), page=page)


# Where there is no list --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (RequestNotSent("misconfigured:credentials_refused"), "misconfigured:credentials_refused"),
        (RequestNotSent("cannot_connect:ConnectTimeout"), "cannot_connect:ConnectTimeout"),
        (NoAnswer("connection_failed:ReadTimeout"), "connection_failed:ReadTimeout"),
        (ApiAnswer(302, {}), "not_readable:status_302"),
        (ApiAnswer(400, {"name": "VALIDATION_ERROR"}), "not_readable:status_400"),
        (ApiAnswer(403, {"name": "NOT_AUTHORIZED", "x": "s3cret"}), "not_readable:status_403"),
        (ApiAnswer(404, {"name": "RESOURCE_NOT_FOUND"}), "there is no list of events"),
        (ApiAnswer(429, {}, 7.0), "not_readable:status_429"),
        (ApiAnswer(503, None), "not_readable:status_503"),
        (ApiAnswer(200, None), "not_readable:status_200"),
        (ApiAnswer(204, {}), "not_readable:status_204"),
        (ApiAnswer(200, {"count": 3}), "the list of events cannot be read"),
        (ApiAnswer(200, {"events": "s3cret"}), "the list of events cannot be read"),
        (ApiAnswer(200, {"events": {"id": "WH-1"}}), "the list of events cannot be read"),
        (ApiAnswer(200, {"events": [{}] * 101}), "a page of the list is too long"),
    ],
)
async def test_a_list_that_cannot_be_had_is_no_empty_list(
    answer: ApiAnswer | Exception, because: str
) -> None:
    with pytest.raises(EventsUnavailable) as refusal:
        await read(answer)

    assert refusal.value.because == str(refusal.value) == because


async def test_a_page_may_be_as_long_as_the_port_allows() -> None:
    page = await read(listing(*(a_refund(f"WH-{number}") for number in range(100))))

    assert len({event.id for event in page.events}) == 100


class SlowApi(ScriptedApi):
    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        time.sleep(2.0)
        return super().call(request, until=until, may_leave=may_leave)


async def test_it_ends_in_time_whatever_the_connection_does() -> None:
    began = time.monotonic()
    async with log_of(SlowApi(listing()), call_seconds=0.1) as log:
        with pytest.raises(EventsUnavailable, match="no_answer_in_time"):
            await log.read(_BEGIN, _END)
        # The only slot is taken by the call that nobody waits for any more.
        with pytest.raises(EventsUnavailable, match="no_free_connection"):
            await log.read(_BEGIN, _END)
        assert time.monotonic() - began < 1.9


async def test_after_the_end_of_the_gateway_nothing_is_asked() -> None:
    api = ScriptedApi(listing())
    async with log_of(api) as log:
        pass

    with pytest.raises(EventsUnavailable, match="closed"):
        await log.read(_BEGIN, _END)
    assert api.asked == []


# The plugin --------------------------------------------------------------------------------


@pytest.mark.parametrize("webhook_id", ["", "8PT597110X687430LKGECATA"])
async def test_the_list_needs_no_webhook_id(webhook_id: str) -> None:
    plugin = build(
        {
            "PAYPAL_CLIENT_ID": "me",
            "PAYPAL_CLIENT_SECRET": "s3cret",
            "PAYPAL_WEBHOOK_ID": webhook_id,
        }
    )

    assert plugin.event_log is not None
    assert (plugin.webhooks is None) is (not webhook_id)
    await plugin.gateway.close()


@pytest.mark.parametrize(
    ("base", "names_itself"),
    [
        ("https://api-m.paypal.com", {"https://api-m.paypal.com", "https://api.paypal.com"}),
        ("https://api.paypal.com", {"https://api-m.paypal.com", "https://api.paypal.com"}),
        (
            "https://API-M.sandbox.paypal.com",
            {"https://api-m.sandbox.paypal.com", "https://api.sandbox.paypal.com"},
        ),
        ("http://127.0.0.1:4012", {"http://127.0.0.1:4012"}),
    ],
)
async def test_the_list_goes_on_at_the_account_that_was_set_and_nowhere_else(
    base: str, names_itself: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = {
        "https://api-m.paypal.com",
        "https://api.paypal.com",
        "https://api-m.sandbox.paypal.com",
        "https://api.sandbox.paypal.com",
        "http://127.0.0.1:4012",
        "http://127.0.0.1:4013",
        "https://evil.example",
    }
    plugin = build(
        {"PAYPAL_CLIENT_ID": "me", "PAYPAL_CLIENT_SECRET": "s3cret", "PAYPAL_API_BASE": base}
    )
    assert plugin.event_log is not None
    followed = set()
    for address in everybody:
        answer = listing(next_page=f"{address}/v1/notifications/webhooks-events?move_to=next")
        monkeypatch.setattr(PayPalTransport, "call", ScriptedApi(answer).call)
        with contextlib.suppress(EventsUnavailable):
            await plugin.event_log.read(_BEGIN, _END)
            followed.add(address)
    await plugin.gateway.close()

    assert followed == names_itself
