"""What a pretended provider was asked to do, on disk, so that it can be killed as well."""

import base64
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from order_emulators.chassis.call import Answer, Call
from order_emulators.chassis.provider import Decision, EmulatedProvider

_TOLD_AGAIN: Final = timedelta(minutes=1)
_READ: ContextVar[list[datetime] | None] = ContextVar("read", default=None)
"""What the clock showed while this request was carried out."""


class JournalInvalid(ValueError):
    """The file is no journal of this provider's; the text says why."""


class Journal:
    """Every request that may have changed the books, appended before it is answered.

    A new process carries them out again, at the moments at which they were carried out
    first, and so has the same books and remembers the same keys. A line reaches the
    operating system but not the disk: it outlives the process, not a power cut.

    Raises:
        JournalInvalid: the file holds something else.
    """

    def __init__(self, file: Path, provider: str, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._moments: list[datetime] = []
        lines = list(_whole_lines(file))
        self._lines = lines[1:]
        self.run = _run_in(lines[0], provider) if lines else token_hex(5)
        """Becomes part of the ids, where a provider must never give the same one twice."""
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if not lines:
            self._append({"journal_of": provider, "run": self.run})

    def now(self) -> datetime:
        """The clock; while old requests are carried out again, what it showed to them."""
        if self._moments:
            return self._moments.pop(0) if len(self._moments) > 1 else self._moments[0]
        moment = self._clock()
        if (read := _READ.get()) is not None:
            read.append(moment)
        return moment

    def replay(self, provider: EmulatedProvider) -> None:
        """Carry out again what stands in the journal.

        What happened in the last minute is told once more: nobody knows whether those events
        still went out, and every provider may tell twice.
        """
        told = self._clock() - _TOLD_AGAIN
        for line in self._lines:
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["at"])
            self._moments = [datetime.fromisoformat(moment) for moment in entry.get("read", ())]
            self._moments.append(at)
            if "act" in entry:
                reference, decision = entry["act"]
                provider.act(reference, Decision(decision))
            else:
                _at_once(provider.answer(_call(entry)))
            if at < told:
                provider.take_events()
        self._moments = []
        self._lines = []

    async def answer(self, provider: EmulatedProvider, call: Call) -> Answer:
        """The provider's answer, with the request in the journal if it may matter."""
        if call.method == "GET":
            return await provider.answer(call)
        read: list[datetime] = []
        reading = _READ.set(read)
        try:
            answer = await provider.answer(call)
        finally:
            _READ.reset(reading)
        # The first one with its key may still be at work. Carried out again, this would come first.
        if not answer.leaves_no_trace:
            self._append(_entry(call, read))
        return answer

    def act(self, reference: str, decision: Decision) -> None:
        """A decision was made that was no request."""
        self._append({"act": [reference, decision]})

    def _append(self, entry: dict[str, Any]) -> None:
        line = json.dumps({"at": self._clock().isoformat(), **entry})
        os.write(self._file, f"{line}\n".encode())


def _whole_lines(file: Path) -> Iterator[str]:
    if not file.exists():
        return
    content = file.read_bytes()
    whole, _, torn = content.rpartition(b"\n")
    if torn:
        # Nobody got an answer to a request whose line was not finished.
        os.truncate(file, len(content) - len(torn))
    if whole:
        yield from whole.decode("utf-8", "replace").split("\n")


def _run_in(line: str, provider: str) -> str:
    with suppress(ValueError, KeyError, TypeError):
        begins = json.loads(line)
        if begins["journal_of"] == provider:
            return str(begins["run"])
    raise JournalInvalid(f"the file is no journal of a pretended {provider}")


def _entry(call: Call, read: list[datetime]) -> dict[str, Any]:
    return {
        "read": [moment.isoformat() for moment in read],
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": dict(call.headers),
        "body": base64.b64encode(call.body).decode(),
        "fails_after": call.fails_after,
    }


def _call(entry: dict[str, Any]) -> Call:
    return Call(
        method=entry["method"],
        path=entry["path"],
        query=tuple((name, text) for name, text in entry["query"]),
        headers=entry["headers"],
        body=base64.b64decode(entry["body"]),
        fails_after=entry["fails_after"],
    )


def _at_once(answering: Coroutine[Any, Any, Answer]) -> None:
    # Without work that takes time a provider waits for nothing, and needs no event loop.
    try:
        answering.send(None)
    except StopIteration:
        return
    raise RuntimeError("a pretended provider waited for something while it was built again")
