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
    logging.getLogger("shop").warning('%s said: "%s"', "Zoë", "no\nway")

    assert lines.getvalue().count("\n") == 1
    assert last(lines)["message"] == 'Zoë said: "no\nway"'
    assert last(lines)["level"] == "warning"


def test_an_exception_is_a_field_of_the_line(lines: io.StringIO) -> None:
    try:
        json.loads('{"half')
    except ValueError:
        logging.getLogger("shop").exception("brewing failed", extra={"request_id": "r-17"})

    assert "JSONDecodeError: Unterminated string" in str(last(lines)["exception"])
    assert last(lines)["request_id"] == "r-17"


def test_a_line_of_the_access_log_is_not_an_object_inside_a_string(lines: io.StringIO) -> None:
    logging.getLogger("order_http.access").info("%s", '{"route": "/docs", "status": 200}')

    assert last(lines)["route"] == "/docs"
    assert last(lines)["status"] == 200
    assert "message" not in last(lines)


def test_libraries_that_report_every_statement_are_silent(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://api.mail.example")

    assert lines.getvalue() == ""
