"""What clients may know of the issuer before they ask it for anything (RFC 8414)."""

from collections.abc import Mapping
from typing import Any, Final

from order_oauth.credentials import METHODS
from order_oauth.parties import GrantType
from order_oauth.settings import SCOPES, IssuerSettings

METADATA_PATH: Final = "/.well-known/oauth-authorization-server"
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - an address
REVOCATION_PATH: Final = "/oauth/revoke"
KEY_SET_PATH: Final = "/oauth/jwks"


def metadata(settings: IssuerSettings) -> Mapping[str, Any]:
    """The document. Response types are required, and none redirects a browser here."""
    return {
        "issuer": settings.issuer,
        "token_endpoint": settings.issuer + TOKEN_PATH,
        "revocation_endpoint": settings.issuer + REVOCATION_PATH,
        "jwks_uri": settings.issuer + KEY_SET_PATH,
        "scopes_supported": sorted(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": list(GrantType),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
    }
