"""The pretended Stripe is as strict as the real one, and speaks as its official file says."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from order_emulators import build_emulator
from tests.integration.stripe_wire import Wire, needs_official_description, official_description

_AUTH = {"authorization": "Bearer sk_test_emulator"}
_PAYS = {
    "amount": "2500",
    "currency": "eur",
    "confirm": "true",
    "payment_method": "pm_card_visa",
}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_emulator("stripe"))
    async with httpx.AsyncClient(
        transport=Wire(transport), base_url="http://stripe", headers=_AUTH
    ) as http:
        yield http


async def create(http: httpx.AsyncClient, key: str | None = None, **but: str) -> httpx.Response:
    headers = {"idempotency-key": key} if key is not None else {}
    return await http.post("/v1/payment_intents", data={**_PAYS, **but}, headers=headers)


def code(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["error"].get("code")


async def test_a_kept_answer_says_that_it_is_one(http: httpx.AsyncClient) -> None:
    first, again = await create(http, "k-1"), await create(http, "k-1")

    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_key_belongs_to_its_parameters(http: httpx.AsyncClient) -> None:
    await create(http, "k-1")

    answer = await create(http, "k-1", amount="2600")

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"


async def test_what_fails_the_check_of_its_parameters_uses_up_no_key(
    http: httpx.AsyncClient,
) -> None:
    assert (await create(http, "k-1", amount="x")).status_code == 400

    assert (await create(http, "k-1")).status_code == 200


@pytest.mark.parametrize(
    ("but", "expected"),
    [
        ({"amount": "12.50"}, (400, "parameter_invalid_integer")),
        ({"amount": "49"}, (400, "amount_too_small")),
        ({"amount": "100000000"}, (400, "amount_too_large")),
        ({"currency": "EUR"}, (400, "invalid_currency")),
        ({"currency": "xyz"}, (400, "invalid_currency")),
        ({"currency": "kwd", "amount": "5124"}, (400, "parameter_invalid_integer")),
        ({"currency": "isk", "amount": "50050"}, (400, "parameter_invalid_integer")),
        ({"colour": "red"}, (400, "parameter_unknown")),
        ({"payment_method": "pm_unheard_of"}, (400, "resource_missing")),
        ({"payment_method": "tok_visa"}, (400, "resource_missing")),
        ({"payment_method": ""}, (400, "parameter_invalid_empty")),
        ({"payment_method": "pm_card_chargeDeclinedExpiredCard"}, (402, "expired_card")),
        (
            {"payment_method": "pm_card_authenticationRequired", "off_session": "true"},
            (402, "authentication_required"),
        ),
        ({"metadata[x]": "y" * 501}, (400, None)),
    ],
)
async def test_what_stripe_refuses_is_refused(
    http: httpx.AsyncClient, but: dict[str, str], expected: tuple[int, str | None]
) -> None:
    assert code(await create(http, **but)) == expected


async def test_only_the_key_s_owner_gets_in(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/refunds", headers={"authorization": "Bearer sk_test_x"})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/payment_intents?metadata[order_id]=7", 400),
        ("/v1/payment_intents?limit=101", 400),
        ("/v1/payment_intents?starting_after=pi_0", 400),
        ("/v1/payment_intents/pi_0", 404),
        ("/v1/unheard_of", 404),
        ("/v2/refunds", 404),
    ],
)
async def test_what_does_not_exist_cannot_be_read(
    http: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await http.get(path)).status_code == status


async def test_lists_are_newest_first_in_pages(http: httpx.AsyncClient) -> None:
    made = [(await create(http)).json()["id"] for _ in range(3)]

    first = (await http.get("/v1/payment_intents?limit=2")).json()
    rest = (await http.get(f"/v1/payment_intents?limit=2&starting_after={made[1]}")).json()

    assert [row["id"] for row in first["data"]] == [made[2], made[1]]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [row["id"] for row in rest["data"]] == [made[0]]


async def test_an_intent_can_be_confirmed_later(http: httpx.AsyncClient) -> None:
    bare = {"amount": "2500", "currency": "eur"}
    made = (await http.post("/v1/payment_intents", data=bare)).json()
    assert made["status"] == "requires_payment_method"
    path = f"/v1/payment_intents/{made['id']}/confirm"

    declined = await http.post(path, data={"payment_method": "pm_card_chargeDeclined"})
    paid = await http.post(path, data={"payment_method": "pm_card_visa"})
    again = await http.post(path, data={"payment_method": "pm_card_visa"})

    assert code(declined) == (402, "card_declined")
    assert paid.json()["status"] == "succeeded"
    assert code(again) == (400, "payment_intent_unexpected_state")


# The record of events -------------------------------------------------------------------------


async def types(http: httpx.AsyncClient, query: str) -> list[str]:
    answer = await http.get(f"/v1/events?{query}")
    return [row["type"] for row in answer.json()["data"]]


async def test_every_event_is_on_record_the_newest_first(http: httpx.AsyncClient) -> None:
    await create(http)

    page = (await http.get("/v1/events")).json()

    assert [row["type"] for row in page["data"]] == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]
    assert (page["url"], page["has_more"]) == ("/v1/events", False)
    newest = page["data"][0]
    assert (await http.get(f"/v1/events/{newest['id']}")).json() == newest


async def test_the_record_goes_on_where_a_page_ended(http: httpx.AsyncClient) -> None:
    await create(http)
    first = (await http.get("/v1/events?limit=2")).json()

    rest = (await http.get(f"/v1/events?starting_after={first['data'][-1]['id']}")).json()

    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [row["type"] for row in rest["data"]] == ["payment_intent.created"]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("type=charge.succeeded", 1),
        ("type=payment_intent.*", 2),
        ("type=charge", 0),
        ("types[0]=charge.succeeded&types[1]=payment_intent.created", 2),
        ("types[0]=refund.created", 0),
        ("created[gte]=1&created[lte]=9999999999", 3),
        ("created[gte]=9999999999", 0),
        ("created[lte]=1", 0),
    ],
)
async def test_the_record_can_be_filtered(http: httpx.AsyncClient, query: str, number: int) -> None:
    await create(http)

    assert len(await types(http, query)) == number


@pytest.mark.parametrize(
    "query",
    [
        "type=charge.succeeded&types[0]=charge.succeeded",
        "&".join(f"types[{number}]=charge.succeeded" for number in range(21)),
        "types=charge.succeeded",
        "types[0]=",
        "delivery_success=false",
        "customer=cus_1",
        "limit=101",
        "starting_after=evt_0",
    ],
)
async def test_what_cannot_be_asked_of_the_record_is_refused(
    http: httpx.AsyncClient, query: str
) -> None:
    assert (await http.get(f"/v1/events?{query}")).status_code == 400


async def test_an_event_that_never_was_cannot_be_read(http: httpx.AsyncClient) -> None:
    assert code(await http.get("/v1/events/evt_0")) == (404, "resource_missing")


async def test_the_record_reaches_thirty_days_back() -> None:
    moment = [datetime(2030, 5, 4, 12, tzinfo=UTC)]
    app = build_emulator("stripe", clock=lambda: moment[0])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://s", headers=_AUTH) as http:
        await create(http)
        moment[0] += timedelta(days=30)
        assert len(await types(http, "limit=100")) == 3
        moment[0] += timedelta(seconds=1)
        assert await types(http, "limit=100") == []


async def test_what_nobody_heard_is_on_record_as_well() -> None:
    tries = []

    async def refuse(url: str, _body: bytes, _headers: Mapping[str, str]) -> int:
        tries.append(url)
        return 503

    async def no_pause(_: float) -> None:
        pass

    app = build_emulator("stripe", webhook_url="http://shop/hook", post=refuse, sleep=no_pause)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://s", headers=_AUTH) as http:
        await create(http)
        await http.post("/_emulator/webhooks", json={"action": "drain"})
        assert len(tries) > 3
        assert len(await types(http, "limit=100")) == 3


# The official file -----------------------------------------------------------------------------


@needs_official_description
async def test_the_check_against_the_official_file_can_fail() -> None:
    wire = Wire(httpx.MockTransport(lambda _: httpx.Response(200, json={"object": "refund"})))
    async with httpx.AsyncClient(transport=wire, base_url="http://stripe") as http:
        await http.post("/v1/refunds", data={"payment_intent": "pi_1", "amount": "all"})

    assert len(wire.mistakes()) >= 2


@needs_official_description
async def test_the_record_of_events_is_as_the_official_file_says() -> None:
    wire = Wire(httpx.ASGITransport(build_emulator("stripe")))
    async with httpx.AsyncClient(transport=wire, base_url="http://stripe", headers=_AUTH) as http:
        await create(http, payment_method="pm_card_createDispute")
        await create(http, capture_method="manual")
        found = await types(http, "limit=9&types[0]=charge.succeeded&created[gte]=1")
        await http.get("/v1/events?type=charge.*&starting_after=evt_0")
        newest = (await http.get("/v1/events")).json()["data"][0]
        await http.get(f"/v1/events/{newest['id']}")

    assert found == ["charge.succeeded"]
    assert wire.mistakes() == []


@needs_official_description
async def test_events_are_as_the_official_file_says() -> None:
    bodies: list[Any] = []

    async def post(_url: str, body: bytes, _headers: Mapping[str, str]) -> int:
        bodies.append(json.loads(body))
        return 200

    app = build_emulator("stripe", webhook_url="http://shop/hook", post=post)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://s", headers=_AUTH) as http:
        paid = (await create(http, payment_method="pm_card_pendingRefund")).json()["id"]
        await http.post("/v1/refunds", data={"payment_intent": paid})
        await create(http, payment_method="pm_card_authenticationRequired", return_url="http://x")
        await create(http, payment_method="pm_card_chargeDeclined")
        await create(http, payment_method="pm_card_createDispute")
        await create(http, capture_method="manual")
        await http.post("/_emulator/webhooks", json={"action": "drain"})

    spec = official_description()
    kinds = set()
    for body in bodies:
        shown = body["data"]["object"]
        kinds.add(shown["object"])
        for name, value in (("event", body), (shown["object"], shown)):
            reference = {"$ref": f"urn:spec#/components/schemas/{name}"}
            mistakes = spec._errors(reference, value)  # noqa: SLF001 - no call goes with it
            assert mistakes == [], (body["type"], name)
    assert kinds == {"payment_intent", "charge", "refund", "dispute"}
