"""Finds out who is calling, and whether the token permits what is asked."""

from typing import Final

from starlette.requests import Request

from order_core.errors import InvalidToken, InvalidValue
from order_core.ports.token_verifier import Principal, TokenVerifier
from order_core.text import checked_text
from order_http.problems import Problem

READ: Final = "orders:read"
WRITE: Final = "orders:write"
MANAGE: Final = "orders:manage"
_GRANTED_BY: Final = {
    READ: frozenset({READ, MANAGE}),
    WRITE: frozenset({WRITE, MANAGE}),
    MANAGE: frozenset({MANAGE}),
}
_REALM: Final = 'Bearer realm="order-core"'
_LONGEST_TOKEN: Final = 8192
_LONGEST_SUBJECT: Final = 200


async def authenticate(request: Request, verifier: TokenVerifier) -> Principal:
    """The caller, whatever he may do.

    Raises:
        Problem: no token or a token that proves nothing (401), with the challenge of RFC 6750.
        TokenUnverifiable: whether the token proves anything cannot be told at present.
    """
    headers = [value for name, value in request.scope["headers"] if name == b"authorization"]
    scheme, _, token = (headers[0].decode("latin-1") if headers else "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Problem(
            "token_missing",
            "Send Authorization: Bearer and a token.",
            headers={"WWW-Authenticate": _REALM},
        )
    if len(headers) > 1 or len(token) > _LONGEST_TOKEN:
        raise _invalid("there must be one Authorization header of a sane length")
    try:
        principal = await verifier.verify(token)
        checked_text(principal.subject, longest=_LONGEST_SUBJECT)
    except InvalidToken as refusal:
        raise _invalid(refusal.because) from None
    except InvalidValue:
        raise _invalid("its sub is not the name of a customer") from None
    return principal


def check_scope(principal: Principal, scope: str) -> None:
    """That the caller may do what `scope` names.

    Raises:
        Problem: 403, with the challenge of RFC 6750.
    """
    if principal.scopes.isdisjoint(_GRANTED_BY[scope]):
        raise lacks(scope)


def is_staff(principal: Principal) -> bool:
    """Whether the caller may see and change the orders of every customer."""
    return MANAGE in principal.scopes


def lacks(scope: str) -> Problem:
    """The refusal of a token without `scope`."""
    challenge = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
    return Problem(
        "insufficient_scope",
        f"The token lacks the scope {scope}.",
        headers={"WWW-Authenticate": challenge},
    )


def _invalid(because: str) -> Problem:
    # What RFC 6750 permits inside the quotes; anything else would end the header early.
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in because)
    challenge = f'{_REALM}, error="invalid_token", error_description="{plain}"'
    return Problem(
        "invalid_token",
        f"The token is not valid: {because}.",
        headers={"WWW-Authenticate": challenge},
    )
