"""Whoever tries out stolen cards is slowed down; whoever asks after his money is not."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from order_core.errors import StoreUnavailable
from order_http.card_testing import AT_ONCE
from order_memory import InMemoryShop, in_memory_shop
from order_memory.reactions import LOSE_REQUEST
from tests.unit.http_service import order_body
from tests.unit.limited_service import DECLINES, Watch, caller, limited

CREATE = "/api/orders/create"
DECLINED = "insufficient_funds"
OTHER_DECLINED = "declined"


async def order(
    client: httpx.AsyncClient, payment: str = DECLINED, key: str | None = None
) -> httpx.Response:
    body = order_body(payment_method=payment, allow_duplicate=True)
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post(CREATE, json=body, headers=headers)


def violated(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 429, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    policies: list[str] = answer.json()["violated-policies"]
    return policies


def held_back(shop: InMemoryShop) -> asyncio.Event:
    """No order is stored before it is set."""
    save, let_them_go = shop.orders.save, asyncio.Event()

    async def slow(*arguments: Any, **named: Any) -> Any:
        await let_them_go.wait()
        return await save(*arguments, **named)

    shop.orders.save = slow  # type: ignore[method-assign]
    return let_them_go


async def declined(app: object, times: int = 3) -> None:
    async with caller(app) as ann:
        for number in range(times):
            assert (await order(ann)).status_code == 402, number


async def test_incident_54_after_many_declines_he_waits_and_no_provider_hears_of_him() -> None:
    shop, watch = in_memory_shop(), Watch()
    app = limited(DECLINES, shop.core, watch=watch)
    await declined(app)
    async with caller(app, address="203.0.113.99") as ann:
        refused = await order(ann, "ok")
        assert "declines-of-customer" in violated(refused)
        assert len(shop.gateway.asked) == 3
        assert len((await ann.get("/api/orders/?status=payment_failed")).json()) == 3
        watch.now += int(refused.headers["Retry-After"]) + 0.001
        assert (await order(ann, "ok")).status_code == 201


async def test_a_card_that_was_declined_often_is_slowed_down_whoever_brings_it() -> None:
    app = limited({**DECLINES, "declines-of-address": "off"}, in_memory_shop().core)
    await declined(app)
    async with caller(app, "bob", "203.0.113.5") as bob:
        assert violated(await order(bob)) == ["declines-of-payment-method"]
        assert violated(await order(bob, f"scripted:{DECLINED}")) == ["declines-of-payment-method"]
        assert (await order(bob, "ok")).status_code == 201


async def test_payments_that_an_outage_swallowed_make_nobody_a_tester_of_cards() -> None:
    shop = in_memory_shop()
    app = limited(DECLINES, shop.core)
    shop.gateway.react(*[LOSE_REQUEST] * 200)
    keys = [f"in-the-outage-{number}" for number in range(6)]
    async with caller(app) as ann:
        for key in keys:
            assert (await order(ann, "lost_request", key)).status_code == 202
        for _ in range(10):
            shop.clock.advance(timedelta(minutes=15))
            await shop.core.recover()
        again = [await order(ann, "lost_request", key) for key in keys]
        # The outage may go on; that is not what he is refused for.
        assert (await order(ann, "ok", "after-it")).status_code in {201, 202, 503}
    assert {(answer.status_code, answer.json()["code"]) for answer in again} == {
        (402, "payment_failed")
    }


async def test_an_address_from_which_more_is_declined_than_paid_is_slowed_down() -> None:
    rates = {**DECLINES, "declines-of-customer": "99/hour", "declines-of-payment-method": "99/hour"}
    app = limited(rates)
    await declined(app, times=5)
    async with caller(app, "bob") as neighbour, caller(app, "bob", "192.0.2.200") as elsewhere:
        assert violated(await order(neighbour, "ok")) == ["declines-of-address"]
        assert (await order(elsewhere, "ok")).status_code == 201


async def test_an_address_from_which_a_whole_town_pays_is_not() -> None:
    rates = {**DECLINES, "declines-of-customer": "99/hour", "declines-of-payment-method": "99/hour"}
    app = limited(rates)
    for number in range(8):
        async with caller(app, f"neighbour-{number}") as neighbour:
            assert (await order(neighbour, "ok")).status_code == 201
    await declined(app, times=8)


async def test_as_many_may_be_declined_as_have_paid_and_not_one_more() -> None:
    rates = {**DECLINES, "declines-of-customer": "99/hour", "declines-of-payment-method": "99/hour"}
    app = limited(rates)
    for number in range(7):
        async with caller(app, f"neighbour-{number}") as neighbour:
            assert (await order(neighbour, "ok")).status_code == 201
    await declined(app, times=8)
    async with caller(app) as ann:
        refused = await order(ann)
    assert violated(refused) == ["declines-of-address"]
    assert '"declines-of-address";r=0' in refused.headers["RateLimit"]


async def test_one_good_card_that_pays_again_and_again_opens_the_address_to_nobody() -> None:
    rates = {**DECLINES, "declines-of-customer": "99/hour", "declines-of-payment-method": "99/hour"}
    app = limited(rates)
    async with caller(app) as ann:
        for _ in range(30):
            paid = await order(ann, "ok")
            assert paid.status_code == 201
            await ann.post(f"{paid.headers['Location']}/cancel")
    await declined(app, times=5)
    async with caller(app) as ann:
        assert violated(await order(ann)) == ["declines-of-address"]


async def test_one_paid_order_asked_for_again_and_again_makes_no_honest_address() -> None:
    rates = {**DECLINES, "declines-of-customer": "99/hour", "declines-of-payment-method": "99/hour"}
    app = limited(rates)
    async with caller(app) as ann:
        for _ in range(9):
            assert (await order(ann, "ok", key="the-only-paid-one")).status_code == 201
        await declined(app, times=5)
        assert violated(await order(ann)) == ["declines-of-address"]


async def test_many_cards_at_once_are_no_way_around_it() -> None:
    shop = in_memory_shop()
    app, let_them_go = limited(DECLINES, shop.core), held_back(shop)
    async with caller(app) as ann:
        tries = [asyncio.create_task(order(ann, OTHER_DECLINED)) for _ in range(AT_ONCE + 37)]
        while sum(each.done() for each in tries) < 37:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        let_them_go.set()
        statuses = [answer.status_code for answer in await asyncio.gather(*tries)]
        assert (await order(ann, "ok")).status_code == 429
    assert statuses.count(402) == len(shop.gateway.asked) == AT_ONCE
    assert statuses.count(429) == 37


async def test_once_a_card_was_declined_what_is_under_way_counts_as_declined() -> None:
    shop = in_memory_shop()
    app = limited(DECLINES, shop.core)
    await declined(app, times=1)
    let_them_go = held_back(shop)
    async with caller(app) as ann:
        tries = [asyncio.create_task(order(ann, OTHER_DECLINED)) for _ in range(9)]
        while sum(each.done() for each in tries) < 7:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        let_them_go.set()
        statuses = [answer.status_code for answer in await asyncio.gather(*tries)]
    assert sorted(statuses) == [402] * 2 + [429] * 7


async def test_a_backend_that_orders_in_parallel_and_pays_is_not_held_up() -> None:
    shop = in_memory_shop()
    app, let_them_go = limited(DECLINES, shop.core), held_back(shop)
    async with caller(app) as ann:
        tries = [asyncio.create_task(order(ann, "ok")) for _ in range(AT_ONCE)]
        for _ in range(50):
            await asyncio.sleep(0)
        let_them_go.set()
        answers = await asyncio.gather(*tries)
    assert {answer.status_code for answer in answers} == {201}


async def test_whoever_is_held_up_by_what_is_under_way_is_told_to_come_back_soon() -> None:
    shop = in_memory_shop()
    app = limited(DECLINES, shop.core)
    await declined(app, times=1)
    let_them_go = held_back(shop)
    async with caller(app) as ann:
        tries = [asyncio.create_task(order(ann, "ok")) for _ in range(4)]
        while sum(each.done() for each in tries) < 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        let_them_go.set()
        answers = await asyncio.gather(*tries)
        assert sorted(answer.status_code for answer in answers) == [201] * 2 + [429] * 2
        assert {each.headers.get("Retry-After") for each in answers if each.is_error} == {"2"}
        assert (await order(ann, "ok")).status_code == 201


async def test_a_lost_answer_can_be_asked_for_however_many_were_declined() -> None:
    shop = in_memory_shop()
    app = limited(DECLINES, shop.core)
    async with caller(app) as ann:
        paid = await order(ann, "ok", key="lost-on-its-way")
        opened = await order(ann, "lost_answer", key="still-open")
        await declined(app)
        assert "declines-of-customer" in violated(await order(ann, "ok", key="a-new-one"))
        asked = len(shop.gateway.asked)
        again = await order(ann, "ok", key="lost-on-its-way")
        still = await order(ann, "lost_answer", key="still-open")
        read = await ann.get(paid.headers["Location"])
        cancelled = await ann.post(paid.headers["Location"] + "/cancel")
    assert (again.status_code, again.json()) == (201, paid.json())
    assert (still.status_code, still.json()["order_id"]) == (202, opened.json()["order_id"])
    assert (read.status_code, cancelled.status_code) == (200, 200)
    assert (
        len([each for each in shop.gateway.asked[asked:] if "Charge" in type(each).__name__]) == 0
    )


async def test_asking_again_for_a_declined_order_is_no_new_try() -> None:
    app = limited(DECLINES)
    async with caller(app) as ann:
        for _ in range(9):
            assert (await order(ann, key="asked-again")).status_code == 402
        assert (await order(ann, "ok")).status_code == 201


async def test_while_the_store_cannot_say_whether_the_key_was_recorded_nobody_is_told_no() -> None:
    shop = in_memory_shop()
    app = limited(DECLINES, shop.core)
    await declined(app)

    async def down(*_: object) -> None:
        raise StoreUnavailable("the store is away")

    shop.orders.find_request = down  # type: ignore[method-assign]
    async with caller(app) as ann:
        answer = await order(ann, "ok", key="who-knows")
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")


async def test_leaving_before_the_answer_comes_hides_no_decline() -> None:
    shop = in_memory_shop()
    app, let_them_go = limited(DECLINES, shop.core), held_back(shop)
    async with caller(app) as ann:
        tries = [asyncio.create_task(order(ann)) for _ in range(3)]
        while len(app.state.in_flight) < 3:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        for leaving in tries:
            leaving.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
        let_them_go.set()
        assert await app.state.in_flight.drain(5) == 0
        assert "declines-of-customer" in violated(await order(ann))


async def test_an_order_that_waits_for_its_buyer_is_no_decline() -> None:
    app = limited(DECLINES)
    async with caller(app) as ann:
        for _ in range(6):
            assert (await order(ann, "action_required")).status_code == 202
        assert (await order(ann, "ok")).status_code == 201
