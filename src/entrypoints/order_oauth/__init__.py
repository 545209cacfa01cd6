"""The embedded issuer of tokens: OAuth 2.0 for shops without an identity provider."""

from order_oauth.client_names import PREFIX as CLIENT_PREFIX
from order_oauth.clients import ClientBook, ClientRefused
from order_oauth.documented import OAUTH_OPERATIONS
from order_oauth.endpoints import oauth_endpoints, upkeep
from order_oauth.issuer import Issuer
from order_oauth.settings import SCOPES, IssuerSettings
from order_oauth.wrapping import Wrapping

__all__ = [
    "CLIENT_PREFIX",
    "OAUTH_OPERATIONS",
    "SCOPES",
    "ClientBook",
    "ClientRefused",
    "Issuer",
    "IssuerSettings",
    "Wrapping",
    "oauth_endpoints",
    "upkeep",
]
