"""Pairs of keys for ES256, in the forms in which they are kept, published and used."""

import base64
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)
from jwt.algorithms import ECAlgorithm

ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Signer:
    """What an access token is signed with."""

    kid: str
    private_key: EllipticCurvePrivateKey = field(repr=False)


def new_signer() -> Signer:
    """A new pair. Its `kid` is the thumbprint of its public key (RFC 7638)."""
    private_key = generate_private_key(SECP256R1())
    return Signer(_thumbprint(private_key.public_key()), private_key)


def private_der(signer: Signer) -> bytes:
    """To be encrypted before it is stored."""
    return signer.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def signer_from(kid: str, der: bytes) -> Signer:
    """What `private_der` wrote. Raises ValueError for anything else."""
    private_key = load_der_private_key(der, password=None)
    if not isinstance(private_key, EllipticCurvePrivateKey):
        raise ValueError(f"the signing key {kid} is not for {ALGORITHM}")  # noqa: TRY004 - a value
    return Signer(kid, private_key)


def public_pem(signer: Signer) -> str:
    """For those who check signatures."""
    public_key = signer.private_key.public_key()
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk_of(kid: str, pem: str) -> dict[str, Any]:
    """The public key as a key set has it (RFC 7517)."""
    public_key = load_pem_public_key(pem.encode())
    if not isinstance(public_key, EllipticCurvePublicKey):
        raise ValueError(f"the public key {kid} is not for {ALGORITHM}")  # noqa: TRY004 - a value
    return {**_bare_jwk(public_key), "kid": kid, "use": "sig", "alg": ALGORITHM}


def _bare_jwk(public_key: EllipticCurvePublicKey) -> dict[str, Any]:
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(public_key, as_dict=True)
    return {name: jwk[name] for name in ("crv", "kty", "x", "y")}


def _thumbprint(public_key: EllipticCurvePublicKey) -> str:
    written = json.dumps(_bare_jwk(public_key), sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(sha256(written.encode()).digest()).rstrip(b"=").decode()
