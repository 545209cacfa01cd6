"""How often something may happen."""

import re
from dataclasses import dataclass
from typing import Final, Self

MOST: Final = 10_000_000
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_NAMES: Final = {seconds: name for name, seconds in _SECONDS.items()}
_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,7})/(second|minute|hour|day)")


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` times within any `window_seconds`; 0 means that nothing is limited."""

    amount: int
    window_seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `60/minute`, or `off`.

        Raises:
            ValueError: it is neither, or more than ten million.
        """
        if text == "off":
            return cls(0, 60)
        written = _WRITTEN.fullmatch(text)
        if not written or int(written[1]) > MOST:
            raise ValueError(
                f"must be off, or a number from 1 to {MOST} for each second, minute, hour or day, "
                "such as 60/minute"
            )
        return cls(int(written[1]), _SECONDS[written[2]])

    def __str__(self) -> str:
        return f"{self.amount}/{_NAMES[self.window_seconds]}" if self else "off"

    def __bool__(self) -> bool:
        return self.amount > 0

    def times(self, factor: int) -> "Rate":
        """So many times as often."""
        return Rate(self.amount * factor, self.window_seconds)


OFF: Final = Rate(0, 60)
