"""The wire that breaks, and the clock that is ahead: what the chaos run is done with."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from random import Random

import httpx
import pytest

from tests.chaos.diary import Diary
from tests.chaos.program import ROOT
from tests.chaos.proxy import CuttingProxy
from tests.integration.service_process import unused_port

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nnine word"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, EOFError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await reader.read()
    writer.close()


async def ask(**likelihoods: float) -> tuple[str, Diary]:
    diary = Diary()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        target = server.sockets[0].getsockname()[1]
        proxy = CuttingProxy("test", target, chance=Random(3), diary=diary, **likelihoods)
        await proxy.start()
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                answer = await client.get(f"http://127.0.0.1:{proxy.port}/")
        finally:
            await proxy.close()
            if serving := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(serving, timeout=5)
    return answer.text, diary


def test_no_two_programs_of_a_run_are_given_one_port() -> None:
    ports = [unused_port() for _ in range(1_000)]

    assert len(set(ports)) == len(ports)


async def test_a_wire_that_is_not_cut_passes_everything_on() -> None:
    assert (await ask())[0] == "nine word"


@pytest.mark.parametrize("end", ["answers", "requests"])
async def test_a_cut_wire_is_a_broken_connection(end: str) -> None:
    with pytest.raises(httpx.TransportError):
        await ask(**{end: 1.0})


async def test_nobody_behind_the_wire_is_a_broken_connection() -> None:
    proxy = CuttingProxy("test", unused_port(), chance=Random(3), diary=Diary())
    await proxy.start()
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{proxy.port}/")
    await proxy.close()


def test_hours_ahead_every_clock_of_ours_is_ahead_and_its_moments_are_plain_ones() -> None:
    program = """
import datetime, sys
from datetime import UTC
real = datetime.datetime
from tests.chaos.hours_ahead import move_clock
move_clock(datetime.timedelta(hours=30))
from order_system import SystemClock
from order_emulators.building import _utc_now
from datetime import datetime as moved
later = moved.fromtimestamp(real.now(UTC).timestamp() + 108000, UTC)
for moment in (SystemClock().now(), _utc_now(), later):
    assert type(moment) is real, type(moment)
    assert 29.9 < (moment - real.now(UTC)).total_seconds() / 3600 < 30.1, moment
assert isinstance(real.now(), moved)
assert moved.fromisoformat("2026-11-22T19:00:00+00:00") == real(2026, 11, 22, 19, tzinfo=UTC)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
