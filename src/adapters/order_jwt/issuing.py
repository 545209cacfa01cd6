"""Tokens of our own, for a shop without an identity provider, for trying out and for tests."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from order_jwt.keys import VerificationKey

LONGEST_LIFETIME: Final = timedelta(days=366)


def issue_token(
    secret: str,
    *,
    subject: str,
    scopes: Iterable[str] = (),
    issuer: str | None = None,
    audience: str | None = None,
    lifetime: timedelta = timedelta(hours=1),
    email: str | None = None,
    at: datetime | None = None,
) -> str:
    """An HS256 token that says that its bearer is `subject`, from `at` (or now) on.

    `email` is declared verified.

    Raises:
        ValueError: a weak secret, an empty subject, a scope with a space in it, or a
            lifetime that is not within 1 second..`LONGEST_LIFETIME`.
    """
    key = VerificationKey.from_secret(secret)
    if not subject.strip():
        raise ValueError("a token needs a subject")
    if not timedelta(seconds=1) <= lifetime <= LONGEST_LIFETIME:
        raise ValueError(
            f"the lifetime of a token must be between 1 second and {LONGEST_LIFETIME.days} days"
        )
    granted = sorted(set(scopes))
    if any(scope.split() != [scope] for scope in granted):
        raise ValueError("a scope is one word")
    issued = int((at or datetime.now(UTC)).timestamp())
    claims: dict[str, Any] = {
        "sub": subject,
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "scope": " ".join(granted),
    }
    if issuer is not None:
        claims["iss"] = issuer
    if audience is not None:
        claims["aud"] = audience
    if email is not None:
        claims |= {"email": email, "email_verified": True}
    return jwt.encode(claims, secret, algorithm=key.algorithm)
