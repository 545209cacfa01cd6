"""The keys of a JWKS document (RFC 7517) that can prove a token."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from order_jwt.keys import VerificationKey
from order_jwt.unproven import LONGEST_KEY_ID

MOST_KEYS: Final = 64
_PRIVATE_OR_SECRET: Final = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})


@dataclass(frozen=True, slots=True)
class KeySet:
    """Public keys by their name and the one algorithm that each is for."""

    _keys: Mapping[tuple[str | None, str], VerificationKey] = field(default_factory=dict)

    @classmethod
    def read(cls, document: object) -> "KeySet":
        """The usable keys of a JWKS document; those for other purposes are left out.

        Of two different keys with one name and algorithm neither is used: nobody knows
        which is meant.

        Raises:
            ValueError: not a JWKS document, or one of more than `MOST_KEYS` keys.
        """
        match document:
            case {"keys": list(listed)}:
                pass
            case _:
                raise ValueError("it is not a JWKS document")
        if len(listed) > MOST_KEYS:
            raise ValueError(f"it has more than {MOST_KEYS} keys")
        found = [named for jwk in listed if (named := _named_key(jwk)) is not None]
        times = Counter(name for name, _key in found)
        return cls({name: key for name, key in found if times[name] == 1})

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key with this name; without a name, the only one for the algorithm."""
        if key_id is not None:
            return self._keys.get((key_id, algorithm))
        fitting = [key for (_name, fits), key in self._keys.items() if fits == algorithm]
        return fitting[0] if len(fitting) == 1 else None


def _named_key(jwk: object) -> tuple[tuple[str | None, str], VerificationKey] | None:
    if not isinstance(jwk, dict) or not _is_for_signatures(jwk):
        return None
    key_id = jwk.get("kid")
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= LONGEST_KEY_ID):
        return None
    algorithm = _algorithm_of(jwk)
    if algorithm is None:
        return None
    try:
        key = PyJWK(jwk, algorithm).key
    # PyJWT lets some mistakes of the document through as they come.
    except (PyJWTError, ValueError, TypeError, KeyError, OverflowError):
        return None
    checked = VerificationKey.from_published(key, algorithm)
    return None if checked is None else ((key_id, algorithm), checked)


def _is_for_signatures(jwk: dict[str, Any]) -> bool:
    # A private half that was published proves nothing any more: everybody has it.
    if not _PRIVATE_OR_SECRET.isdisjoint(jwk):
        return False
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    )


def _algorithm_of(jwk: dict[str, Any]) -> str | None:
    """The key's own; never one that shares its secret with those who check (HS256)."""
    match jwk.get("kty"), jwk.get("crv"), jwk.get("alg"):
        case "RSA", _, None | "RS256":
            return "RS256"
        case "RSA", _, "PS256":
            return "PS256"
        case "EC", "P-256", None | "ES256":
            return "ES256"
        case "OKP", "Ed25519", None | "EdDSA":
            return "EdDSA"
        case _:
            return None
