"""The clients of the issuer of tokens, in SQL."""

from datetime import datetime
from typing import Final

from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import Row, moment_from, moment_us
from order_sqlalchemy.oauth_records import StoredClient

_READ: Final = """
    SELECT id, scope, may_act_for_customers, secret_digest, created_at_us,
           old_secret_digest, old_secret_until_us
    FROM oauth_clients"""
_ADD: Final = """
    INSERT INTO oauth_clients (id, scope, may_act_for_customers, secret_digest, created_at_us)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING RETURNING id"""
_REPLACE: Final = """
    UPDATE oauth_clients
    SET secret_digest = $2, old_secret_digest = NULL, old_secret_until_us = NULL
    WHERE id = $1 RETURNING id"""
# On the right-hand sides are the values of before, in both databases.
_SHIFT: Final = """
    UPDATE oauth_clients
    SET secret_digest = $2, old_secret_digest = secret_digest, old_secret_until_us = $3
    WHERE id = $1 RETURNING id"""
_REMOVE: Final = "DELETE FROM oauth_clients WHERE id = $1 RETURNING id"


class SqlClients:
    """Clients in `database`. Every method raises StoreUnavailable when there is no answer."""

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def find(self, client_id: str) -> StoredClient | None:
        rows = await self._store.rows(f"{_READ} WHERE id = $1", client_id)
        return _client(rows[0]) if rows else None

    async def all(self) -> tuple[StoredClient, ...]:
        return tuple(map(_client, await self._store.rows(f"{_READ} ORDER BY id")))

    async def add(self, client: StoredClient) -> bool:
        """Whether its id was free. A new client has no old secret."""
        return bool(
            await self._store.change(
                _ADD,
                client.id,
                scope_text(client.scope),
                client.may_act_for_customers,
                client.secret_digest,
                moment_us(client.created_at),
            )
        )

    async def replace_secret(
        self, client_id: str, digest: str, *, old_until: datetime | None
    ) -> bool:
        """Whether there is such a client. The old secret is good until `old_until`, if at all."""
        if old_until is None:
            return bool(await self._store.change(_REPLACE, client_id, digest))
        until = moment_us(old_until)
        return bool(await self._store.change(_SHIFT, client_id, digest, until))

    async def remove(self, client_id: str) -> bool:
        """Whether there was such a client. What was granted to it goes with it."""
        return bool(await self._store.change(_REMOVE, client_id))


def scope_text(scope: frozenset[str]) -> str:
    """As tokens and tables have it: words in alphabetical order, separated by blanks."""
    return " ".join(sorted(scope))


def _client(row: Row) -> StoredClient:
    client_id, scope, may_act, digest, created_us, old_digest, old_until_us = row
    return StoredClient(
        id=client_id,
        scope=frozenset(scope.split()),
        may_act_for_customers=bool(may_act),
        secret_digest=digest,
        created_at=moment_from(created_us),
        old_secret_digest=old_digest,
        old_secret_until=None if old_until_us is None else moment_from(old_until_us),
    )
