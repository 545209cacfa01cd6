"""Trust in a key that does not change."""

from dataclasses import dataclass, field
from datetime import timedelta

from order_jwt.key_source import StaticKey
from order_jwt.keys import VerificationKey
from order_jwt.trust import Trust


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """The key (a secret or a public key, never both) and the claims to insist on.

    `issuer`, `audience` and `leeway` mean what they mean for a `Trust`.

    Raises:
        ValueError: no key or two, a weak or unusable key, or what a `Trust` refuses. The
            text never shows the secret.
    """

    secret: str | None = field(default=None, repr=False)
    """For HS256: at least 32 bytes."""
    public_key: str | None = field(default=None, repr=False)
    """In PEM: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA)."""
    issuer: str | None = None
    audience: str | None = None
    leeway: timedelta = timedelta(seconds=30)
    verification_key: VerificationKey = field(init=False, repr=False, compare=False)
    trust: Trust = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verification_key", self._only_key())
        keys = StaticKey(self.verification_key)
        trust = Trust(keys, self.issuer, self.audience, self.leeway)
        object.__setattr__(self, "trust", trust)

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
