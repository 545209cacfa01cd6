"""The end of a refresh token, and of all of its family (RFC 7009)."""

import re
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError, UnsupportedTokenTypeError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from order_oauth.credentials import METHODS
from order_oauth.hearing import Revoking
from order_oauth.parties import Session

if TYPE_CHECKING:
    from order_oauth.protocol import Protocol

BY_CLIENT: Final = "client"
_LIKE_A_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class AccessTokenError(UnsupportedTokenTypeError):
    """The library says 401, and RFC 7009 leaves 400, like any error of RFC 6749."""

    status_code = 400
    description = "Access tokens cannot be revoked; they expire within minutes."


class Revocation(RevocationEndpoint):
    """A token that is not known is as good as revoked: 200."""

    CLIENT_AUTH_METHODS = METHODS
    server: "Protocol"

    def check_params(self, request: Any, client: Any) -> None:  # noqa: ANN401, ARG002 - the library's
        # A hint, even a wrong one, may be ignored: refresh tokens are known by their look.
        if "token" not in request.form:
            raise InvalidRequestError("The token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> Session | None:  # noqa: ARG002
        if _LIKE_A_JWT.fullmatch(token_string):
            raise AccessTokenError
        grant = self.server.hearing.grant
        return None if grant is None else Session(grant)

    def revoke_token(self, token: Session, request: Any) -> None:  # noqa: ANN401, ARG002
        self.server.hearing.consequence = Revoking(token.grant, BY_CLIENT)
