"""Counts in Redis: together while it answers, each process for itself while it does not."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from order_limits import Rate
from order_limits.shared_counts import SharedCounts
from tests.integration.service_process import ServiceProcess, an_order, unused_port
from tests.integration.valkey import Valkey

POLICIES = {"visits": Rate.parse("10/minute"), "declines": Rate.parse("3/hour")}


@pytest.fixture(scope="module")
def running_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with Valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@asynccontextmanager
async def process(url: str, prefix: str, rest_seconds: float = 0.2) -> AsyncIterator[SharedCounts]:
    """What each process has."""
    counts = SharedCounts(POLICIES, url, prefix=prefix, rest_seconds=rest_seconds)
    try:
        yield counts
    finally:
        await counts.close()


async def let_in(counts: SharedCounts, name: str, times: int) -> int:
    return sum([await counts.count("visits", name) for _ in range(times)])


async def test_two_processes_share_one_limit(running_valkey: Valkey) -> None:
    async with (
        process(running_valkey.url, "two") as one,
        process(running_valkey.url, "two") as other,
    ):
        together = await asyncio.gather(let_in(one, "ann", 8), let_in(other, "ann", 8))
        assert sum(together) == 10
        assert await let_in(other, "bob", 3) == 3
        ann, bob, nothing = await one.look(("visits", "ann"), ("visits", "bob"), ("declines", "x"))
    assert (ann.remaining, bob.remaining, nothing.remaining) == (0, 7, 3)
    assert 0 < ann.wait_seconds <= 60
    assert nothing.wait_seconds == 0


async def test_another_installation_on_the_same_redis_is_not_counted(
    running_valkey: Valkey,
) -> None:
    async with (
        process(running_valkey.url, "shop-a") as one,
        process(running_valkey.url, "shop-b") as other,
    ):
        assert (await let_in(one, "ann", 10), await let_in(other, "ann", 10)) == (10, 10)


async def test_nothing_stays_in_redis_for_ever(running_valkey: Valkey) -> None:
    async with process(running_valkey.url, "passing") as counts:
        await let_in(counts, "ann", 3)
        await counts.count("declines", "ann")
        client = counts._policies["visits"]._storage.bridge.get_connection()  # type: ignore[attr-defined] # noqa: SLF001
        keys = [key async for key in client.scan_iter("passing*")]
        lives = [await client.ttl(key) for key in keys]
    assert len(keys) == 2
    assert all(0 < life <= 2 * 3_600 for life in lives), lives


async def test_while_redis_is_dead_each_process_counts_for_itself_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "order_core.limits")
    with Valkey(tmp_path) as valkey:
        async with process(valkey.url, "dying") as one, process(valkey.url, "dying") as other:
            assert await let_in(one, "ann", 6) == 6
            valkey.kill()
            assert (await let_in(one, "ann", 20), await let_in(other, "ann", 20)) == (10, 10)
            assert (one.shared_is_up, other.shared_is_up) == (False, False)
            assert len(caplog.messages) == 2
            valkey.start()
            await asyncio.sleep(0.25)
            assert await let_in(one, "grace", 8) + await let_in(other, "grace", 8) == 10
            assert (one.shared_is_up, other.shared_is_up) == (True, True)
    assert [message.split()[:2] for message in caplog.messages[2:]] == [["Redis", "counts"]] * 2


async def test_a_redis_that_does_not_answer_costs_one_wait_and_not_one_a_request(
    tmp_path: Path,
) -> None:
    with Valkey(tmp_path) as valkey:
        async with process(valkey.url, "frozen", rest_seconds=60) as counts:
            assert await let_in(counts, "ann", 1) == 1
            valkey.freeze()
            began = time.monotonic()
            assert await let_in(counts, "bob", 200) == 10
            took = time.monotonic() - began
            valkey.thaw()
    assert 0.1 < took < 1.5


async def test_a_crowd_that_finds_redis_frozen_waits_at_the_same_time(tmp_path: Path) -> None:
    with Valkey(tmp_path) as valkey:
        async with process(valkey.url, "crowd", rest_seconds=60) as counts:
            assert await let_in(counts, "ann", 1) == 1
            valkey.freeze()
            began = time.monotonic()
            answers = await asyncio.gather(*(counts.count("visits", "bob") for _ in range(200)))
            took = time.monotonic() - began
            valkey.thaw()
    assert sum(answers) == 10
    assert took < 1.5


async def test_a_redis_that_was_never_there_is_no_obstacle() -> None:
    async with process(f"redis://127.0.0.1:{unused_port()}/0", "never") as counts:
        assert await let_in(counts, "ann", 12) == 10


def test_two_services_share_a_limit_and_go_on_reading_and_selling_without_redis(
    tmp_path: Path,
) -> None:
    with (
        Valkey(tmp_path) as valkey,
        service_that_counts_in(valkey, tmp_path, "one") as one,
        service_that_counts_in(valkey, tmp_path, "other") as other,
    ):
        placed = one.place(an_order())
        assert placed.status_code == 201
        asked = [each.client.get("/api/orders/") for each in (one, other) for _ in range(3)]
        assert [answer.status_code for answer in asked] == [200] * 5 + [429]
        assert asked[4].headers["RateLimit"].startswith('"customer";r=0;t=')
        assert asked[0].headers["RateLimit-Policy"] == '"customer";q=6;w=3600'
        valkey.kill()
        began = time.monotonic()
        for each in (one, other):
            assert each.client.get(placed.headers["Location"]).status_code == 200
            assert each.place(an_order()).status_code == 201
            assert "order_http_rate_limit_storage_up 0.0" in metrics(each).text
            assert each.log.read_text().count("Redis does not count") == 1
        assert time.monotonic() - began < 5


def service_that_counts_in(valkey: Valkey, shop: Path, name: str) -> ServiceProcess:
    folder = shop / name
    folder.mkdir()
    return ServiceProcess(
        folder,
        arguments=("--no-worker",),
        RATE_LIMIT="6/hour",
        RATE_LIMIT_STORAGE=valkey.url,
        DATABASE_URL=f"sqlite:///{shop / 'orders.sqlite3'}",
    )


def metrics(service: ServiceProcess) -> httpx.Response:
    return service.client.get("/metrics")
