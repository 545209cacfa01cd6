"""Coroutines and calls in the order of a virtual time: no wall clock, no event loop."""

import types
from collections.abc import Callable, Coroutine, Generator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any, Final, Protocol

START: Final = datetime(2030, 1, 1, tzinfo=UTC)
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
"""Times and durations of the simulation are whole microseconds, counted from `START`."""

_DIE: Final = -1
_UNTIL_WOKEN: Final = -2


@types.coroutine
def pause(microseconds: int) -> Generator[int, None, None]:
    """Come back after a while; everything else goes on meanwhile."""
    yield microseconds


@types.coroutine
def die() -> Generator[int, None, None]:
    """Let the process that runs this task crash: none of its tasks goes on."""
    yield _DIE


@types.coroutine
def wait() -> Generator[int, None, None]:
    """Come back when somebody calls `Scheduler.wake`."""
    yield _UNTIL_WOKEN


class Process(Protocol):
    """What tasks run in: it can stand still, and it can die."""

    @property
    def paused_until(self) -> int: ...

    def crash(self) -> None: ...

    def ended(self, task: "Task", /) -> None: ...


class Task:
    """A coroutine that runs in virtual time, in a process or outside of any."""

    __slots__ = (
        "background",
        "coroutine",
        "error",
        "name",
        "on_end",
        "process",
        "result",
        "turn",
        "waits_for",
    )

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        name: str,
        *,
        process: Process | None,
        background: bool,
        on_end: "Callable[[Task], None] | None",
    ) -> None:
        self.coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self.name = name
        self.process = process
        self.background = background
        self.on_end = on_end
        self.result: Any = None
        self.error: Exception | None = None
        self.turn = 0
        self.waits_for: Task | None = None

    @property
    def is_over(self) -> bool:
        return self.coroutine is None

    @property
    def was_killed(self) -> bool:
        """Over without a result and without an error: its process crashed."""
        return self.coroutine is None and self.result is None and self.error is None


_Entry = tuple[int, int, "Task | None", int, "Callable[[], None] | None"]


class Scheduler:
    """Steps whatever is due next. What is due at once goes on in the order it was begun."""

    def __init__(self) -> None:
        self.now = 0
        self.foreground = 0
        """How many calls and tasks are under way that are not in the background."""
        self.current: Task | None = None
        """The task that is running just now."""
        self._heap: list[_Entry] = []
        self._count = 0
        self._stopped = False

    def at(self, time: int, call: Callable[[], None]) -> None:
        """Call at that time."""
        self._count += 1
        self.foreground += 1
        heappush(self._heap, (max(time, self.now), self._count, None, 0, call))

    def after(self, delay: int, call: Callable[[], None]) -> None:
        """Call after `delay`."""
        self.at(self.now + delay, call)

    def start(
        self,
        coroutine: Coroutine[Any, Any, Any],
        name: str,
        *,
        process: Process | None = None,
        background: bool = False,
        delay: int = 0,
        on_end: Callable[[Task], None] | None = None,
    ) -> Task:
        """Run a coroutine from `delay` on; `on_end` is called when it is over, however."""
        task = Task(coroutine, name, process=process, background=background, on_end=on_end)
        if not background:
            self.foreground += 1
        self.wake(task, delay)
        return task

    def wake(self, task: Task, delay: int = 0) -> None:
        """Let the task go on after `delay`, instead of whenever it would have."""
        if task.coroutine is not None:
            self._count += 1
            task.turn += 1
            heappush(self._heap, (self.now + delay, self._count, task, task.turn, None))

    def kill(self, task: Task) -> None:
        """End a task that is not running just now, as the crash of its process does."""
        if task.coroutine is not None:
            task.coroutine.close()
            self._end(task)

    def stop(self) -> None:
        """Let `run` end after this step."""
        self._stopped = True

    def run(self) -> None:
        """Until nothing is left to do, or somebody calls `stop`."""
        heap = self._heap
        while heap and not self._stopped:
            time, _, task, turn, call = heappop(heap)
            if task is None:
                self.now = time
                self.foreground -= 1
                if call is not None:
                    call()
            elif task.turn == turn and task.coroutine is not None:
                process = task.process
                if process is not None and process.paused_until > time:
                    self._count += 1
                    heappush(heap, (process.paused_until, self._count, task, turn, None))
                else:
                    self.now = time
                    self._step(task)

    def close(self) -> None:
        """End whatever is still under way, without another step of it."""
        for _, _, task, _, _ in self._heap:
            if task is not None and task.coroutine is not None:
                task.coroutine.close()
                task.coroutine = None
        self._heap.clear()

    def _step(self, task: Task) -> None:
        coroutine = task.coroutine
        if coroutine is None:
            return
        self.current = task
        try:
            delay = coroutine.send(None)
        except StopIteration as stop:
            task.result = stop.value
            self._end(task)
        except Exception as error:  # noqa: BLE001 - whoever waits for the task judges it
            task.error = error
            self._end(task)
        else:
            if delay >= 0:
                self._count += 1
                task.turn += 1
                heappush(self._heap, (self.now + delay, self._count, task, task.turn, None))
            elif delay == _DIE and task.process is not None:
                task.process.crash()

    def _end(self, task: Task) -> None:
        task.coroutine = None
        if not task.background:
            self.foreground -= 1
        if task.process is not None:
            task.process.ended(task)
        if task.on_end is not None:
            task.on_end(task)


def as_datetime(time: int) -> datetime:
    """The moment of the virtual calendar."""
    return START + timedelta(microseconds=time)
