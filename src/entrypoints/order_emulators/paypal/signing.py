"""PayPal's webhook signatures, with certificates of an authority of the emulator's own."""

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTIFICATE_PATH: Final = "/v1/notifications/certs/CERT-360caa42-fca2a594-emulator"
SANDBOX_NAME: Final = "messageverificationcerts.sandbox.paypal.com"
_VALID_FOR: Final = timedelta(days=365)


class WebhookSigner:
    """Signs as PayPal does; `root` is what a shop has to trust for it."""

    def __init__(self, name: str = SANDBOX_NAME, now: datetime | None = None) -> None:
        start = (now or datetime.now(UTC)) - timedelta(days=1)
        authority = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pretended PayPal CA")])
        self.root = (
            _certificate(issuer, authority.public_key(), issuer, authority.public_key(), start)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(authority, hashes.SHA256())
        )
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._leaf = (
            _certificate(subject, self._key.public_key(), issuer, authority.public_key(), start)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .sign(authority, hashes.SHA256())
        )

    @property
    def root_pem(self) -> bytes:
        """The authority's certificate."""
        return self.root.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate at `cert_url`."""
        return self._leaf.public_bytes(serialization.Encoding.PEM)

    def headers(
        self, body: bytes, *, event_id: str, at: datetime, webhook_id: str, cert_url: str
    ) -> dict[str, str]:
        """The five headers that come with an event."""
        moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"{event_id}|{moment}|{webhook_id}|{zlib.crc32(body)}"
        signature = self._key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {
            "paypal-transmission-id": event_id,
            "paypal-transmission-time": moment,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-cert-url": cert_url,
            "paypal-auth-algo": "SHA256withRSA",
        }


def _certificate(
    subject: x509.Name,
    key: rsa.RSAPublicKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPublicKey,
    start: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
