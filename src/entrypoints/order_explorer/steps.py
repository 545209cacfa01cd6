"""Ports whose every call stops, until somebody brings its answer."""

from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

STEPS: Final = {
    "orders": frozenset(
        {"save", "get", "find_request", "find_by_transaction", "find_by_reference", "receive"}
    ),
    "work": frozenset({"claim", "release"}),
    "gateway": frozenset({"send", "look_up"}),
    "provider": frozenset({"event", "approve", "agree", "refuse", "refund", "let_go"}),
}
"""What counts as a turn, port by port. `provider` is the world outside: buyers, dashboards."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a port, not yet made."""

    port: str
    method: str
    arguments: tuple[Any, ...] = ()
    named: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """An answer that is an exception."""

    error: Exception


@dataclass(slots=True)
class _Turn:
    call: Call

    def __await__(self) -> Generator[Call, Any, Any]:
        return (yield self.call)


class SteppedPort:
    """Stops at every call of `STEPS`; whatever else it is asked, `really` answers at once."""

    def __init__(self, name: str, really: Any = None) -> None:  # noqa: ANN401 - it may be any port
        self._name = name
        self._really = really

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - whatever the port has
        if method not in STEPS[self._name]:
            return getattr(self._really, method)

        async def call(*arguments: object, **named: object) -> object:
            return await _Turn(Call(self._name, method, arguments, tuple(named.items())))

        return call


class SteppedClock:
    """The clock of one participant. It stands still between its turns, and may be wrong."""

    def __init__(self, wrong_by: timedelta) -> None:
        self._wrong_by = wrong_by
        self.slept = timedelta(0)
        self.world: datetime | None = None
        self.was_read = False

    def now(self) -> datetime:
        if self.world is None:
            raise RuntimeError("the participant has not begun")
        self.was_read = True
        return self.world + self._wrong_by + self.slept

    async def sleep(self, seconds: float, /) -> None:
        await _Turn(Call("clock", "sleep", (seconds,)))
        self.slept += timedelta(seconds=max(seconds, 0))


@dataclass(slots=True)
class Run:
    """A coroutine on its way, stopped at `call`, or over with `result`."""

    coroutine: Coroutine[Call, Any, Any]
    clock: SteppedClock
    call: Call | None = None
    result: Any = None

    def go_on(self, answer: object, now: datetime) -> None:
        """Bring the answer to `call` (None to begin), and run to the next one."""
        self.clock.world, self.clock.was_read = now, False
        try:
            if isinstance(answer, Raised):
                self.call = self.coroutine.throw(answer.error.with_traceback(None))
            else:
                self.call = self.coroutine.send(answer)
        except StopIteration as end:
            self.call, self.result = None, end.value
