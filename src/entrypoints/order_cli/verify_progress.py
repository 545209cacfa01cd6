"""How far `order-core verify` has come, on the side of what it prints."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

from order_core.use_cases.verify_orders import Page

_EVERY_SECONDS: Final = 0.5
_EVERY_SECONDS_IN_A_LOG: Final = 10.0


class Progress:
    """One line that is written over on a terminal; a line now and then elsewhere."""

    def __init__(
        self, to: TextIO, *, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._to = to
        self._total = total
        self._clock = clock
        self._is_terminal = to.isatty()
        self._every = _EVERY_SECONDS if self._is_terminal else _EVERY_SECONDS_IN_A_LOG
        self._said_at = clock()
        self._orders = self._claims = self._found = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_terminal:
            self._to.write("\r\x1b[K")
        self._to.flush()

    def add(self, page: Page) -> None:
        """Count the page, and say so if enough time has passed."""
        if page.of is None:
            self._orders += page.seen
        else:
            self._claims += page.seen
        self._found += len(page.findings)
        now = self._clock()
        if now - self._said_at >= self._every:
            self._said_at = now
            self._say()

    def _say(self) -> None:
        # Orders may come while they are counted.
        total = max(self._total, self._orders)
        line = f"{self._orders:,} of {total:,} orders, {self._claims:,} claims"
        line += f", {self._found:,} violations" if self._found else ""
        self._to.write(f"\r\x1b[K{line}" if self._is_terminal else f"{line}\n")
        self._to.flush()
