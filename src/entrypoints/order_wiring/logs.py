"""Logs are one JSON object a line, on standard error. No line tells of a person, or a secret.

What a line says is what the code says: a message of ours, and of an exception its kind and
where it came from. What an exception says itself may quote a row, a request or an address, and
what a library says may too.
"""

import errno
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TextIO

from order_http.access_record import ACCESS, AccessRecord
from order_wiring.lines_of_a_turn import LinesOfATurn

OURS: Final = "order_"
"""How the names of our loggers begin. A gateway of your own may call its logger so too."""

_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MOST_CAUSES: Final = 10
_MOST_FRAMES: Final = 50


class JsonLines(logging.Formatter):
    """Time, level, logger and message, then whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        second, milliseconds = _second(int(record.created)), int(record.created % 1 * 1000)
        time = f"{second}.{milliseconds:03}+00:00"
        if isinstance(record, AccessRecord):
            # The same as below, for as little as a line about each request may cost.
            return f'{{"time": "{time}", "level": "info", "logger": "{ACCESS}", {record.line[1:]}'
        line: dict[str, object] = {
            "time": time,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if is_ours(record) else _template(record),
        }
        if record.name == ACCESS:
            # Its message is an object already.
            line |= json.loads(record.getMessage())
            del line["message"]
        if is_ours(record):
            line |= {name: held for name, held in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = where_it_came_from(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


@lru_cache(maxsize=2)
def _second(unix_time: int) -> str:
    return datetime.fromtimestamp(unix_time, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def is_ours(record: logging.LogRecord) -> bool:
    """Whether we know what such a line says."""
    return record.name.startswith(OURS)


def _template(record: logging.LogRecord) -> str:
    # A library puts data into its arguments, or below the first line.
    return str(record.msg).partition("\n")[0][:500]


def where_it_came_from(error: BaseException) -> str:
    """The kinds of the exception and its causes, each with its lines of code, the first first."""
    return "\n".join(["Traceback:", *reversed(list(_told(error)))])


def _told(error: BaseException) -> Iterator[str]:
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return
        frames = "".join(traceback.format_tb(cause.__traceback__, _MOST_FRAMES))
        yield f"{frames}{_kind(cause)}"
        if isinstance(cause, BaseExceptionGroup):
            yield "of " + ", ".join(_kind(each) for each in cause.exceptions[:_MOST_CAUSES])
        hidden = None if cause.__suppress_context__ else cause.__context__
        cause = cause.__cause__ or hidden


def _kind(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, OSError) and error.errno:
        return f"{kind}: {errno.errorcode.get(error.errno, error.errno)}"
    state = getattr(error, "sqlstate", None)
    return f"{kind}: {state}" if isinstance(state, str) else kind


def _is_to_be_told(record: logging.LogRecord) -> bool:
    # Below a warning, libraries report each request or statement, some with all that is in it.
    return is_ours(record) or record.levelno >= logging.WARNING


def log_to_standard_error(level: str, *, stream: TextIO | None = None) -> None:
    """Send everything of ours at `level` and above to standard error, and warnings of libraries.

    Replaces what was set before.
    """
    handler = LinesOfATurn(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(_is_to_be_told)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What the handler leaves out need not be written down first.
    for talkative in ("aiosqlite", "alembic", "asyncio", "httpx", "httpcore", "_granian"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
