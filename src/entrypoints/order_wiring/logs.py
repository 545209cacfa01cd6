"""Logs are one JSON object a line, on standard error."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

_ACCESS: Final = "order_http.access"
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Time, level, logger and message, then whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.name == _ACCESS:
            # Its message is an object already.
            line |= json.loads(record.getMessage())
            del line["message"]
        line |= {name: held for name, held in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def log_to_standard_error(level: str, *, stream: TextIO | None = None) -> None:
    """Send everything at `level` and above to standard error; replaces what was set before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # They report each request or statement, which is the access log's task.
    for talkative in ("aiosqlite", "alembic", "asyncio", "httpx", "httpcore", "_granian"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
