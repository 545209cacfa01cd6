"""The three ways to a token."""

from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc6749 import (
    BaseGrant,
    ClientCredentialsGrant,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    RefreshTokenGrant,
    TokenEndpointMixin,
    UnauthorizedClientError,
)

from order_core.errors import InvalidValue
from order_core.text import checked_text
from order_oauth.client_names import is_kept_for_clients
from order_oauth.credentials import METHODS
from order_oauth.hearing import Revoking
from order_oauth.parties import GrantType, Party, Session
from order_oauth.random_secrets import RefreshToken
from order_sqlalchemy.oauth_records import StoredGrant

if TYPE_CHECKING:
    from order_oauth.protocol import Protocol

CUSTOMER_ID: Final = "urn:order-core:oauth:token-type:customer-id"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type
LONGEST_CUSTOMER_ID: Final = 200
REUSED: Final = "reuse"

Tokens = tuple[int, Any, Any]


class InvalidTargetError(OAuth2Error):
    """The token is wanted for somebody else than this service (RFC 8693, 2.2.2)."""

    error = "invalid_target"


class ServiceGrant(ClientCredentialsGrant):
    """A client for itself (RFC 6749, 4.4). It needs no refresh token: it can always ask again."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class CustomerGrant(BaseGrant, TokenEndpointMixin):
    """A trusted client for a customer whom it has logged in by its own means (RFC 8693).

    What it exchanges is the customer's id, which is no secret: it is believed because of who
    sends it.
    """

    GRANT_TYPE = GrantType.TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: "Protocol"

    def validate_token_request(self) -> None:
        party = self.authenticate_token_endpoint_client()
        if not isinstance(party, Party) or not party.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client must not act for customers.")
        self.request.client = party
        self.request.user = self._customer()
        self.server.check_scope(party.scope_for(self.request.user), self.request.form)

    def create_token_response(self) -> Tokens:
        token = self.generate_token(user=self.request.user, scope=self.request.form.get("scope"))
        return 200, token | {"issued_token_type": ACCESS_TOKEN}, self.TOKEN_RESPONSE_HEADER

    def _customer(self) -> str:
        form = self.request.form
        if "actor_token" in form:
            raise InvalidRequestError("The actor is the client itself: leave actor_token out.")
        if form.get("subject_token_type") != CUSTOMER_ID:
            raise InvalidRequestError(f"The subject_token_type must be {CUSTOMER_ID}.")
        if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise InvalidRequestError(f"The requested_token_type must be {ACCESS_TOKEN}.")
        if {form.get("audience"), form.get("resource")} - {None, self.server.settings.audience}:
            raise InvalidTargetError("Tokens are issued for this service only.")
        try:
            customer = checked_text(form.get("subject_token", ""), longest=LONGEST_CUSTOMER_ID)
        except InvalidValue as refusal:
            raise InvalidRequestError(f"The subject_token {refusal.because}.") from None
        if is_kept_for_clients(customer):
            raise InvalidRequestError("The subject_token names a client, not a customer.")
        return customer


class SessionGrant(RefreshTokenGrant):
    """A refresh token for the next one and an access token (RFC 6749, 6)."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: "Protocol"

    def authenticate_refresh_token(self, refresh_token: str) -> Session:
        hearing = self.server.hearing
        grant = hearing.grant
        # A stranger's reads like one that never was, so that nothing can be found out.
        if grant is None or hearing.client is None or grant.client_id != hearing.client.id:
            raise InvalidGrantError("The refresh token is not, or no longer, known.")
        if grant.revoked_at is not None:
            raise InvalidGrantError("The refresh token was revoked.")
        token = RefreshToken.read(refresh_token)
        if token is None or not compare_digest(token.digest, grant.token_digest):
            self._used_before(grant)
        if hearing.now >= grant.idle_until:
            raise InvalidGrantError("The refresh token has expired.")
        return Session(grant)

    def _used_before(self, grant: StoredGrant) -> None:
        if self.server.hearing.raced:
            raise InvalidGrantError("Another request has just used the refresh token.")
        # Two have it, and nobody can tell which of them is the thief (RFC 9700, 4.14.2).
        self.server.hearing.consequence = Revoking(grant, REUSED)
        raise InvalidGrantError("The refresh token was used before; its successors are revoked.")

    def authenticate_user(self, refresh_token: Session) -> str:
        return refresh_token.grant.subject

    def issue_token(self, user: str, refresh_token: Session) -> dict[str, str | int]:  # type: ignore[override]
        asked = self.request.form.get("scope")
        wanted = frozenset(asked.split()) if asked else refresh_token.grant.scope
        # What the client may do can have become less since.
        left = wanted & self.server.party.scope_for(user)
        if not left:
            raise InvalidScopeError
        return self.generate_token(user=user, scope=" ".join(left))

    def revoke_old_credential(self, refresh_token: Session) -> None:  # type: ignore[override]
        """Nothing: the rotation that the tokens brought about does it."""
