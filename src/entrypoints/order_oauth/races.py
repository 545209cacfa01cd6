"""Requests of one process that come with the same refresh token at the same time."""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

from order_oauth.random_secrets import RefreshToken


class _Race:
    """Those that are under way now; it is forgotten with the last of them."""

    def __init__(self) -> None:
        self.turn: Final = asyncio.Lock()
        self.wins = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, from its arrival on."""

    _race: _Race
    _wins_before: int = field(default=0)

    @property
    def turn(self) -> asyncio.Lock:
        """To be held while its token is looked up and used."""
        return self._race.turn

    @property
    def lost(self) -> bool:
        """Whether another one has used its token since this one came.

        It cannot have known, so its token is no stolen one because of that. Who comes after a
        win has no such excuse, however many others are under way.
        """
        return self._race.wins != self._wins_before

    def won(self) -> None:
        """Its token was good, and is used now."""
        self._race.wins += 1


class Races:
    """Holds as many tokens as have requests under way, and no more.

    Not families: a thief who keeps refreshing wins all the time with the tokens that follow, and
    its owner, who comes with the one that was stolen, would never be more than a loser.
    """

    def __init__(self) -> None:
        self._races: WeakValueDictionary[str, _Race] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._races)

    def enter(self, token: RefreshToken | None) -> Entry:
        """A request has come, with `token` if it brought one."""
        if token is None:
            return Entry(_Race())
        race = self._races.setdefault(token.digest, _Race())
        return Entry(race, race.wins)
