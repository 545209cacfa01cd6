"""Clients, as the one who runs the service adds, sees and removes them."""

from collections.abc import Sequence
from datetime import timedelta

from order_core.ports import Clock
from order_oauth.client_names import client_id_of
from order_oauth.random_secrets import digest, new_client_secret
from order_oauth.settings import SCOPES
from order_sqlalchemy import Database
from order_sqlalchemy.oauth_clients import SqlClients
from order_sqlalchemy.oauth_records import StoredClient


class ClientRefused(ValueError):
    """What was asked for cannot be; the text says why."""


class ClientBook:
    """Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clients = SqlClients(database)
        self._clock = clock

    async def add(
        self,
        name: str,
        scope: str,
        *,
        may_act_for_customers: bool,
    ) -> tuple[StoredClient, str]:
        """A new client, and its secret, which is stored nowhere.

        Raises:
            ClientRefused: a name that is none or is taken, or a scope that there is not.
        """
        secret = new_client_secret()
        client = self._new(name, scope, secret, may_act_for_customers=may_act_for_customers)
        if not await self._clients.add(client):
            raise ClientRefused(f"there is a client {client.id} already")
        return client, secret

    async def ensure(
        self, name: str, scope: str, *, may_act_for_customers: bool, secret: str
    ) -> None:
        """Make sure that there is such a client with this secret, which somebody else has kept.

        One that is there already keeps its scope.

        Raises:
            ClientRefused: a name that is none, or a scope that there is not.
        """
        client = self._new(name, scope, secret, may_act_for_customers=may_act_for_customers)
        if not await self._clients.add(client):
            await self._clients.replace_secret(client.id, client.secret_digest, old_until=None)

    def _new(
        self, name: str, scope: str, secret: str, *, may_act_for_customers: bool
    ) -> StoredClient:
        return StoredClient(
            id=_id_of(name),
            scope=_scope(scope),
            may_act_for_customers=may_act_for_customers,
            secret_digest=digest(secret),
            created_at=self._clock.now(),
        )

    async def all(self) -> Sequence[StoredClient]:
        """In the order of their ids."""
        return await self._clients.all()

    async def rotate(self, name: str, *, old_is_good_for: timedelta) -> tuple[str, str]:
        """The client's id, and its new secret. The old one is good a while longer, or not at all.

        Raises:
            ClientRefused: there is no such client.
        """
        client_id, secret = _id_of(name), new_client_secret()
        old_until = self._clock.now() + old_is_good_for if old_is_good_for else None
        if not await self._clients.replace_secret(client_id, digest(secret), old_until=old_until):
            raise ClientRefused(f"there is no client {client_id}")
        return client_id, secret

    async def remove(self, name: str) -> str:
        """The id of the client, which gets no token any more, nor can it refresh one.

        Raises:
            ClientRefused: there is no such client.
        """
        client_id = _id_of(name)
        if not await self._clients.remove(client_id):
            raise ClientRefused(f"there is no client {client_id}")
        return client_id


def _id_of(name: str) -> str:
    try:
        return client_id_of(name)
    except ValueError as error:
        raise ClientRefused(str(error)) from None


def _scope(text: str) -> frozenset[str]:
    scope = frozenset(text.split())
    if not scope or not scope <= SCOPES:
        raise ClientRefused(f"the scope must be some of: {', '.join(sorted(SCOPES))}")
    return scope
