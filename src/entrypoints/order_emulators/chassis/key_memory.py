"""Which request came with which idempotency key, and how it was answered."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from order_emulators.chassis.call import Answer

_MOST_KEYS: Final = 100_000


class KeyStanding(Enum):
    """What is known of a key that has no answer to give."""

    NEW = auto()
    RUNNING = auto()
    """An earlier request with this key is being worked on."""
    OTHER_REQUEST = auto()
    """It came before, with another request."""


@dataclass(slots=True)
class _Remembered:
    request: Hashable
    since: datetime
    answer: Answer | None = None


class KeyMemory:
    """Remembers each key for `life`. What makes two keys or requests equal is the caller's."""

    def __init__(self, life: timedelta, clock: Callable[[], datetime]) -> None:
        self._life = life
        self._clock = clock
        self._remembered: dict[Hashable, _Remembered] = {}

    def look(self, key: Hashable, request: Hashable) -> Answer | KeyStanding:
        """The answer to give again, or how the key stands."""
        known = self._remembered.get(key)
        if known is None or self._clock() >= known.since + self._life:
            return KeyStanding.NEW
        if known.request != request:
            return KeyStanding.OTHER_REQUEST
        return known.answer or KeyStanding.RUNNING

    def begin(self, key: Hashable, request: Hashable) -> None:
        """From now on the request runs."""
        if len(self._remembered) >= _MOST_KEYS:
            raise OverflowError(f"more than {_MOST_KEYS} keys; start the emulator again")
        self._remembered[key] = _Remembered(request, self._clock())

    def keep(self, key: Hashable, answer: Answer) -> None:
        """The request is done, and is answered like this for as long as the key lives."""
        self._remembered[key].answer = answer

    def forget(self, key: Hashable) -> None:
        """The request ended without leaving a trace; the key is free again."""
        self._remembered.pop(key, None)
