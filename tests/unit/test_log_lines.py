"""When the lines of the log are written, and in which order."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from order_http.access_record import AccessRecord, what_all_have_in_common
from order_wiring.logs import log_to_standard_error

ALIKE = what_all_have_in_common()
ACCESS = logging.getLogger("order_http.access")


class Writes(io.StringIO):
    """Remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        self.texts.append(text)
        return super().write(text)


@pytest.fixture
def writes() -> Iterator[Writes]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = Writes()
    log_to_standard_error("info", stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level


def answer(route: str) -> None:
    line = json.dumps({"request_id": "r-1", "route": route, "status": 200})
    ACCESS.handle(AccessRecord(line, "r-1", ALIKE))


def told(writes: Writes) -> list[str]:
    lines = [json.loads(line) for line in writes.getvalue().splitlines()]
    return [line.get("route") or line["message"] for line in lines]


async def test_answers_of_one_turn_are_written_together_and_at_its_end(writes: Writes) -> None:
    for route in ("/a", "/b", "/c"):
        answer(route)
    assert writes.texts == []

    await asyncio.sleep(0)

    assert len(writes.texts) == 1
    assert told(writes) == ["/a", "/b", "/c"]


async def test_a_line_about_something_else_goes_out_at_once_behind_those_that_wait(
    writes: Writes,
) -> None:
    answer("/a")
    logging.getLogger("order_core.worker").warning("the provider is silent")
    assert told(writes) == ["/a", "the provider is silent"]

    answer("/b")
    await asyncio.sleep(0)
    assert told(writes)[2:] == ["/b"]


async def test_no_write_is_longer_than_what_a_pipe_takes_in_one_piece(writes: Writes) -> None:
    for number in range(100):
        answer(f"/{number}")
    await asyncio.sleep(0)

    assert told(writes) == [f"/{number}" for number in range(100)]
    assert max(map(len, writes.texts)) <= 4096
    assert all(text.endswith("}\n") for text in writes.texts)
    assert len(writes.texts) < 10


def test_without_an_event_loop_nothing_waits(writes: Writes) -> None:
    answer("/a")
    assert told(writes) == ["/a"]


def test_what_a_loop_left_behind_is_written_at_the_end_of_the_process(writes: Writes) -> None:
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        answer("/a")
        loop.stop()

    task = loop.create_task(serve())
    loop.run_forever()
    loop.close()
    assert task.done()
    assert writes.texts == []

    logging.shutdown()

    assert told(writes) == ["/a"]


def test_what_a_loop_left_behind_goes_out_with_the_next_loops_lines(writes: Writes) -> None:
    async def serve(route: str) -> None:
        answer(route)
        asyncio.get_running_loop().stop()

    for route in ("/a", "/b"):
        loop = asyncio.new_event_loop()
        task = loop.create_task(serve(route))
        loop.run_forever()
        assert task.done()
        loop.run_until_complete(asyncio.sleep(0)) if route == "/b" else None
        loop.close()

    assert told(writes) == ["/a", "/b"]


async def test_a_handler_that_is_replaced_says_first_what_it_knows(writes: Writes) -> None:
    answer("/a")
    log_to_standard_error("info", stream=io.StringIO())
    assert told(writes) == ["/a"]


async def test_a_line_about_an_answer_is_the_same_however_it_is_made(writes: Writes) -> None:
    line = '{"request_id": "r-1", "method": "GET", "route": "/é", "status": null}'
    ACCESS.info("%s", line, extra={"request_id": "r-1"})
    ACCESS.handle(AccessRecord(line, "r-1", ALIKE))
    await asyncio.sleep(0)

    slow, quick = (json.loads(text) for text in writes.getvalue().splitlines())
    assert list(slow) == list(quick)
    del slow["time"], quick["time"]
    assert slow == quick


async def test_a_stream_that_is_gone_stops_nobody(writes: Writes) -> None:
    answer("/a")
    writes.close()
    await asyncio.sleep(0)
    answer("/b")
    await asyncio.sleep(0)
