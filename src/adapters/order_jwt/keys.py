"""The key that proves tokens, and the one algorithm that goes with it."""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

SHORTEST_SECRET_BYTES: Final = 32
"""As long as the digest of HS256: a shorter secret is the weakest part, and can be guessed."""

SHORTEST_RSA_BITS: Final = 2048

LONGEST_RSA_BITS: Final = 8192
LONGEST_RSA_EXPONENT_BITS: Final = 32
"""Beyond either, one signature check costs as much as thousands."""

PUBLIC_KEY_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
ALGORITHMS: Final = ("HS256", *PUBLIC_KEY_ALGORITHMS)

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key and the algorithm that follows from it, never from a token.

    A token cannot choose: a public key that somebody took for an HMAC secret has no
    algorithm here under which it would be one.
    """

    algorithm: str
    key: PublicKey | bytes = field(repr=False)

    @classmethod
    def from_secret(cls, secret: str) -> "VerificationKey":
        """For HS256.

        Raises:
            ValueError: shorter than `SHORTEST_SECRET_BYTES` in UTF-8, or not a secret at all
                but a key in PEM, DER, SSH or JWK form.
        """
        try:
            encoded = secret.encode()
        except UnicodeEncodeError:
            raise ValueError("the JWT secret is not UTF-8 text") from None
        if len(encoded) < SHORTEST_SECRET_BYTES:
            raise ValueError(
                f"the JWT secret has {len(encoded)} bytes; HS256 needs at least "
                f"{SHORTEST_SECRET_BYTES}"
            )
        try:
            return cls("HS256", HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(encoded))
        except InvalidKeyError:
            raise ValueError(
                "the JWT secret looks like a key file; a public key belongs into the setting "
                "for public keys"
            ) from None

    @classmethod
    def from_public_pem(cls, pem: str) -> "VerificationKey":
        """For RS256 (RSA), ES256 (P-256) or EdDSA (Ed25519), whichever the key is for.

        Raises:
            ValueError: not a public key in PEM, of another type, or RSA below
                `SHORTEST_RSA_BITS`.
        """
        if "PRIVATE KEY" in pem:
            raise ValueError("the JWT public key is a private key; give its public half only")
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("the JWT public key is not a public key in PEM") from None
        match key:
            case RSAPublicKey(key_size=bits):
                if bits < SHORTEST_RSA_BITS:
                    raise ValueError(
                        f"the JWT public key has {bits} bits; RS256 needs at least "
                        f"{SHORTEST_RSA_BITS}"
                    )
                return cls("RS256", key)
            case EllipticCurvePublicKey(curve=SECP256R1()):
                return cls("ES256", key)
            case Ed25519PublicKey():
                return cls("EdDSA", key)
            case _:
                raise ValueError("the JWT public key must be RSA, P-256 or Ed25519")

    @classmethod
    def from_published(cls, key: object, algorithm: str) -> "VerificationKey | None":
        """For `algorithm`, which goes with the type of key; None if the key is unsafe."""
        match key:
            case RSAPublicKey(key_size=bits):
                exponent_bits = key.public_numbers().e.bit_length()
                fits = SHORTEST_RSA_BITS <= bits <= LONGEST_RSA_BITS
                if not fits or exponent_bits > LONGEST_RSA_EXPONENT_BITS:
                    return None
                return cls(algorithm, key)
            case EllipticCurvePublicKey(curve=SECP256R1()) | Ed25519PublicKey():
                return cls(algorithm, key)
            case _:
                return None
