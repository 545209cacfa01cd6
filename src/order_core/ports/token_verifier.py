"""The port that says who is calling."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Principal:
    """Who the bearer of a token is, and what the token lets it do."""

    subject: str
    scopes: frozenset[str] = frozenset()
    email: str | None = None
    """Only an address that the issuer says it verified."""


class TokenVerifier(Protocol):
    """Tells a proof from a claim."""

    async def verify(self, token: str, /) -> Principal:
        """The principal that `token` proves.

        Raises:
            InvalidToken: it proves nothing: malformed, forged, expired, not yet valid,
                for somebody else, or without a claim that we need.
        """
        ...
