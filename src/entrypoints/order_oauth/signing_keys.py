"""The keys that sign, one after the other, the same for all processes."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any, Final

from order_core.errors import InvalidToken, StoreUnavailable, TokenUnverifiable
from order_core.ports import Clock
from order_jwt import VerificationKey
from order_oauth.key_pairs import (
    ALGORITHM,
    Signer,
    jwk_of,
    new_signer,
    private_der,
    public_pem,
    signer_from,
)
from order_oauth.settings import KEY_IS_ANNOUNCED, KEY_SIGNS_FOR, LEEWAY
from order_oauth.wrapping import Wrapping
from order_sqlalchemy.oauth_keys import SqlSigningKeys
from order_sqlalchemy.oauth_records import StoredKey

_LOOK_AGAIN_AFTER: Final = timedelta(seconds=60)
_LOOK_FOR_UNKNOWN_AFTER: Final = timedelta(seconds=1)

_log: Final = logging.getLogger("order_oauth.keys")


class SigningKeys:
    """Keys in the store, and what this process has lately read of them. It is a `KeySource`.

    A key is published for a day before it signs for thirty, and until the last token that it
    signed has expired. Whoever needs a key makes those that are due.
    """

    def __init__(
        self,
        store: SqlSigningKeys,
        wrapping: Wrapping,
        clock: Clock,
        *,
        access_lifetime: timedelta,
    ) -> None:
        self._store = store
        self._wrapping = wrapping
        self._clock = clock
        self._outlives_its_signing_by = access_lifetime + LEEWAY
        self._reading = asyncio.Lock()
        self._read: tuple[StoredKey, ...] = ()
        self._read_at: datetime | None = None
        self._failures = 0
        self._signers: dict[str, Signer] = {}
        self._verifying: dict[str, VerificationKey] = {}

    async def signer(self) -> Signer:
        """The key to sign with now.

        Raises:
            StoreUnavailable: there is none at hand, and none can be made.
            CannotUnwrap: somebody changed the key in the database.
        """
        await self._look(_LOOK_AGAIN_AFTER)
        key = self._signing()
        if key is None:
            await self.make_what_is_due()
            key = self._signing()
        if key is None:
            raise StoreUnavailable("The signing key that was made is not there.")
        if key.kid not in self._signers:
            private = self._wrapping.unwrap(key.wrapped_private_key, key.kid)
            self._signers = {key.kid: signer_from(key.kid, private)}
        return self._signers[key.kid]

    async def key_set(self) -> dict[str, Any]:
        """All public keys of which a token may be good, now or soon (RFC 7517)."""
        await self.signer()
        return {"keys": [jwk_of(key.kid, key.public_key) for key in self._published()]}

    async def key_for(self, key_id: str | None, algorithm: str, /) -> VerificationKey:
        if algorithm != ALGORITHM:
            raise InvalidToken(f"the token must be signed with {ALGORITHM}")
        try:
            await self._look(_LOOK_AGAIN_AFTER)
            if self._known(key_id) is None:
                await self._look(_LOOK_FOR_UNKNOWN_AFTER)
        except StoreUnavailable as error:
            raise TokenUnverifiable("the keys of its issuer cannot be read") from error
        key = self._known(key_id)
        if key is None:
            raise InvalidToken("the token was signed with a key that is not, or no longer, ours")
        return key

    async def key_instead_of(self, _key: VerificationKey, /) -> VerificationKey | None:
        return None  # Each of our keys has a name, and so has each of our tokens.

    async def make_what_is_due(self) -> None:
        """Announce the next key when it is time, and forget those that are done with.

        Raises:
            StoreUnavailable: nothing may have happened; do it again.
        """
        now = self._clock.now()
        # First, so that the generations of keys that nobody reads do not stand in the way.
        await self._store.prune(now)
        await self._look(timedelta(0))
        latest = max(self._own(), key=lambda key: key.generation, default=None)
        if latest is None or latest.signs_until <= now:
            begins = now
        elif latest.signs_until - now <= KEY_IS_ANNOUNCED:
            begins = latest.signs_until
        else:
            return
        key = self._new(latest.generation + 1 if latest else 1, begins)
        # Of several processes that come here at once, one adds its key; all use that one.
        if await self._store.add(key):
            _log.info("the signing key %s signs from %s on", key.kid, begins.isoformat())
        await self._look(timedelta(0))

    def _new(self, generation: int, begins: datetime) -> StoredKey:
        signer = new_signer()
        ends = begins + KEY_SIGNS_FOR
        return StoredKey(
            wrapped_by=self._wrapping.name,
            generation=generation,
            kid=signer.kid,
            public_key=public_pem(signer),
            wrapped_private_key=self._wrapping.wrap(private_der(signer), signer.kid),
            signs_from=begins,
            signs_until=ends,
            published_until=ends + self._outlives_its_signing_by,
        )

    async def _look(self, not_within: timedelta) -> None:
        """Read the keys again, unless that was done within `not_within`.

        Those of before stay in use while the store is silent.
        """
        if not self._older_than(not_within):
            return
        failures = self._failures
        async with self._reading:
            # Whoever waited for another one's look has had its own, be it in vain: one silence of
            # the store after the other would be a queue without end.
            if not self._older_than(not_within):
                return
            if self._failures != failures:
                raise StoreUnavailable("The signing keys cannot be read at present.")
            now = self._clock.now()
            try:
                self._read = await self._store.published(now)
            except StoreUnavailable:
                if not self._read:
                    self._failures += 1
                    raise
            self._read_at = now

    def _older_than(self, age: timedelta) -> bool:
        # A clock that was set back would make what was read seem new for as long.
        return self._read_at is None or not timedelta(0) <= self._clock.now() - self._read_at < age

    def _published(self) -> list[StoredKey]:
        now = self._clock.now()
        return [key for key in self._read if now < key.published_until]

    def _own(self) -> list[StoredKey]:
        return [key for key in self._published() if key.wrapped_by == self._wrapping.name]

    def _signing(self) -> StoredKey | None:
        now = self._clock.now()
        own = [key for key in self._own() if now < key.signs_until]
        # One that was made when tokens lived shorter may be gone before what it would sign now.
        last = now + self._outlives_its_signing_by
        own = [key for key in own if last <= key.published_until] or own
        begun = [key for key in own if key.signs_from <= now]
        if begun:
            return max(begun, key=lambda key: key.signs_from)
        # A process whose clock is ahead has just made the first one.
        return min(own, key=lambda key: key.signs_from, default=None)

    def _known(self, key_id: str | None) -> VerificationKey | None:
        for key in self._published():
            if key.kid == key_id:
                if key.kid not in self._verifying:
                    self._verifying[key.kid] = VerificationKey.from_public_pem(key.public_key)
                return self._verifying[key.kid]
        return None
