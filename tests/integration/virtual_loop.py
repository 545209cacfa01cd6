"""An event loop whose clock jumps to the next timer: what waits for seconds takes none."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingWillEverHappen(Exception):
    """Somebody waits, and no timer will wake him."""


class _Jumping(selectors.SelectSelector):
    now = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingWillEverHappen
        self.now += max(timeout, 0.0) + 1e-9
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_on_virtual_time(work: Coroutine[Any, Any, T]) -> tuple[T, list[dict[str, Any]]]:
    """What it returns, and what the loop was told that nobody has caught."""
    uncaught: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: uncaught.append(context))
        return runner.run(work), uncaught
