"""Clients and grants, as the library that knows the protocol wants to see them."""

from enum import StrEnum

from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin

from order_oauth.settings import OF_CUSTOMERS
from order_sqlalchemy.oauth_clients import scope_text
from order_sqlalchemy.oauth_records import StoredClient, StoredGrant


class GrantType(StrEnum):
    """What a client can ask for."""

    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a name
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105


class Party(ClientMixin):
    """A client that has proved who it is."""

    def __init__(self, stored: StoredClient) -> None:
        self.stored = stored

    def get_client_id(self) -> str:
        return self.stored.id

    def check_grant_type(self, grant_type: str) -> bool:
        # Only those who act for customers have refresh tokens; one that no longer may has
        # no more use for the ones that it has.
        return grant_type == GrantType.CLIENT_CREDENTIALS or self.stored.may_act_for_customers

    def scope_for(self, subject: str) -> frozenset[str]:
        """The most that a token for `subject` may allow."""
        if subject == self.stored.id:
            return self.stored.scope
        return self.stored.scope & OF_CUSTOMERS


class Session(TokenMixin):
    """The family of the refresh token that was sent."""

    def __init__(self, grant: StoredGrant) -> None:
        self.grant = grant

    def check_client(self, client: ClientMixin) -> bool:
        return isinstance(client, Party) and client.stored.id == self.grant.client_id

    def get_scope(self) -> str:
        return scope_text(self.grant.scope)
