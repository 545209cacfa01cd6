"""Secrets of 256 random bits, and what is kept of them.

A guess at one of these is hopeless, so a plain digest is as good as a slow one: the slow ones
protect what people think up. The prefixes let a scanner find a secret that somebody published.
"""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

_CLIENT_PREFIX: Final = "ocs_"
_REFRESH_PREFIX: Final = "ocr_"
_SECRET_BYTES: Final = 32
_FAMILY_BYTES: Final = 16
_REFRESH: Final = re.compile(r"ocr_([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{43})", re.ASCII)


def new_client_secret() -> str:
    """One that nobody has seen yet."""
    return _CLIENT_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """What may be stored of it."""
    return sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Its first part is the same in all tokens of a family, and as secret as the rest.

    So a token that is not the latest of its family shows that somebody has an older one.
    """

    family: str = field(repr=False)
    text: str = field(repr=False)

    @classmethod
    def first(cls) -> Self:
        """Of a new family."""
        return cls._of(secrets.token_urlsafe(_FAMILY_BYTES))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None when it is no refresh token of ours, whatever it is."""
        found = _REFRESH.fullmatch(text)
        return cls(found[1], text) if found else None

    def following(self) -> Self:
        """A new one of the same family."""
        return self._of(self.family)

    @classmethod
    def _of(cls, family: str) -> Self:
        return cls(family, _REFRESH_PREFIX + family + secrets.token_urlsafe(_SECRET_BYTES))

    @property
    def family_digest(self) -> str:
        return digest(self.family)

    @property
    def digest(self) -> str:
        return digest(self.text)
