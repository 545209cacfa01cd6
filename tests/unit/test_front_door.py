"""How many connections a process holds, with the open files that it may have."""

import resource

import pytest
from granian.constants import HTTPModes

from order_cli.front_door import FrontDoor
from order_wiring.settings import Settings

Limits = list[tuple[int, int]]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """The open files that the machine permits, first now and then at most."""
    held: Limits = [(1_024, 4_096)]

    def permit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > held[-1][1]:
            raise ValueError("not allowed to raise maximum limit")
        held.append(wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda _: held[-1])
    monkeypatch.setattr(resource, "setrlimit", permit)
    return held


def door(connections: int) -> FrontDoor:
    environment = {"ORDER_CORE_MAX_CONNECTIONS": str(connections)}
    return FrontDoor.of(Settings.read(environment, installed=()))


def test_the_process_may_open_as_many_files_as_its_connections_need(limits: Limits) -> None:
    assert door(2_000).max_connections == 2_000
    assert limits[-1] == (2_512, 4_096)


def test_connections_leave_files_for_everything_else(
    limits: Limits, caplog: pytest.LogCaptureFixture
) -> None:
    assert door(10_000).max_connections == 4_096 - 512
    assert "only 3584 connections at a time, not 10000" in caplog.text


def test_what_is_enough_is_left_as_it_is(limits: Limits) -> None:
    assert door(500).max_connections == 500
    assert limits == [(1_024, 4_096)]


def test_no_idle_connection_outlives_its_time_in_another_protocol() -> None:
    given = FrontDoor("127.0.0.1", 8000, max_connections=77, idle_timeout_seconds=1.5).for_granian()
    assert given["http"] is HTTPModes.http1
    assert given["http1_settings"].header_read_timeout == 1_500
    assert given["backpressure"] == 77
