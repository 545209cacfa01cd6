"""Access tokens: JWTs of RFC 9068."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt

from order_oauth.key_pairs import ALGORITHM, Signer
from order_oauth.settings import IssuerSettings
from order_sqlalchemy.oauth_clients import scope_text


def access_token(
    settings: IssuerSettings,
    signer: Signer,
    *,
    client_id: str,
    subject: str,
    scope: frozenset[str],
    now: datetime,
) -> str:
    """Says that the client may do what `scope` names, for itself or, as `act`, for `subject`."""
    issued = int(now.timestamp())
    actor: Mapping[str, Any] = {} if subject == client_id else {"act": {"sub": client_id}}
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": subject,
        "client_id": client_id,
        "scope": scope_text(scope),
        "jti": secrets.token_urlsafe(16),
        "iat": issued,
        "exp": issued + int(settings.access_lifetime.total_seconds()),
        **actor,
    }
    headers = {"typ": "at+jwt", "kid": signer.kid}
    return jwt.encode(claims, signer.private_key, algorithm=ALGORITHM, headers=headers)
