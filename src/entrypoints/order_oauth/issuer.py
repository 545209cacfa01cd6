"""The issuer: reads what a request depends on, has it decided, and carries the decision out."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error

from order_core.ports import Clock
from order_oauth.client_names import could_be_client
from order_oauth.credentials import not_proven, read_credentials
from order_oauth.form import read_form
from order_oauth.hearing import Granting, Hearing, Revoking, Rotating
from order_oauth.protocol import Answer, Protocol, answer_of
from order_oauth.random_secrets import RefreshToken
from order_oauth.settings import MOST_GRANTS_OF_SUBJECT, IssuerSettings
from order_oauth.signing_keys import SigningKeys
from order_oauth.wrapping import Wrapping
from order_sqlalchemy import Database
from order_sqlalchemy.oauth_clients import SqlClients
from order_sqlalchemy.oauth_grants import SqlGrants
from order_sqlalchemy.oauth_keys import SqlSigningKeys
from order_sqlalchemy.oauth_records import StoredClient

_PRUNED_AT_ONCE: Final = 1_000

_log: Final = logging.getLogger("order_oauth")


class Issuer:
    """Every method raises StoreUnavailable when the database does not answer."""

    def __init__(
        self, settings: IssuerSettings, database: Database, wrapping: Wrapping, clock: Clock
    ) -> None:
        self.settings: Final = settings
        self.keys: Final = SigningKeys(
            SqlSigningKeys(database), wrapping, clock, access_lifetime=settings.access_lifetime
        )
        self._clients = SqlClients(database)
        self._grants = SqlGrants(database)
        self._clock = clock
        self._families: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def token(self, authorization: Sequence[str], content_type: str, body: bytes) -> Answer:
        """What POST /oauth/token answers."""
        try:
            form = read_form(content_type, body)
            if "grant_type" not in form:
                raise InvalidRequestError("The grant_type is missing.")
            hearing = await self._hear(authorization, form)
        except OAuth2Error as error:
            return answer_of(error)
        sent = RefreshToken.read(form.get("refresh_token", ""))
        return await self._decide(hearing, sent, Protocol.token)

    async def revoke(self, authorization: Sequence[str], content_type: str, body: bytes) -> Answer:
        """What POST /oauth/revoke answers."""
        try:
            form = read_form(content_type, body)
            hearing = await self._hear(authorization, form)
        except OAuth2Error as error:
            return answer_of(error)
        sent = RefreshToken.read(form.get("token", ""))
        return await self._decide(hearing, sent, Protocol.revocation)

    async def prune(self) -> int:
        """Forget what is over, a bounded part of it; how many refresh tokens that were."""
        return await self._grants.prune(self._clock.now(), most=_PRUNED_AT_ONCE)

    async def _hear(self, authorization: Sequence[str], form: Mapping[str, str]) -> Hearing:
        credentials = read_credentials(authorization, form)
        client = await self._client(credentials.client_id)
        now = self._clock.now()
        if not credentials.prove(client, now):
            raise not_proven("The client is not known, or its secret is wrong.")
        return Hearing(now, form, credentials, client)

    async def _client(self, client_id: str) -> StoredClient | None:
        # What cannot be the name of a client need not be asked for, nor can it be stored.
        return await self._clients.find(client_id) if could_be_client(client_id) else None

    async def _decide(
        self, hearing: Hearing, sent: RefreshToken | None, decide: Callable[[Protocol], Answer]
    ) -> Answer:
        async with self._one_at_a_time(sent) as raced:
            hearing.signer = await self.keys.signer()
            if sent is not None:
                hearing.refresh_token = sent
                hearing.grant = await self._grants.find(sent.family_digest)
                hearing.raced = raced
            answer = decide(Protocol(hearing, self.settings))
            refused = await self._carry_out(hearing)
        return answer if refused is None else answer_of(refused)

    @asynccontextmanager
    async def _one_at_a_time(self, sent: RefreshToken | None) -> AsyncGenerator[bool]:
        """Whether another request had begun with a token of the same family, and is over now.

        Such a one has lost a race. It cannot be told from a thief's afterwards, so it has to
        be seen while it happens. Between processes the database decides.
        """
        if sent is None:
            yield False
            return
        lock = self._families.setdefault(sent.family_digest, asyncio.Lock())
        raced = lock.locked()
        async with lock:
            yield raced

    async def _carry_out(self, hearing: Hearing) -> OAuth2Error | None:
        match hearing.consequence:
            case Rotating(grant, token_digest, idle_until):
                # Of all that come this far with one token, the database lets one through.
                if not await self._grants.rotate(
                    grant, token_digest=token_digest, idle_until=idle_until, now=hearing.now
                ):
                    return InvalidGrantError("Another request has just used the refresh token.")
            case Granting(grant):
                if not await self._grants.add(grant, most=MOST_GRANTS_OF_SUBJECT):
                    return not_proven("The client was removed.")
            case Revoking(grant, because):
                if await self._grants.revoke(grant.family_digest, because=because, at=hearing.now):
                    _log.warning(
                        "the refresh tokens of a grant to %s were revoked: %s",
                        grant.client_id,
                        because,
                    )
            case None:
                pass
        return None
