"""Chance, from a seed."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_Option = TypeVar("_Option")


class Chance(Random):
    """A source of random numbers that repeats itself, on every machine, for the same seed."""

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return self.random() < probability

    def choice(self, options: Sequence[_Option], /) -> _Option:  # type: ignore[override]
        """One of a few: exact enough for them, and quicker than what is exact for all."""
        return options[int(self.random() * len(options))]
