"""The keys that an issuer publishes, kept for a while and fetched again when they may be old."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from order_core.errors import InvalidToken, TokenUnverifiable
from order_jwt.fetch_keys import FetchKeys, IssuerUnreadable
from order_jwt.key_set import KeySet
from order_jwt.keys import PUBLIC_KEY_ALGORITHMS, VerificationKey

_log = logging.getLogger("order_jwt.published_keys")

_WRONG_ALGORITHM: Final = (
    f"the token must be signed with {', '.join(PUBLIC_KEY_ALGORITHMS[:-1])} "
    f"or {PUBLIC_KEY_ALGORITHMS[-1]}"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How old the keys may become, and how often an issuer is asked."""

    fresh: timedelta = timedelta(minutes=5)
    """So long nobody asks. Then they are fetched beside the requests, and after twice as long
    a request waits for it, unless the issuer was silent the last time."""
    pause: timedelta = timedelta(seconds=10)
    """From one look to the next, whoever demands it: tokens with invented keys come in floods."""
    oldest: timedelta = timedelta(hours=6)
    """Then keys of a silent issuer are believed no longer: one of them may be stolen and
    withdrawn since."""


class PublishedKeys:
    """Keeps the port `KeySource` for an issuer that publishes its keys.

    `ticks` are seconds of a clock that is never set back.
    """

    def __init__(
        self,
        fetch: FetchKeys,
        *,
        patience: Patience | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        patience = patience or Patience()
        self._fetch = fetch
        self._fresh = patience.fresh.total_seconds()
        self._pause = patience.pause.total_seconds()
        self._oldest = patience.oldest.total_seconds()
        self._ticks = ticks
        self._keys = KeySet()
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._silent = False
        self._look: asyncio.Task[None] | None = None

    async def key_for(self, key_id: str | None, algorithm: str, /) -> VerificationKey:
        if algorithm not in PUBLIC_KEY_ALGORITHMS:
            raise InvalidToken(_WRONG_ALGORITHM)
        await self._renew_if_old()
        key = self._keys.find(key_id, algorithm)
        if key is None and (look := self._look_again()):
            await _end_of(look)
            key = self._keys.find(key_id, algorithm)
        if key is not None:
            return key
        if self._silent:
            # It may well be a new key that we could not fetch.
            raise TokenUnverifiable("the issuer of tokens does not answer")
        raise InvalidToken("the token names no key that its issuer publishes")

    async def key_instead_of(self, key: VerificationKey, /) -> VerificationKey | None:
        if look := self._look_again():
            await _end_of(look)
        found = self._keys.find(None, key.algorithm)
        return None if found == key else found

    async def _renew_if_old(self) -> None:
        if self._age < self._fresh:
            return
        look = self._look_again()
        may_wait = self._age >= 2 * self._fresh and not self._silent
        if look and (may_wait or self._age >= self._oldest):
            await _end_of(look)
        if self._age >= self._oldest:
            raise TokenUnverifiable("the issuer of tokens does not answer")

    @property
    def _age(self) -> float:
        return self._ticks() - self._fetched_at

    def _look_again(self) -> asyncio.Task[None] | None:
        """The look that is under way, or a new one; None shortly after the last."""
        if self._look is None and self._ticks() - self._asked_at >= self._pause:
            self._asked_at = self._ticks()
            self._look = asyncio.create_task(self._ask())
        return self._look

    async def _ask(self) -> None:
        try:
            self._keys = await self._fetch()
            # Their age counts from the question: the answer may have been long on its way.
            self._fetched_at = self._asked_at
            self._silent = False
        except IssuerUnreadable as unreadable:
            self._silent = True
            _log.warning("The keys of the issuer of tokens were not fetched: %s.", unreadable)
        except Exception:  # noqa: BLE001 - whoever asks for a key must not pay for it with a 500
            self._silent = True
            _log.exception("The keys of the issuer of tokens were not fetched.")
        finally:
            self._look = None


async def _end_of(look: asyncio.Task[None]) -> None:
    # A caller who goes away must not take the look from the others.
    await asyncio.shield(look)
