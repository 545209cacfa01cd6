"""What is wrong with a configuration, all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """`setting` is the environment variable, `because` says what it must be and what it is."""

    setting: str
    because: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.because}"


class ConfigurationInvalid(Exception):
    """The configuration cannot be used; `mistakes` holds every reason."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        count = len(self.mistakes)
        headline = f"The configuration has {count} mistake{'s' if count > 1 else ''}:"
        super().__init__("\n".join([headline, *(f"  {mistake}" for mistake in self.mistakes)]))


class CannotStart(Exception):
    """The configuration is right, but the world is not: the message says what to do."""
