"""What the issuer of tokens remembers. Every digest is SHA-256 in hexadecimal."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A program that may ask for tokens."""

    id: str
    scope: frozenset[str]
    """The most that any of its tokens allows."""
    may_act_for_customers: bool
    secret_digest: str = field(repr=False)
    created_at: datetime
    old_secret_digest: str | None = field(default=None, repr=False)
    """Of the secret before, which is accepted too until `old_secret_until`."""
    old_secret_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A family of refresh tokens, of which only the latest is good."""

    family_digest: str = field(repr=False)
    token_digest: str = field(repr=False)
    """Of the latest."""
    client_id: str
    subject: str
    """The customer for whom the client acts."""
    scope: frozenset[str]
    granted_at: datetime
    idle_until: datetime
    """When the latest dies if nobody uses it; never after `ends_at`."""
    ends_at: datetime
    rotations: int = 0
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A pair of keys. Only who has the secret named `wrapped_by` can sign with it."""

    wrapped_by: str
    generation: int
    kid: str
    public_key: str
    """In PEM."""
    wrapped_private_key: str = field(repr=False)
    signs_from: datetime
    signs_until: datetime
    published_until: datetime
    """When the last token that it signed has expired."""
