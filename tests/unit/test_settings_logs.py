"""What the log looks like to a program that reads it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from order_wiring.logs import log_to_standard_error


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log_to_standard_error("info", stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level


def last(lines: io.StringIO) -> dict[str, object]:
    line: dict[str, object] = json.loads(lines.getvalue().splitlines()[-1])
    return line


def test_a_message_with_line_breaks_and_quotes_stays_one_line(lines: io.StringIO) -> None:
    logging.getLogger("order_shop").warning('%s said: "%s"', "Zoë", "no\nway")

    assert lines.getvalue().count("\n") == 1
    assert last(lines)["message"] == 'Zoë said: "no\nway"'
    assert last(lines)["level"] == "warning"


def _address_is_wrong() -> None:
    try:
        json.loads('"ann@example.com')
    except ValueError as error:
        raise KeyError("12 St James's Square") from error


def test_an_exception_is_told_by_its_kind_its_causes_and_its_lines_of_code(
    lines: io.StringIO,
) -> None:
    try:
        _address_is_wrong()
    except KeyError:
        logging.getLogger("order_shop").exception("brewing failed", extra={"request_id": "r-17"})

    told = str(last(lines)["exception"])
    assert last(lines)["request_id"] == "r-17"
    assert told.startswith("Traceback:\n")
    assert told.index("json.decoder.JSONDecodeError\n") < told.index("    _address_is_wrong()\n")
    assert told.endswith("KeyError")


def test_what_an_exception_says_itself_is_not_told(lines: io.StringIO) -> None:
    mistakes = ExceptionGroup("of ann", [OSError(28, "no space for ann"), ValueError("ann")])
    try:
        raise mistakes
    except ExceptionGroup:
        logging.getLogger("order_shop").exception("brewing failed")

    told = str(last(lines)["exception"])
    assert "OSError: ENOSPC, ValueError" in told
    assert "ann" not in told.replace(_OWN_LINE, "")


_OWN_LINE = "    raise mistakes\n"


def test_causes_that_lead_in_a_circle_come_to_an_end(lines: io.StringIO) -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    logging.getLogger("order_shop").error("brewing failed", exc_info=first)

    assert str(last(lines)["exception"]).count("KeyError") == 5


def test_a_line_of_the_access_log_is_not_an_object_inside_a_string(lines: io.StringIO) -> None:
    logging.getLogger("order_http.access").info("%s", '{"route": "/docs", "status": 200}')

    assert last(lines)["route"] == "/docs"
    assert last(lines)["status"] == 200
    assert "message" not in last(lines)


@pytest.mark.parametrize("library", ["httpx", "paypalrestsdk.api", "a.new.library"])
def test_libraries_that_report_every_request_are_silent(lines: io.StringIO, library: str) -> None:
    log_to_standard_error("debug", stream=lines)

    logging.getLogger(library).info("Body: ann@example.com")
    logging.getLogger(library).debug("Body: %s", "ann@example.com")

    assert lines.getvalue() == ""


def test_of_a_librarys_warning_only_the_words_that_it_always_says_are_told(
    lines: io.StringIO,
) -> None:
    logging.getLogger("urllib3").warning("Retrying after %r: %s", OSError("ann"), "/ann")
    pool = last(lines)["message"]
    logging.getLogger("asyncio").error("Task failed\nfuture: KeyError('ann')", extra={"of": "ann"})

    assert pool == "Retrying after %r: %s"
    assert last(lines)["message"] == "Task failed"
    assert "ann" not in lines.getvalue()
