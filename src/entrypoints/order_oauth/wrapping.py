"""Private keys at rest: encrypted with a secret that is not in the database."""

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SHORTEST_SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class CannotUnwrap(Exception):
    """Another secret wrapped it, or somebody changed it."""


class Wrapping:
    """AES-256-GCM under a key that is derived from `secret`.

    Raises:
        ValueError: the secret is shorter than `SHORTEST_SECRET_BYTES` in UTF-8.
    """

    def __init__(self, secret: str) -> None:
        encoded = secret.encode()
        if len(encoded) < SHORTEST_SECRET_BYTES:
            raise ValueError(f"it must have at least {SHORTEST_SECRET_BYTES} bytes")
        self._cipher = AESGCM(_derived(encoded, b"order-core signing keys: wrap"))
        self.name: Final = _derived(encoded, b"order-core signing keys: name").hex()[:16]
        """Tells secrets apart, and says nothing of them."""

    def wrap(self, private: bytes, kid: str) -> str:
        """As text. It can be opened under the same `kid` only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, private, kid.encode())
        return base64.b64encode(sealed).decode()

    def unwrap(self, text: str, kid: str) -> bytes:
        """What was wrapped. Raises CannotUnwrap."""
        try:
            sealed = base64.b64decode(text, validate=True)
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, kid.encode())
        except (InvalidTag, ValueError):
            raise CannotUnwrap(kid) from None


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=purpose).derive(secret)
