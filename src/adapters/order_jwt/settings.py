"""What a token must be to be believed."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from order_jwt.keys import VerificationKey

LARGEST_LEEWAY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """The key (a secret or a public key, never both) and the claims to insist on.

    With an `audience`, a token must name it. Without one, a token that names any audience is
    refused: it was made for somebody, and nothing says that we are meant (RFC 7519, 4.1.3).
    With an `issuer`, a token must name exactly that one. `leeway` forgives clocks that differ.

    Raises:
        ValueError: no key or two, a weak or unusable key, an empty issuer or audience, or a
            leeway outside 0..`LARGEST_LEEWAY`. The text never shows the secret.
    """

    secret: str | None = field(default=None, repr=False)
    """For HS256: at least 32 bytes."""
    public_key: str | None = field(default=None, repr=False)
    """In PEM: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA)."""
    issuer: str | None = None
    audience: str | None = None
    leeway: timedelta = timedelta(seconds=30)
    verification_key: VerificationKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.issuer == "" or self.audience == "":
            raise ValueError("a JWT issuer or audience, where given, must not be empty")
        if not timedelta() <= self.leeway <= LARGEST_LEEWAY:
            raise ValueError(
                f"the JWT leeway must be between 0 and {LARGEST_LEEWAY.total_seconds():.0f} seconds"
            )
        object.__setattr__(self, "verification_key", self._only_key())

    def _only_key(self) -> VerificationKey:
        match self.secret, self.public_key:
            case str() as secret, None:
                return VerificationKey.from_secret(secret)
            case None, str() as pem:
                return VerificationKey.from_public_pem(pem)
            case None, None:
                raise ValueError("a JWT secret or a JWT public key is needed")
            case _:
                raise ValueError("a JWT secret and a JWT public key were given; choose one")
