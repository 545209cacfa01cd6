"""The signing keys of the issuer of tokens, in SQL, where all processes find the same."""

from datetime import datetime
from typing import Final

from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import Row, moment_from, moment_us
from order_sqlalchemy.oauth_records import StoredKey

MOST_KEYS: Final = 20
"""Read at a time: far more than there ever are, unless somebody fills the table."""

_READ: Final = """
    SELECT wrapped_by, generation, kid, public_key, wrapped_private_key,
           signs_from_us, signs_until_us, published_until_us
    FROM oauth_signing_keys WHERE published_until_us > $1
    ORDER BY signs_from_us DESC, kid LIMIT $2"""
_ADD: Final = """
    INSERT INTO oauth_signing_keys (wrapped_by, generation, kid, public_key, wrapped_private_key,
                                    signs_from_us, signs_until_us, published_until_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (wrapped_by, generation) DO NOTHING RETURNING kid"""
_PRUNE: Final = """
    DELETE FROM oauth_signing_keys WHERE published_until_us <= $1 RETURNING kid"""


class SqlSigningKeys:
    """Keys in `database`. Every method raises StoreUnavailable when there is no answer."""

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def published(self, now: datetime) -> tuple[StoredKey, ...]:
        """Those whose tokens may still be good, those that do not sign yet among them."""
        return tuple(map(_key, await self._store.rows(_READ, moment_us(now), MOST_KEYS)))

    async def add(self, key: StoredKey) -> bool:
        """Whether no other process has added this generation before."""
        return bool(
            await self._store.change(
                _ADD,
                key.wrapped_by,
                key.generation,
                key.kid,
                key.public_key,
                key.wrapped_private_key,
                moment_us(key.signs_from),
                moment_us(key.signs_until),
                moment_us(key.published_until),
            )
        )

    async def prune(self, now: datetime) -> int:
        """Forget those that are not published any more; how many there were."""
        return len(await self._store.change(_PRUNE, moment_us(now)))


def _key(row: Row) -> StoredKey:
    wrapped_by, generation, kid, public, private, from_us, until_us, published_us = row
    return StoredKey(
        wrapped_by=wrapped_by,
        generation=generation,
        kid=kid,
        public_key=public,
        wrapped_private_key=private,
        signs_from=moment_from(from_us),
        signs_until=moment_from(until_us),
        published_until=moment_from(published_us),
    )
