"""The certificate that the service shows, looked at before anybody else sees it."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from order_wiring.mistakes import Mistake
from order_wiring.settings import Settings

_log: Final = logging.getLogger("order_core.serve")

_SOON: Final = timedelta(days=14)
_FEWEST_BITS: Final = 2_048
_CERT: Final = "ORDER_CORE_TLS_CERT_FILE"
_KEY: Final = "ORDER_CORE_TLS_KEY_FILE"


def mistakes_of_certificate(settings: Settings) -> list[Mistake]:
    """Why the server could not use the certificate, or no client would believe it now.

    The server itself ends the whole process at a file that it cannot use.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return []
    mistakes: list[Mistake] = []
    chain: Sequence[x509.Certificate] = ()
    key: PrivateKeyTypes | None = None
    try:
        chain = _chain_in(settings.tls_cert_file)
    except ValueError as error:
        mistakes.append(Mistake(_CERT, str(error)))
    try:
        key = _key_in(settings.tls_key_file)
    except ValueError as error:
        mistakes.append(Mistake(_KEY, str(error)))
    if chain:
        mistakes += _mistakes_of_time(chain[0])
    if chain and key and _public(key.public_key()) != _public(chain[0].public_key()):
        because = "is not the key of the first certificate in ORDER_CORE_TLS_CERT_FILE"
        mistakes.append(Mistake(_KEY, because))
    return mistakes


def warn_of_expiry(settings: Settings) -> None:
    """Say in the log that the certificate ends soon."""
    if settings.tls_cert_file is None:
        return
    end = _chain_in(settings.tls_cert_file)[0].not_valid_after_utc
    if end - datetime.now(UTC) < _SOON:
        _log.warning("the certificate of this service ends at %s", end.isoformat())


def _chain_in(file: Path) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        raise ValueError(
            "must be a PEM file with the certificate of this service, and after it those that "
            "lead to its issuer"
        ) from None


def _key_in(file: Path) -> PrivateKeyTypes:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except TypeError:
        raise ValueError("must be a private key without a passphrase") from None
    except (OSError, ValueError):
        raise ValueError("must be a PEM file with the private key of the certificate") from None
    match key:
        case rsa.RSAPrivateKey() if key.key_size >= _FEWEST_BITS:
            return key
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            return key
        case ed25519.Ed25519PrivateKey():
            return key
        case _:
            raise ValueError("must be an RSA key of 2048 bits or more, P-256, P-384 or Ed25519")


def _mistakes_of_time(certificate: x509.Certificate) -> list[Mistake]:
    now = datetime.now(UTC)
    if now >= certificate.not_valid_after_utc:
        because = f"ended at {certificate.not_valid_after_utc.isoformat()}; renew it"
        return [Mistake(_CERT, because)]
    if now < certificate.not_valid_before_utc:
        because = f"begins at {certificate.not_valid_before_utc.isoformat()}, which is not yet"
        return [Mistake(_CERT, because)]
    return []


def _public(key: object) -> bytes | None:
    public_bytes = getattr(key, "public_bytes", None)
    if public_bytes is None:
        return None
    encoded: bytes = public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded
