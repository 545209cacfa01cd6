"""A pretended provider that keeps a journal has its books and keys again after `kill -9`."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from order_emulators import build_emulator
from order_emulators.chassis import JournalInvalid

SECOND: Final = timedelta(seconds=1)
STRIPE = {"authorization": "Bearer sk_test_emulator"}
SQUARE = {"authorization": "Bearer square-emulator-token"}


@asynccontextmanager
async def emulated(provider: str, journal: Path, **heard: Any) -> AsyncIterator[httpx.AsyncClient]:
    # Each look at the clock finds it a second later, so a replay at another moment shows.
    looks = count()

    def clock() -> datetime:
        return datetime.now(UTC) + next(looks) * SECOND

    app = build_emulator(provider, journal=journal, **{"clock": clock, **heard})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulated") as client:
        yield client


async def pay_stripe(
    client: httpx.AsyncClient, key: str, *, amount: int = 4711, **but: str
) -> httpx.Response:
    return await client.post(
        "/v1/payment_intents",
        data=but
        | {
            "amount": amount,
            "currency": "usd",
            "confirm": "true",
            "payment_method": "pm_card_visa",
            "metadata[transaction_id]": key,
        },
        headers=STRIPE | {"idempotency-key": key},
    )


async def pay_square(
    client: httpx.AsyncClient, key: str, *, amount: int = 1300, source: str = "cnon:once-teapot"
) -> httpx.Response:
    return await client.post(
        "/v2/payments",
        json={
            "source_id": source,
            "idempotency_key": key,
            "amount_money": {"amount": amount, "currency": "USD"},
            "location_id": "LEMULATED",
            "reference_id": key,
        },
        headers=SQUARE,
    )


async def give_back_square(client: httpx.AsyncClient, payment: str) -> None:
    refund = {
        "idempotency_key": f"refund-of-{payment}"[:45],
        "payment_id": payment,
        "amount_money": {"amount": 1300, "currency": "USD"},
    }
    (await client.post("/v2/refunds", json=refund, headers=SQUARE)).raise_for_status()


async def on_record(client: httpx.AsyncClient) -> Any:
    return (await client.post("/v2/events", json={}, headers=SQUARE)).json()


def ids_of(record: Any) -> list[str]:
    return [event["event_id"] for event in record["events"]]


async def ledger(client: httpx.AsyncClient) -> Any:
    return (await client.get("/_emulator/ledger")).json()


async def test_stripe_has_the_same_books_and_keys_again(tmp_path: Path) -> None:
    journal = tmp_path / "stripe.journal"
    async with emulated("stripe", journal) as before:
        first = await pay_stripe(before, "teapot-blue")
        refund = {"payment_intent": first.json()["id"], "amount": 700}
        await before.post("/v1/refunds", data=refund, headers=STRIPE | {"idempotency-key": "r"})
        books = await ledger(before)

    async with emulated("stripe", journal) as after:
        assert await ledger(after) == books
        again = await pay_stripe(after, "teapot-blue")
        other = await pay_stripe(after, "teapot-green")

    assert again.content == first.content
    assert other.json()["id"] != first.json()["id"]
    assert [(e["kind"], e["amount"], e["moved"]) for e in books] == [
        ("charge", 4711, True),
        ("refund", 700, True),
    ]


async def test_stripe_has_the_same_events_on_record_again(tmp_path: Path) -> None:
    journal = tmp_path / "stripe.journal"
    async with emulated("stripe", journal) as before:
        paid = (await pay_stripe(before, "teapot-blue")).json()["id"]
        await before.post("/v1/refunds", data={"payment_intent": paid}, headers=STRIPE)
        await pay_stripe(before, "teapot-blue")
        record = (await before.get("/v1/events", headers=STRIPE)).json()

    async with emulated("stripe", journal) as after:
        assert (await after.get("/v1/events", headers=STRIPE)).json() == record
    assert len(record["data"]) == 5


async def test_square_gives_no_id_twice_and_takes_no_token_twice(tmp_path: Path) -> None:
    journal = tmp_path / "square.journal"
    async with emulated("square", journal) as before:
        first = await pay_square(before, "kettle-1")

    async with emulated("square", journal) as after:
        again, second = await pay_square(after, "kettle-1"), await pay_square(after, "kettle-2")

    assert again.content == first.content
    assert second.json()["errors"][0]["code"] == "CARD_TOKEN_USED"
    assert second.json()["payment"]["id"] != first.json()["payment"]["id"]


async def test_square_has_the_same_events_on_record_again(tmp_path: Path) -> None:
    journal = tmp_path / "square.journal"
    async with emulated("square", journal) as before:
        await pay_square(before, "before-anybody-asked")
        await before.put("/v2/events/enable", headers=SQUARE)
        for number in range(2):
            await pay_square(before, f"kettle-{number}")
        found = await on_record(before)

    async with emulated("square", journal) as after:
        assert await on_record(after) == found
        await pay_square(after, "teapot")
        more = await on_record(after)
        await after.put("/v2/events/disable", headers=SQUARE)

    async with emulated("square", journal) as at_last:
        off = await on_record(at_last)

    assert len(found["events"]) == 2
    assert more["events"][1:] == found["events"]
    assert off == {}


async def test_an_answer_that_the_key_is_in_use_is_not_carried_out_again(tmp_path: Path) -> None:
    journal = tmp_path / "stripe.journal"
    async with emulated("stripe", journal) as before:
        fault = {"on": "POST /v1/payment_intents", "kind": "delay", "seconds": 0.2}
        await before.post("/_emulator/faults", json=[fault])
        slow = asyncio.create_task(pay_stripe(before, "slow-kettle"))
        await asyncio.sleep(0.05)
        in_use = await pay_stripe(before, "slow-kettle")
        between = await pay_stripe(before, "between", amount=815)
        await slow
        books = await ledger(before)

    async with emulated("stripe", journal) as after:
        assert await ledger(after) == books
    assert in_use.status_code == 409
    assert between.json()["id"] < slow.result().json()["id"]


async def test_what_ended_while_a_slow_request_was_at_work_ended_before_it(tmp_path: Path) -> None:
    journal = tmp_path / "square.journal"
    async with emulated("square", journal) as before:
        await before.put("/v2/events/enable", headers=SQUARE)
        paid = (await pay_square(before, "teapot")).json()["payment"]["id"]
        fault = {"on": "POST /v2/payments", "kind": "delay", "seconds": 0.2}
        await before.post("/_emulator/faults", json=[fault])
        slow = asyncio.create_task(
            pay_square(before, "slow-kettle", source="ccof:customer-card-id-ok")
        )
        await asyncio.sleep(0.05)
        await give_back_square(before, paid)
        # With each look a second passes: the refund succeeds, and that is told.
        looks = [await ledger(before) for _ in range(4)]
        assert not slow.done()
        await slow
        books, record = await ledger(before), await on_record(before)

    async with emulated("square", journal) as after:
        again = await pay_square(after, "slow-kettle", source="ccof:customer-card-id-ok")
        assert [entry["reference"] for entry in await ledger(after)] == [
            entry["reference"] for entry in books
        ]
        assert ids_of(await on_record(after)) == ids_of(record)
    assert again.content == slow.result().content
    assert [entry["kind"] for entry in looks[-1]] == ["charge", "refund"]
    assert [entry["kind"] for entry in books] == ["charge", "refund", "charge"]


PAYS: Final[dict[str, tuple[str, Callable[..., Coroutine[Any, Any, httpx.Response]]]]] = {
    "stripe": ("POST /v1/payment_intents", pay_stripe),
    "square": ("POST /v2/payments", pay_square),
}


@pytest.mark.parametrize("provider", PAYS)
async def test_another_request_with_the_key_of_a_slow_one_is_not_carried_out_instead_of_it(
    tmp_path: Path, provider: str
) -> None:
    journal, (on, pay) = tmp_path / "a.journal", PAYS[provider]
    async with emulated(provider, journal) as before:
        fault = {"on": on, "kind": "delay", "seconds": 0.2}
        await before.post("/_emulator/faults", json=[fault])
        slow = asyncio.create_task(pay(before, "kettle", amount=1300))
        await asyncio.sleep(0.05)
        other = await pay(before, "kettle", amount=99)
        await slow
        books = await ledger(before)

    async with emulated(provider, journal) as after:
        assert await ledger(after) == books
        assert (await pay(after, "kettle", amount=1300)).content == slow.result().content
    assert other.status_code == 400
    assert [entry["amount"] for entry in books] == [1300]


async def test_what_ended_before_a_decision_ends_before_it_again(tmp_path: Path) -> None:
    journal = tmp_path / "square.journal"
    async with emulated("square", journal) as before:
        await before.put("/v2/events/enable", headers=SQUARE)
        paid = [
            (await pay_square(before, key, source="ccof:customer-card-id-ok")).json()["payment"]
            for key in ("teapot", "kettle")
        ]
        await give_back_square(before, paid[0]["id"])
        looks = [await ledger(before) for _ in range(4)]
        dispute = {"reference": paid[1]["id"], "decision": "refuse"}
        await before.post("/_emulator/act", json=dispute)
        books, record = await ledger(before), await on_record(before)

    async with emulated("square", journal) as after:
        assert await ledger(after) == books
        assert ids_of(await on_record(after)) == ids_of(record)
    assert [entry["kind"] for entry in looks[-1]] == ["charge", "charge", "refund"]
    assert [entry["kind"] for entry in books[2:]] == ["refund", "dispute"]


async def test_a_hold_that_ended_before_a_decision_ends_before_it_again(tmp_path: Path) -> None:
    journal, days = tmp_path / "stripe.journal", [timedelta(0)]

    def clock() -> datetime:
        return datetime.now(UTC) + days[0]

    async def told(client: httpx.AsyncClient) -> list[tuple[str, str]]:
        events = (await client.get("/v1/events", headers=STRIPE)).json()["data"]
        return [(event["id"], event["type"]) for event in events]

    async with emulated("stripe", journal, clock=clock) as before:
        await pay_stripe(before, "held", capture_method="manual")
        paid = (await pay_stripe(before, "paid")).json()["id"]
        refund = {"payment_intent": paid}
        given_back = (await before.post("/v1/refunds", data=refund, headers=STRIPE)).json()["id"]
        days[0] = timedelta(days=8)
        await ledger(before)
        decision = {"reference": given_back, "decision": "refuse"}
        await before.post("/_emulator/act", json=decision)
        first = await told(before)

    async with emulated("stripe", journal, clock=clock) as after:
        assert await told(after) == first
    assert "payment_intent.canceled" in {kind for _, kind in first}


async def test_a_stored_server_error_is_stored_for_good(tmp_path: Path) -> None:
    journal = tmp_path / "stripe.journal"
    async with emulated("stripe", journal) as before:
        fault = {"on": "POST /v1/payment_intents", "kind": "error_after"}
        await before.post("/_emulator/faults", json=[fault])
        await pay_stripe(before, "unlucky")

    async with emulated("stripe", journal) as after:
        assert (await pay_stripe(after, "unlucky")).status_code == 500
        assert [entry["moved"] for entry in await ledger(after)] == [True]


async def test_what_was_decided_by_the_buyer_stays_decided(tmp_path: Path) -> None:
    journal = tmp_path / "square.journal"
    async with emulated("square", journal) as before:
        paid = (await pay_square(before, "kettle-3")).json()["payment"]["id"]
        await before.post("/_emulator/act", json={"reference": paid, "decision": "refuse"})
        books = await ledger(before)

    async with emulated("square", journal) as after:
        assert await ledger(after) == books
    assert [entry["kind"] for entry in books] == ["charge", "dispute"]


async def test_a_line_that_was_cut_short_never_happened(tmp_path: Path) -> None:
    journal = tmp_path / "stripe.journal"
    async with emulated("stripe", journal) as before:
        await pay_stripe(before, "whole")
    with journal.open("ab") as file:
        file.write(b'{"at": "2026-01-01T00:00:00+00:00", "method": "PO')

    for charges in (1, 2):
        async with emulated("stripe", journal) as after:
            assert len(await ledger(after)) == charges
            await pay_stripe(after, "next")


async def test_new_events_are_told_again_by_the_next_process(tmp_path: Path) -> None:
    journal, told = tmp_path / "stripe.journal", []

    async def post(url: str, body: bytes, headers: Any) -> int:
        told.append(json.loads(body)["id"])
        return 200

    async with emulated("stripe", journal) as before:
        await pay_stripe(before, "told-again")
    async with emulated("stripe", journal, post=post, webhook_url="http://shop.example/") as after:
        await pay_stripe(after, "told-again")
        await after.post("/_emulator/webhooks", json={"action": "drain"})

    assert len(told) == len(set(told)) == 3


@pytest.mark.parametrize("content", ["nonsense\n", '{"journal_of": "square", "run": "1"}\n'])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    journal = tmp_path / "other.journal"
    journal.write_text(content)

    with pytest.raises(JournalInvalid, match="no journal of a pretended stripe"):
        build_emulator("stripe", journal=journal)

    assert journal.read_text() == content


def test_paypal_keeps_no_journal(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="cannot keep a journal"):
        build_emulator("paypal", journal=tmp_path / "paypal.journal")
