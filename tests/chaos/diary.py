"""What was done to the shop, and when."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

_MOST_ENTRIES: Final = 20_000


class Diary:
    """The newest entries, and how often each kind of thing was done."""

    def __init__(self) -> None:
        self.began_at: Final = datetime.now(UTC)
        self._began: Final = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.entries: list[tuple[float, str]] = []

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._began

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def note(self, what: str, detail: str = "") -> None:
        """Count it, and remember when it was."""
        self.count(what)
        if len(self.entries) < _MOST_ENTRIES:
            self.entries.append((self.seconds, f"{what} {detail}".rstrip()))

    def between(self, first: float, last: float) -> list[str]:
        """What was noted from `first` to `last` seconds after the beginning."""
        return [f"{at:8.2f} s  {what}" for at, what in self.entries if first <= at <= last]
