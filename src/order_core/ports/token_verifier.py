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
    actor: str | None = None
    """The service account that acts for the subject, if the subject does not act itself."""

    @property
    def by(self) -> str:
        """Who acts, as it is written into an order's history: the actor, and for whom."""
        return self.subject if self.actor is None else f"{self.actor} for {self.subject}"


class TokenVerifier(Protocol):
    """Tells a proof from a claim."""

    async def verify(self, token: str, /) -> Principal:
        """The principal that `token` proves.

        Raises:
            InvalidToken: it proves nothing: malformed, forged, expired, not yet valid,
                for somebody else, or without a claim that we need.
            TokenUnverifiable: whether it proves anything cannot be told at present.
        """
        ...
