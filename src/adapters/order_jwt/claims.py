"""What the claims of an authentic token say, and from when until when."""

from dataclasses import dataclass
from typing import Any, Final

from order_core.errors import InvalidToken, InvalidValue
from order_core.ports.token_verifier import Principal
from order_core.text import checked_text
from order_jwt.trust import Trust

LONGEST_SUBJECT: Final = 200
LONGEST_EMAIL: Final = 254
LONGEST_SCOPE: Final = 200
LONGEST_TOKEN_ID: Final = 200
MAX_SCOPES: Final = 100
LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999, in Unix time. Later ones are mistakes (milliseconds) or attacks."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Who the token speaks for, and the Unix times between which it does, leeway included."""

    principal: Principal
    good_from: float
    good_until: float
    issuer: str | None = None
    token_id: str | None = None
    """The claim `jti`, by which one token can be revoked."""
    issued_at: float | None = None
    """The claim `iat`, by which all tokens before some moment can be."""

    def check_at(self, now: float) -> None:
        """Raises InvalidToken when `now` is not within the token's time."""
        if now >= self.good_until:
            raise InvalidToken("the token has expired")
        if now < self.good_from:
            raise InvalidToken("the token is not valid yet")


def read_proof(claims: dict[str, Any], trust: Trust) -> Proof:
    """What the claims, which name the issuer of `trust`, prove once the signature is checked.

    Raises:
        InvalidToken: a claim that we need is missing, unreadable, or names somebody else.
    """
    leeway = trust.leeway.total_seconds()
    expires = _time(claims, "exp")
    if expires is None:
        raise InvalidToken("the token has no exp claim")
    not_before = _time(claims, "nbf") or 0
    issued = _time(claims, "iat")
    _check_audience(claims, trust.audience)
    subject, actor = _subject(claims), _actor(claims)
    _check_not_foreign(trust.foreign_prefix, sub=subject, act=actor)
    return Proof(
        Principal(subject, _scopes(claims), _verified_email(claims), actor),
        good_from=max(not_before, issued or 0) - leeway,
        good_until=expires + leeway,
        issuer=trust.issuer,
        token_id=_token_id(claims),
        issued_at=issued,
    )


def _time(claims: dict[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    time = claims[name]
    # Not isinstance: True is an int, and would be a second after midnight, 1970.
    if type(time) not in {int, float} or not 0 <= time <= LAST_SECOND:
        raise InvalidToken(f"the {name} claim of the token is not a time in seconds")
    return float(time)


def _check_audience(claims: dict[str, Any], expected: str | None) -> None:
    named = claims.get("aud", [])
    if isinstance(named, str):
        named = [named]
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise InvalidToken("the aud claim of the token is not a name or a list of names")
    if expected is None and named:
        raise InvalidToken("the token names an audience, and this service has no such name")
    if expected is not None and expected not in named:
        raise InvalidToken("the token is for another audience")


def _check_not_foreign(prefix: str | None, **parties: str | None) -> None:
    for claim, name in parties.items():
        if prefix is not None and name is not None and name.startswith(prefix):
            raise InvalidToken(f"the {claim} claim of the token is a name that its issuer has not")


def _subject(claims: dict[str, Any]) -> str:
    if claims.get("sub") is None:
        raise InvalidToken("the token has no sub claim")
    return _party(claims["sub"], "sub")


def _actor(claims: dict[str, Any]) -> str | None:
    # RFC 8693, 4.1: only the outermost `act` acts now; those inside it did before.
    if "act" not in claims:
        return None
    act = claims["act"]
    if not isinstance(act, dict) or "sub" not in act:
        raise InvalidToken("the act claim of the token names nobody")
    return _party(act["sub"], "act")


def _party(name: object, claim: str) -> str:
    if not isinstance(name, str):
        raise InvalidToken(f"the {claim} claim of the token is not text")
    try:
        return checked_text(name, longest=LONGEST_SUBJECT)
    except InvalidValue as refusal:
        raise InvalidToken(f"the {claim} claim of the token {refusal.because}") from None


def _token_id(claims: dict[str, Any]) -> str | None:
    token_id = claims.get("jti")
    if token_id is None:
        return None
    # One that cannot be compared could not be revoked either.
    if not isinstance(token_id, str) or len(token_id) > LONGEST_TOKEN_ID:
        raise InvalidToken("the jti claim of the token is not a short text")
    return token_id


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    if "scope" in claims:
        scopes = claims["scope"]
        if not isinstance(scopes, str):
            raise InvalidToken("the scope claim of the token is not text")
    else:
        scopes = claims.get("scp", [])
    if isinstance(scopes, str):
        scopes = scopes.split()
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise InvalidToken("the scp claim of the token is not text or a list of texts")
    if len(scopes) > MAX_SCOPES or any(len(scope) > LONGEST_SCOPE for scope in scopes):
        raise InvalidToken(
            f"the token has more than {MAX_SCOPES} scopes, or one of more than "
            f"{LONGEST_SCOPE} characters"
        )
    return frozenset(scopes)


def _verified_email(claims: dict[str, Any]) -> str | None:
    # Only the JSON value true: an issuer that writes "false" must not have said yes.
    if claims.get("email_verified") is not True:
        return None
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email or email.split() != [email]:
        return None
    try:
        return checked_text(email, longest=LONGEST_EMAIL)
    except InvalidValue:
        return None
