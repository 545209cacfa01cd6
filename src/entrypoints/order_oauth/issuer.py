"""The issuer: reads what a request depends on, has it decided, and carries the decision out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error

from order_core.ports import Clock
from order_oauth.client_names import could_be_client
from order_oauth.credentials import not_proven, read_credentials
from order_oauth.form import read_form
from order_oauth.hearing import Granting, Hearing, Revoking, Rotating
from order_oauth.parties import GrantType
from order_oauth.protocol import Answer, Protocol, answer_of
from order_oauth.races import Entry, Races
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
_MOST_STEPS: Final = 100

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
        self._races = Races()

    async def token(self, authorization: Sequence[str], content_type: str, body: bytes) -> Answer:
        """What POST /oauth/token answers."""
        try:
            form = read_form(content_type, body)
            if "grant_type" not in form:
                raise InvalidRequestError("The grant_type is missing.")
            return await self._decide(authorization, form, _token_in(form), Protocol.token)
        except OAuth2Error as error:
            return answer_of(error)

    async def revoke(self, authorization: Sequence[str], content_type: str, body: bytes) -> Answer:
        """What POST /oauth/revoke answers."""
        try:
            form = read_form(content_type, body)
            sent = RefreshToken.read(form.get("token", ""))
            return await self._decide(authorization, form, sent, Protocol.revocation)
        except OAuth2Error as error:
            return answer_of(error)

    async def prune(self, *, at_once: int = _PRUNED_AT_ONCE) -> int:
        """Forget what is over, in steps so that others can write; how many families that were."""
        gone = 0
        for _ in range(_MOST_STEPS):
            step = await self._grants.prune(self._clock.now(), most=at_once)
            gone += step
            # One step a round would fall behind the log-ins of a busy shop for ever.
            if step < at_once:
                break
        return gone

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
        self,
        authorization: Sequence[str],
        form: Mapping[str, str],
        sent: RefreshToken | None,
        decide: Callable[[Protocol], Answer],
    ) -> Answer:
        # Before anything is waited for: who overtakes whom from here on is chance.
        entry = self._races.enter(sent)
        hearing = await self._hear(authorization, form)
        async with entry.turn:
            hearing.signer = await self.keys.signer()
            if sent is not None:
                hearing.refresh_token = sent
                hearing.grant = await self._grants.find(sent.family_digest)
                hearing.raced = entry.lost
            answer = decide(Protocol(hearing, self.settings))
            await self._carry_out(hearing, entry)
        return answer

    async def _carry_out(self, hearing: Hearing, entry: Entry) -> None:
        match hearing.consequence:
            case Rotating(grant, token_digest, idle_until):
                # Of all that come this far with one token, the database lets one through.
                if not await self._grants.rotate(
                    grant, token_digest=token_digest, idle_until=idle_until, now=hearing.now
                ):
                    raise InvalidGrantError("Another request has just used the refresh token.")
                entry.won()
            case Granting(grant):
                if not await self._grants.add(grant, most=MOST_GRANTS_OF_SUBJECT):
                    raise not_proven("The client was removed.")
            case Revoking(grant, because):
                if await self._grants.revoke(grant.family_digest, because=because, at=hearing.now):
                    _log.warning(
                        "the refresh tokens of a grant to %s were revoked: %s",
                        grant.client_id,
                        because,
                    )
            case None:
                pass


def _token_in(form: Mapping[str, str]) -> RefreshToken | None:
    # Beside another grant, where nothing checks it, it would name whose session is replaced.
    if form["grant_type"] != GrantType.REFRESH_TOKEN:
        return None
    return RefreshToken.read(form.get("refresh_token", ""))
