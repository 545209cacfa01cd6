"""What the pretended Square does by itself."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from order_emulators import build_emulator
from tests.integration.square_wire import ACCESS_TOKEN, LOCATION, NOON, Square, Time

_HOUR = timedelta(hours=1)


async def test_its_books_show_that_a_refund_is_done_though_nobody_asked_it_meanwhile() -> None:
    time = Time()
    secrets = {"access_token": ACCESS_TOKEN, "location_id": LOCATION, "currency": "EUR"}
    emulator = build_emulator("square", clock=time.now, sleep=time.sleep, secrets=secrets)
    transport = httpx.ASGITransport(emulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://square.test") as http:
        money = {"amount": 2500, "currency": "EUR"}
        paid = await _post(
            http,
            "payments",
            idempotency_key="pay",
            source_id="ccof:customer-card-id-ok",
            customer_id="CUST7",
            location_id=LOCATION,
            amount_money=money,
        )
        await _post(
            http,
            "refunds",
            idempotency_key="back",
            payment_id=paid["payment"]["id"],
            amount_money=money,
        )
        at_once = await _refunds(http)
        time.passes(days=1)
        later = await _refunds(http)

    assert at_once == []
    assert [(entry["amount"], entry["moved"]) for entry in later] == [(2500, True)]


async def _post(http: httpx.AsyncClient, what: str, **body: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}", "square-version": "2025-10-16"}
    answer = await http.post(f"/v2/{what}", json=body, headers=headers)
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _refunds(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    entries = (await http.get("/_emulator/ledger")).raise_for_status().json()
    return [entry for entry in entries if entry["kind"] == "refund" and entry["moved"]]


# Events on record -------------------------------------------------------------------------


async def _search(square: Square, **body: Any) -> dict[str, Any]:
    answer = await square.ask("POST", "/v2/events", body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _narrowed(**only: Any) -> dict[str, Any]:
    return {"query": {"filter": only}}


async def _found(square: Square, **body: Any) -> list[str]:
    """The payments of which the events tell, newest first."""
    found = await _search(square, **body)
    return [event["data"]["id"] for event in found.get("events", ())]


@pytest.fixture
async def square() -> Square:
    """One whose events are on record from noon on."""
    square = Square()
    await square.ask("PUT", "/v2/events/enable")
    return square


async def test_events_are_on_record_only_from_the_time_in_which_they_are_enabled() -> None:
    square = Square()
    await square.pay_beside_us("before")
    assert await _search(square) == {}

    await square.ask("PUT", "/v2/events/enable")
    first = await square.pay_beside_us("first")
    await square.ask("PUT", "/v2/events/disable")
    await square.pay_beside_us("meanwhile")
    assert await _search(square) == {}

    await square.ask("PUT", "/v2/events/enable")
    second = await square.pay_beside_us("second")
    assert await _found(square) == [second["id"], first["id"]]


async def test_the_record_shows_what_was_delivered_and_what_was_not(square: Square) -> None:
    await square.pay_beside_us("delivered")
    await square.deliveries()
    await square.control("webhooks", {"action": "hold"})
    await square.pay_beside_us("held")

    found = await _search(square, query={"sort": {"order": "ASC"}})

    told = await square.control("webhooks")
    assert [event["event_id"] for event in found["events"]] == [each["id"] for each in told]
    assert [each["event_id"] for each in found["metadata"]] == [each["id"] for each in told]
    assert len(await square.deliveries()) == 1


async def test_a_search_narrows_by_type_place_and_time(square: Square) -> None:
    first = await square.pay_beside_us("first")
    square.time.passes(hours=1)
    second = await square.pay_beside_us("second")
    refund = await square.refund_at_the_dashboard(second["id"], 100)
    early = {"start_at": NOON.isoformat(), "end_at": (NOON + _HOUR / 2).isoformat()}
    exact = {"start_at": "2030-01-01T13:00:00Z", "end_at": "2030-01-01T14:00:00+01:00"}

    everything = [refund["id"], second["id"], first["id"]]
    assert await _found(square) == everything
    assert await _found(square, **_narrowed(event_types=["refund.created"])) == [refund["id"]]
    assert await _found(square, **_narrowed(created_at=early)) == [first["id"]]
    assert await _found(square, **_narrowed(created_at=exact)) == everything[:2]
    assert await _found(square, **_narrowed(location_ids=[LOCATION])) == everything
    assert await _found(square, **_narrowed(location_ids=["LOTHER"])) == []
    assert await _found(square, **_narrowed(merchant_ids=["MOTHER"])) == []


@pytest.mark.parametrize("order", ["ASC", "DESC"])
async def test_a_cursor_goes_on_where_the_page_ended_whatever_happened_since(
    square: Square, order: str
) -> None:
    paid = [(await square.pay_beside_us(f"p-{number}"))["id"] for number in range(5)]
    query = {"filter": {"event_types": ["payment.created"]}, "sort": {"order": order}}

    page = await _search(square, limit=2, query=query)
    late = (await square.pay_beside_us("late"))["id"]
    found = page["events"]
    while "cursor" in page:
        page = await _search(square, limit=2, query=query, cursor=page["cursor"])
        found += page["events"]

    expected = [*paid, late] if order == "ASC" else paid[::-1]
    assert [event["data"]["id"] for event in found] == expected


async def test_events_are_kept_for_28_days(square: Square) -> None:
    await square.pay_beside_us("old")
    square.time.passes(days=27)
    newer = await square.pay_beside_us("newer")
    square.time.passes(days=1, seconds=1)

    assert await _found(square) == [newer["id"]]
    newest = await square.pay_beside_us("newest")
    assert await _found(square) == [newest["id"], newer["id"]]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"page": 1}, "UNKNOWN_BODY_PARAMETER", "page"),
        ({"limit": 0}, "VALUE_TOO_LOW", "limit"),
        ({"limit": 101}, "VALUE_TOO_HIGH", "limit"),
        ({"limit": "5"}, "EXPECTED_INTEGER", "limit"),
        ({"limit": True}, "EXPECTED_INTEGER", "limit"),
        ({"cursor": "5"}, "INVALID_CURSOR", "cursor"),
        ({"cursor": "é"}, "INVALID_CURSOR", "cursor"),
        ({"cursor": "x" * 257}, "VALUE_TOO_LONG", "cursor"),
        ({"query": []}, "EXPECTED_OBJECT", "query"),
        ({"query": {"filters": {}}}, "UNKNOWN_BODY_PARAMETER", "query.filters"),
        (_narrowed(types=[]), "UNKNOWN_BODY_PARAMETER", "query.filter.types"),
        (_narrowed(event_types="x"), "EXPECTED_ARRAY", "query.filter.event_types"),
        (_narrowed(event_types=[1]), "INVALID_ARRAY_VALUE", "query.filter.event_types"),
        (
            _narrowed(created_at={"start_at": "soon"}),
            "INVALID_TIME",
            "query.filter.created_at.start_at",
        ),
        (
            _narrowed(created_at={"end_at": "2030-01-01T12:00:00"}),
            "INVALID_TIME",
            "query.filter.created_at.end_at",
        ),
        (
            _narrowed(
                created_at={"start_at": "2030-01-01T12:00:00Z", "end_at": "2030-01-01T11:00:00Z"}
            ),
            "INVALID_TIME_RANGE",
            "query.filter.created_at",
        ),
        ({"query": {"sort": {"field": "TYPE"}}}, "INVALID_ENUM_VALUE", "query.sort.field"),
        ({"query": {"sort": {"order": "UP"}}}, "INVALID_ENUM_VALUE", "query.sort.order"),
    ],
)
async def test_a_search_that_square_could_not_read_is_refused(
    square: Square, body: dict[str, Any], code: str, field: str
) -> None:
    answer = await square.ask("POST", "/v2/events", body)

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["field"]) == (400, code, field)


async def test_a_cursor_belongs_to_its_own_search(square: Square) -> None:
    for number in range(2):
        await square.pay_beside_us(f"p-{number}")
    cursor = (await _search(square, limit=1))["cursor"]

    answer = await square.ask("POST", "/v2/events", {"cursor": cursor, **_narrowed()})

    assert answer.json()["errors"][0]["code"] == "INVALID_CURSOR"


async def test_only_the_owner_of_the_token_searches_and_switches(square: Square) -> None:
    transport = httpx.ASGITransport(square.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://square") as stranger:
        answers = [
            await stranger.post("/v2/events", json={}),
            await stranger.put("/v2/events/disable"),
        ]

    assert [answer.status_code for answer in answers] == [401, 401]
    paid = await square.pay_beside_us("p")
    assert await _found(square) == [paid["id"]]
