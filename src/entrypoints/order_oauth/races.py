"""Requests of one process that come with tokens of the same family at the same time."""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

from order_oauth.random_secrets import RefreshToken


class _Family:
    """Those that are under way now; it is forgotten with the last of them."""

    def __init__(self) -> None:
        self.turn: Final = asyncio.Lock()
        self.wins = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, from its arrival on."""

    _family: _Family
    _wins_before: int = field(default=0)

    @property
    def turn(self) -> asyncio.Lock:
        """To be held while its token is looked up and used."""
        return self._family.turn

    @property
    def lost(self) -> bool:
        """Whether another one has won since this one came.

        It cannot have known, so its token is no stolen one because of that. Who comes after a
        win has no such excuse, however many others are under way.
        """
        return self._family.wins != self._wins_before

    def won(self) -> None:
        """Its token was good, and is used now."""
        self._family.wins += 1


class Races:
    """Holds as many families as have requests under way, and no more."""

    def __init__(self) -> None:
        self._families: WeakValueDictionary[str, _Family] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._families)

    def enter(self, token: RefreshToken | None) -> Entry:
        """A request has come, with `token` if it brought one."""
        if token is None:
            return Entry(_Family())
        family = self._families.setdefault(token.family_digest, _Family())
        return Entry(family, family.wins)
