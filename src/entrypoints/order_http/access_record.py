"""A line about an answer, as `logging` passes it on."""

import logging
import os
import threading
import time
from typing import Any, Final

ACCESS: Final = "order_http.access"


class AccessRecord(logging.LogRecord):
    """The same as any record that `logging` makes of its message, a JSON object.

    One for each request: to look for its caller and for the name of its process, which are
    always the same, would cost more than the rest of the line.
    """

    __slots__ = ("line",)

    def __init__(self, line: str, request_id: str, alike: dict[str, Any]) -> None:
        self.line = line
        # Not that of a record, which would look for everything.
        self.__dict__ = held = alike.copy()
        held["args"] = (line,)
        held["request_id"] = request_id
        held["created"] = now = time.time()
        held["msecs"] = float(int((now - int(now)) * 1000))
        held["relativeCreated"] += (now - alike["created"]) * 1000
        if (thread := threading.get_ident()) != alike["thread"]:
            held["thread"], held["threadName"] = thread, threading.current_thread().name
        held["process"] = os.getpid()


def what_all_have_in_common() -> dict[str, Any]:
    """Of the records of this process."""
    record = logging.LogRecord(ACCESS, logging.INFO, __file__, 0, "%s", (), None, "tell")
    return vars(record)
