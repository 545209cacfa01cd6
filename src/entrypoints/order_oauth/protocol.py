"""OAuth 2.0 by the book: Authlib decides about one request, from what was read for it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from order_oauth.access_tokens import access_token
from order_oauth.credentials import not_proven
from order_oauth.grants import CustomerGrant, ServiceGrant, SessionGrant
from order_oauth.hearing import Granting, Hearing, Rotating
from order_oauth.parties import Party
from order_oauth.random_secrets import RefreshToken
from order_oauth.revocation import Revocation
from order_oauth.settings import SCOPES, IssuerSettings
from order_sqlalchemy.oauth_clients import scope_text
from order_sqlalchemy.oauth_records import StoredGrant

# It writes whole tokens into the log of debugging.
logging.getLogger("authlib").setLevel(logging.INFO)

_CHALLENGE: Final = 'Basic realm="order-core", charset="UTF-8"'
# The library insists on https, and sees none of our addresses: TLS is the server's business.
_SOMEWHERE_SAFE: Final = "https://issuer.invalid/"


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON, and never to be kept by anybody on its way."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str]


class _Request(OAuth2Request):
    def __init__(self, hearing: Hearing) -> None:
        super().__init__("POST", _SOMEWHERE_SAFE)
        self._form = dict(hearing.form)
        self.payload = BasicOAuth2Payload(self._form)

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Protocol(AuthorizationServer):
    """One for each request; it reads and writes `hearing`, and nothing else."""

    def __init__(self, hearing: Hearing, settings: IssuerSettings) -> None:
        super().__init__(scopes_supported=sorted(SCOPES))
        self.hearing = hearing
        self.settings = settings
        self.register_token_generator("default", self._tokens)  # type: ignore[arg-type]
        for grant in (ServiceGrant, CustomerGrant, SessionGrant):
            self.register_grant(grant)
        self.register_endpoint(Revocation)

    def token(self) -> Answer:
        """The answer of the token endpoint, if the consequence can be brought about."""
        answer: Any = self.create_token_response(self.hearing)
        return _checked(answer)

    def revocation(self) -> Answer:
        """The answer of the revocation endpoint, as above."""
        return _checked(self.create_endpoint_response("revocation", self.hearing))  # type: ignore[no-untyped-call]

    @property
    def party(self) -> Party:
        """The client, once it is proved.

        Raises:
            InvalidClientError: it is not.
        """
        client = self.hearing.client
        proven = self.hearing.credentials.prove(client, self.hearing.now)
        if client is None or not proven:
            raise not_proven("The client is not known, or its secret is wrong.")
        return Party(client)

    def check_scope(self, allowed: frozenset[str], form: Mapping[str, str]) -> None:
        """Raises InvalidScopeError when more is asked for, or nothing is left to give."""
        asked = frozenset(form["scope"].split()) if "scope" in form else allowed
        if not asked or not asked <= allowed:
            raise InvalidScopeError

    # What the library asks of a framework -----------------------------------------------

    def authenticate_client(self, *_: object, **__: object) -> Party:
        return self.party

    def validate_requested_scope(self, scope: str) -> None:  # noqa: ARG002 - read from the form
        self.check_scope(self.party.stored.scope, self.hearing.form)

    def create_oauth2_request(self, request: Hearing) -> OAuth2Request:
        return _Request(request)

    def handle_response(self, status: int, body: Mapping[str, object], headers: Any) -> Answer:  # noqa: ANN401
        return _answer(status, body, dict(headers))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def save_token(self, token: object, request: object) -> None:
        """The consequence says what is saved."""

    def _tokens(
        self,
        *,
        client: Party,
        user: str | None,
        scope: str | None,
        include_refresh_token: bool,
        **_: object,
    ) -> dict[str, str | int]:
        subject = user or client.stored.id
        granted = frozenset(scope.split()) if scope else client.scope_for(subject)
        if self.hearing.signer is None:
            raise RuntimeError("nobody brought the key to sign with")
        tokens: dict[str, str | int] = {
            "access_token": access_token(
                self.settings,
                self.hearing.signer,
                client_id=client.stored.id,
                subject=subject,
                scope=granted,
                now=self.hearing.now,
            ),
            "token_type": "Bearer",
            "expires_in": int(self.settings.access_lifetime.total_seconds()),
            "scope": scope_text(granted),
        }
        if include_refresh_token:
            tokens["refresh_token"] = self._refresh_token(client, subject, granted)
        return tokens

    def _refresh_token(self, client: Party, subject: str, scope: frozenset[str]) -> str:
        hearing = self.hearing
        idle_until = hearing.now + self.settings.refresh_idle
        if hearing.grant is not None and hearing.refresh_token is not None:
            token = hearing.refresh_token.following()
            idle_until = min(idle_until, hearing.grant.ends_at)
            hearing.consequence = Rotating(hearing.grant, token.digest, idle_until)
            return token.text
        token = RefreshToken.first()
        hearing.consequence = Granting(
            StoredGrant(
                family_digest=token.family_digest,
                token_digest=token.digest,
                client_id=client.stored.id,
                subject=subject,
                scope=scope,
                granted_at=hearing.now,
                idle_until=idle_until,
                ends_at=hearing.now + self.settings.refresh_lifetime,
            )
        )
        return token.text


def answer_of(error: OAuth2Error) -> Answer:
    """The answer of RFC 6749, section 5.2."""
    status, body, headers = error()
    return _answer(status, body, dict(headers))


def _answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    own = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if status == 401:  # noqa: PLR2004 - the status that needs a challenge
        own["WWW-Authenticate"] = _CHALLENGE
    return Answer(status, body, {**headers, **own})


def _checked(answer: object) -> Answer:
    if not isinstance(answer, Answer):
        raise TypeError(type(answer).__name__)
    return answer
