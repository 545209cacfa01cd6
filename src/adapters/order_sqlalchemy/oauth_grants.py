"""Families of refresh tokens, in SQL: one row each, however often it is rotated."""

from datetime import datetime
from typing import Final

from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import Row, moment_from, moment_us
from order_sqlalchemy.oauth_clients import scope_text
from order_sqlalchemy.oauth_records import StoredGrant

_READ: Final = """
    SELECT family_digest, token_digest, client_id, subject, scope, granted_at_us,
           idle_until_us, ends_at_us, rotations, revoked_at_us
    FROM oauth_grants WHERE family_digest = $1"""
# A client that was removed meanwhile is granted nothing, and that is no error.
_ADD: Final = """
    INSERT INTO oauth_grants (family_digest, token_digest, client_id, subject, scope, rotations,
                              granted_at_us, idle_until_us, ends_at_us)
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), id, CAST($4 AS TEXT), CAST($5 AS TEXT), 0,
           CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT)
    FROM oauth_clients WHERE id = $3 RETURNING family_digest"""
# Those that are over first: whoever logs out often would lose the sessions that go on.
_FORGET_ALL_BUT_THE_NEWEST: Final = """
    DELETE FROM oauth_grants WHERE client_id = $1 AND subject = $2 AND family_digest NOT IN (
        SELECT family_digest FROM oauth_grants WHERE client_id = $1 AND subject = $2
        ORDER BY CASE WHEN revoked_at_us IS NULL THEN 0 ELSE 1 END,
                 granted_at_us DESC, family_digest LIMIT $3)"""
# Everything that makes a token good is asked again here: between reading the grant and this,
# another request may have used the token, or somebody may have revoked it.
_ROTATE: Final = """
    UPDATE oauth_grants
    SET token_digest = $3, idle_until_us = $4, rotations = rotations + 1
    WHERE family_digest = $1 AND token_digest = $2 AND revoked_at_us IS NULL
      AND idle_until_us > $5 AND ends_at_us >= $4
    RETURNING rotations"""
_REVOKE: Final = """
    UPDATE oauth_grants SET revoked_at_us = $2, revoked_because = $3
    WHERE family_digest = $1 AND revoked_at_us IS NULL RETURNING client_id"""
_PRUNE: Final = """
    DELETE FROM oauth_grants WHERE family_digest IN (
        SELECT family_digest FROM oauth_grants WHERE idle_until_us <= $1
        ORDER BY idle_until_us LIMIT $2) RETURNING family_digest"""


class SqlGrants:
    """Grants in `database`. Every method raises StoreUnavailable when there is no answer."""

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def find(self, family_digest: str) -> StoredGrant | None:
        rows = await self._store.rows(_READ, family_digest)
        return _grant(rows[0]) if rows else None

    async def add(self, grant: StoredGrant, *, most: int) -> bool:
        """Whether its client is still there.

        Of the grants that a client has for one subject, only the newest `most` are kept, and
        those that are not revoked before those that are.
        """
        added = await self._store.change(
            _ADD,
            grant.family_digest,
            grant.token_digest,
            grant.client_id,
            grant.subject,
            scope_text(grant.scope),
            moment_us(grant.granted_at),
            moment_us(grant.idle_until),
            moment_us(grant.ends_at),
        )
        await self._store.change(_FORGET_ALL_BUT_THE_NEWEST, grant.client_id, grant.subject, most)
        return bool(added)

    async def rotate(
        self, grant: StoredGrant, *, token_digest: str, idle_until: datetime, now: datetime
    ) -> bool:
        """Whether the family's latest token is that of `grant`, and good: then it is replaced.

        One statement decides, so of any number that try at once one wins.
        """
        return bool(
            await self._store.change(
                _ROTATE,
                grant.family_digest,
                grant.token_digest,
                token_digest,
                moment_us(idle_until),
                moment_us(now),
            )
        )

    async def revoke(self, family_digest: str, *, because: str, at: datetime) -> bool:
        """Whether it was not revoked before."""
        return bool(await self._store.change(_REVOKE, family_digest, moment_us(at), because))

    async def prune(self, now: datetime, *, most: int) -> int:
        """Forget up to `most` that can never be used again; how many there were."""
        return len(await self._store.change(_PRUNE, moment_us(now), most))


def _grant(row: Row) -> StoredGrant:
    (
        family_digest,
        token_digest,
        client_id,
        subject,
        scope,
        granted_us,
        idle_until_us,
        ends_us,
        rotations,
        revoked_us,
    ) = row
    return StoredGrant(
        family_digest=family_digest,
        token_digest=token_digest,
        client_id=client_id,
        subject=subject,
        scope=frozenset(scope.split()),
        granted_at=moment_from(granted_us),
        idle_until=moment_from(idle_until_us),
        ends_at=moment_from(ends_us),
        rotations=rotations,
        revoked_at=None if revoked_us is None else moment_from(revoked_us),
    )
