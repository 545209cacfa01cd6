"""One request to the issuer: what it says, what is known about it, and what is to become of it.

The library that knows the protocol is synchronous, and the store is not. So everything that a
request can depend on is read before, and what the library decides is carried out after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from order_oauth.credentials import Credentials
from order_oauth.key_pairs import Signer
from order_oauth.random_secrets import RefreshToken
from order_sqlalchemy.oauth_records import StoredClient, StoredGrant


@dataclass(frozen=True, slots=True)
class Granting:
    """Remember a new grant."""

    grant: StoredGrant


@dataclass(frozen=True, slots=True)
class Rotating:
    """Replace the latest token of `grant`, if it still is the latest."""

    grant: StoredGrant
    token_digest: str = field(repr=False)
    idle_until: datetime


@dataclass(frozen=True, slots=True)
class Revoking:
    """End a family of refresh tokens."""

    grant: StoredGrant
    because: str


Consequence = Granting | Rotating | Revoking


@dataclass(slots=True)
class Hearing:
    """`raced`: since this request came, another one has used its refresh token."""

    now: datetime
    form: Mapping[str, str] = field(repr=False)
    credentials: Credentials
    client: StoredClient | None
    """The one that the credentials name; nothing is proved yet."""
    refresh_token: RefreshToken | None = None
    grant: StoredGrant | None = None
    raced: bool = False
    signer: Signer | None = None
    consequence: Consequence | None = None
