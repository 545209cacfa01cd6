"""Chance, from a seed."""

from random import Random


class Chance(Random):
    """A source of random numbers that repeats itself, on every machine, for the same seed."""

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return self.random() < probability
