"""The chassis of every emulator: faults, books, webhooks and the buyer, over control endpoints."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from order_emulators import EMULATORS, build_emulator

_CREATE = "POST /v1/payment_intents"
_AUTH = {"authorization": "Bearer sk_test_emulator"}
_PAYS = {
    "amount": "2500",
    "currency": "eur",
    "confirm": "true",
    "payment_method": "pm_card_visa",
    "metadata[transaction_id]": "t-1",
}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_emulator("stripe"))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://stripe", headers=_AUTH
    ) as http:
        yield http


async def pay(http: httpx.AsyncClient, **but: str) -> httpx.Response:
    return await http.post("/v1/payment_intents", data={**_PAYS, **but})


async def order_faults(http: httpx.AsyncClient, wanted: Any) -> httpx.Response:
    return await http.post("/_emulator/faults", json=wanted)


async def payments(http: httpx.AsyncClient) -> int:
    return len((await http.get("/_emulator/ledger")).json())


def test_an_emulator_that_does_not_exist_is_named() -> None:
    with pytest.raises(LookupError, match="'acme'; there are adyen, paypal, square, stripe"):
        build_emulator("acme")

    assert "stripe" in EMULATORS


@pytest.mark.parametrize(("kind", "payments_made"), [("request_lost", 0), ("answer_lost", 1)])
async def test_a_cut_connection_is_no_answer(
    http: httpx.AsyncClient, kind: str, payments_made: int
) -> None:
    await order_faults(http, [{"on": _CREATE, "kind": kind}])

    with pytest.raises(httpx.ReadError):
        await pay(http)

    assert await payments(http) == payments_made
    assert (await pay(http)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "payments_made"),
    [("error_before", 500, 0), ("error_after", 500, 1), ("rate_limited", 429, 0)],
)
async def test_an_error_strikes_as_often_as_ordered(
    http: httpx.AsyncClient, kind: str, status: int, payments_made: int
) -> None:
    await order_faults(http, [{"on": _CREATE, "kind": kind, "times": 2}])

    statuses = [(await pay(http)).status_code for _ in range(3)]

    assert statuses == [status, status, 200]
    assert await payments(http) == payments_made * 2 + 1


async def test_a_fault_strikes_only_what_it_names(http: httpx.AsyncClient) -> None:
    on_capture = "POST /v1/payment_intents/{id}/capture"
    await order_faults(
        http,
        [
            {"on": on_capture, "kind": "error_before"},
            {"on": _CREATE, "kind": "error_before", "body_contains": "pm_card_amex"},
        ],
    )
    held = await pay(http, capture_method="manual")
    reference = held.json()["id"]

    assert held.status_code == 200
    assert (await pay(http, payment_method="pm_card_amex")).status_code == 500
    assert (await http.post(f"/v1/payment_intents/{reference}/capture")).status_code == 500
    assert (await http.post(f"/v1/payment_intents/{reference}/capture")).status_code == 200


async def test_faults_by_chance_repeat_with_their_seed() -> None:
    runs = []
    for _ in range(2):
        transport = httpx.ASGITransport(build_emulator("stripe"))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://stripe", headers=_AUTH
        ) as http:
            chance = {"seed": 7, "rate": 0.5, "kinds": ["error_before", "rate_limited"]}
            assert (await order_faults(http, chance)).status_code == 200
            runs.append([(await pay(http)).status_code for _ in range(30)])
            assert (await order_faults(http, [])).status_code == 200
            assert (await pay(http)).status_code == 200

    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 429, 500}


@pytest.mark.parametrize(
    ("wanted", "because"),
    [
        ("x", "must be a list"),
        ([{"on": "v1/refunds", "kind": "delay"}], "on must be like"),
        ([{"on": _CREATE, "kind": "fire"}], "kind must be one of"),
        ([{"on": _CREATE, "kind": "delay", "times": 0}], "times must be"),
        ([{"on": _CREATE, "kind": "delay", "seconds": 61}], "seconds must be"),
        ([{"on": _CREATE, "kind": "delay", "color": "red"}], "rule 0: has only"),
        ([{"on": _CREATE, "kind": "delay"}] * 1001, "1000 rules at most"),
        ({"rate": 0.5}, "whole number as seed"),
        ({"seed": 1, "rate": 2}, "rate must be"),
        ({"seed": 1, "kinds": []}, "kinds must be"),
    ],
)
async def test_an_order_for_faults_that_makes_no_sense_is_explained(
    http: httpx.AsyncClient, wanted: Any, because: str
) -> None:
    answer = await order_faults(http, wanted)

    assert answer.status_code == 400
    assert because in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("act", {"reference": "pi_0", "decision": "approve"}, 404),
        ("act", {"reference": "pi_0", "decision": "maybe"}, 400),
        ("act", [], 400),
        ("webhooks", {"action": "sing"}, 400),
        ("webhooks", {"action": "duplicate", "times": 99}, 400),
    ],
)
async def test_a_wish_that_cannot_be_fulfilled_is_refused(
    http: httpx.AsyncClient, path: str, wish: Any, status: int
) -> None:
    assert (await http.post(f"/_emulator/{path}", json=wish)).status_code == status


async def test_a_wish_that_is_no_json_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/_emulator/act", content=b"{")

    assert (answer.status_code, answer.json()) == (400, {"error": "the body is not JSON"})


async def test_a_body_without_end_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/payment_intents", content=b"a" * 1_000_001)

    assert answer.status_code == 413


async def test_the_books_show_what_moved(http: httpx.AsyncClient) -> None:
    paid = (await pay(http)).json()["id"]
    refund = await http.post("/v1/refunds", data={"payment_intent": paid, "amount": "700"})

    entries = (await http.get("/_emulator/ledger")).json()

    assert entries == [
        {
            "kind": "charge",
            "reference": paid,
            "amount": 2500,
            "currency": "EUR",
            "status": "succeeded",
            "moved": True,
            "transaction_id": "t-1",
            "parent_reference": None,
        },
        {
            "kind": "refund",
            "reference": refund.json()["id"],
            "amount": 700,
            "currency": "EUR",
            "status": "succeeded",
            "moved": True,
            "transaction_id": None,
            "parent_reference": paid,
        },
    ]


async def test_a_shop_that_never_answers_is_given_up() -> None:
    tries: list[str] = []

    async def nobody(url: str, _body: bytes, _headers: Mapping[str, str]) -> int:
        tries.append(url)
        raise httpx.ConnectError("nobody there")

    async def no_pause(_: float) -> None:
        pass

    app = build_emulator("stripe", webhook_url="http://shop/hook", post=nobody, sleep=no_pause)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://s", headers=_AUTH) as http:
        await http.post("/v1/payment_intents", data={"amount": "2500", "currency": "eur"})
        await http.post("/_emulator/webhooks", json={"action": "drain"})
        (told,) = (await http.get("/_emulator/webhooks")).json()

    assert tries == ["http://shop/hook"] * 6
    assert told["tries"] == [0] * 6


async def test_what_is_lost_while_it_was_held_is_never_delivered_and_the_next_is() -> None:
    came: list[bytes] = []

    async def shop(_url: str, body: bytes, _headers: Mapping[str, str]) -> int:
        came.append(body)
        return 200

    app = build_emulator("stripe", webhook_url="http://shop/hook", post=shop)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://s", headers=_AUTH) as http:
        await http.post("/_emulator/webhooks", json={"action": "hold"})
        await http.post("/v1/payment_intents", data={"amount": "2500", "currency": "eur"})
        await http.post("/_emulator/webhooks", json={"action": "lose"})
        await http.post("/v1/payment_intents", data={"amount": "1100", "currency": "eur"})
        await http.post("/_emulator/webhooks", json={"action": "drain"})
        told = (await http.get("/_emulator/webhooks")).json()

    assert [len(each["tries"]) for each in told] == [0, 1]
    assert b"1100" in came[0]
