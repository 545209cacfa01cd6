"""Work that has begun is finished, whoever has gone meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from order_core.order import Order
from order_core.order_request import OrderRequest
from order_http.in_flight import InFlight
from order_http.problems import Problem
from tests.unit.http_service import customer, in_memory_shop, order_body, service

CREATE = "/api/orders/create"


class SlowCore:
    """A core whose provider answers when the test says so."""

    def __init__(self) -> None:
        self._core = in_memory_shop().core
        self.show_list = self._core.show_list
        self.begun = asyncio.Event()
        self.may_finish = asyncio.Event()
        self.finished = 0

    async def place(self, request: OrderRequest, *, key: str | None = None, **_: Any) -> Order:
        self.begun.set()
        await self.may_finish.wait()
        order = await self._core.place(request, key=key)
        self.finished += 1
        return order


async def test_a_client_who_goes_away_does_not_stop_the_order() -> None:
    core = SlowCore()
    app = service(core)
    async with customer(app) as ann:
        request = asyncio.create_task(ann.post(CREATE, json=order_body()))
        await core.begun.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        core.may_finish.set()
        assert await app.state.in_flight.drain(5) == 0
        assert core.finished == 1
        assert len((await ann.get("/api/orders/")).json()) == 1


async def test_a_request_that_takes_too_long_is_answered_as_unknown_and_goes_on() -> None:
    core = SlowCore()
    app = service(core, request_timeout_seconds=0.02)
    async with customer(app) as ann:
        answer = await ann.post(CREATE, json=order_body(), headers={"Idempotency-Key": "slow"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "outcome_unknown"
        core.may_finish.set()
        await app.state.in_flight.drain(5)
        again = await ann.post(CREATE, json=order_body(), headers={"Idempotency-Key": "slow"})
    assert again.status_code == 201


async def test_a_slow_read_is_given_up_as_a_store_that_does_not_answer() -> None:
    class Stuck:
        async def show_list(self, query: object, *, view: object) -> None:
            await asyncio.sleep(60)

    async with customer(service(Stuck(), request_timeout_seconds=0.02)) as ann:
        answer = await ann.get("/api/orders/")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")


async def test_above_the_bound_new_work_is_turned_away_untouched() -> None:
    core = SlowCore()
    async with customer(service(core, max_in_flight=1)) as ann:
        first = asyncio.create_task(ann.post(CREATE, json=order_body()))
        await core.begun.wait()
        second = await ann.post(CREATE, json=order_body(shipping_address="elsewhere"))
        core.may_finish.set()
        assert (await first).status_code == 201
    assert second.status_code == 503
    assert second.json()["code"] == "overloaded"
    assert core.finished == 1


async def test_a_stop_waits_for_the_work_before_it_closes_the_store() -> None:
    story = []
    core = SlowCore()

    @asynccontextmanager
    async def store_is_open(app: Starlette) -> AsyncGenerator[None]:
        story.append("open")
        yield
        story.append(f"closed after {core.finished}")

    app = service(core, lifespan=store_is_open)
    async with app.router.lifespan_context(app), customer(app) as ann:
        request = asyncio.create_task(ann.post(CREATE, json=order_body()))
        await core.begun.wait()
        asyncio.get_running_loop().call_later(0.02, core.may_finish.set)
    assert (await request).status_code == 201
    assert story == ["open", "closed after 1"]


async def test_a_stop_does_not_wait_for_ever_and_says_what_it_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    core = SlowCore()
    app = service(core, shutdown_timeout_seconds=0.02)
    async with customer(app) as ann:
        with caplog.at_level(logging.WARNING, "order_http.errors"):
            async with app.router.lifespan_context(app):
                request = asyncio.create_task(ann.post(CREATE, json=order_body()))
                await core.begun.wait()
        assert "1 requests at work" in caplog.text
        core.may_finish.set()
        await request


async def test_what_fails_after_its_client_has_gone_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail_later() -> None:
        await asyncio.sleep(0.03)
        raise RuntimeError("nobody waited")

    in_flight = InFlight(most=5, timeout_seconds=0.01)
    with caplog.at_level(logging.ERROR, "order_http.errors"):
        with pytest.raises(Problem) as caught:
            await in_flight.run(fail_later())
        await in_flight.drain(5)
        await asyncio.sleep(0)
    assert caught.value.code == "outcome_unknown"
    assert "nobody waited" in caplog.text


async def test_two_hundred_clicks_with_one_key_make_one_order_and_one_charge() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        key = {"Idempotency-Key": "impatient"}
        answers = await asyncio.gather(
            *(ann.post(CREATE, json=order_body(), headers=key) for _ in range(200))
        )
        orders = (await ann.get("/api/orders/")).json()
    assert len(shop.gateway.asked) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {a.json()["order_id"] for a in answers if a.status_code == 201} == {
        orders[0]["order_id"]
    }
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"request_in_progress"}
    assert len(orders) == 1
