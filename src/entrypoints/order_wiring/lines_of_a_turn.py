"""Writes the lines about answers together: those of one turn of the event loop."""

import asyncio
import logging
from typing import Final, TextIO

from order_http.access_record import AccessRecord

_AT_ONCE: Final = 4096
"""Characters, which are bytes there. Beyond it, a pipe (PIPE_BUF) might put the line of another
process between ours."""


class LinesOfATurn(logging.StreamHandler[TextIO]):
    """A line about an answer waits for the others of its turn; the rest goes out at once.

    No order of lines is changed. A process that is killed loses what answers of its last turn
    would have said, and nothing else.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[str] = []
        self._length = 0
        self._last: logging.LogRecord | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record, AccessRecord):
            self._wait(record)
        else:
            self._write_waiting()
            super().emit(record)

    def flush(self) -> None:
        # Also at the end of the process, by `logging` itself.
        self.acquire()
        try:
            self._write_waiting()
            super().flush()
        finally:
            self.release()

    def close(self) -> None:
        self.flush()
        super().close()

    def _wait(self, record: AccessRecord) -> None:
        line = self.format(record) + self.terminator
        if self._length + len(line) > _AT_ONCE:
            self._write_waiting()
        self._waiting.append(line)
        self._length += len(line)
        self._last = record
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        # A loop that has ended will not come back for what waits.
        if len(self._waiting) == 1 or loop is not self._loop:
            self._loop = loop
            loop.call_soon(self.flush)

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        text, self._waiting, self._length = "".join(self._waiting), [], 0
        try:
            self.stream.write(text)
        except Exception:  # noqa: BLE001 - as every handler does
            if self._last is not None:
                self.handleError(self._last)
