"""Which key goes with which algorithm, and that no token can choose another."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from order_core.errors import InvalidToken
from order_jwt import JwtSettings, JwtVerifier, issue_token

SECRET = "a-secret-that-only-these-tests-know-4567"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLAIMS = {"sub": "tomek", "exp": int(NOON.timestamp()) + 60}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
WEAK_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, PrivateKey] = {"RS256": RSA_KEY, "ES256": EC_KEY, "EdDSA": ED_KEY}


class NoonClock:
    def now(self) -> datetime:
        return NOON

    async def sleep(self, _seconds: float, /) -> None:
        raise AssertionError("a verifier has nothing to wait for")


def public_pem(key: PrivateKey | ed448.Ed448PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def a_verifier(key: PrivateKey) -> JwtVerifier:
    return JwtVerifier([JwtSettings(public_key=public_pem(key)).trust], NoonClock())


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_of_the_private_half_is_believed(algorithm: str) -> None:
    token = jwt.encode(CLAIMS, KEYS[algorithm], algorithm)

    assert (await a_verifier(KEYS[algorithm]).verify(token)).subject == "tomek"


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_of_another_key_of_the_same_kind_is_refused(algorithm: str) -> None:
    others: dict[str, PrivateKey] = {
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    token = jwt.encode(CLAIMS, others[algorithm], algorithm)

    with pytest.raises(InvalidToken, match="the signature of the token is wrong"):
        await a_verifier(KEYS[algorithm]).verify(token)


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("line_end", ["\n", ""])
async def test_a_public_key_used_as_a_secret_forges_nothing(algorithm: str, line_end: str) -> None:
    key = KEYS[algorithm]
    pem = public_pem(key).rstrip("\n") + line_end
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(CLAIMS)]
    content = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    mac = base64.urlsafe_b64encode(hmac.digest(pem.encode(), content, sha256)).rstrip(b"=")

    with pytest.raises(InvalidToken, match=f"must be signed with {algorithm}"):
        await a_verifier(key).verify(f"{content.decode()}.{mac.decode()}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
async def test_the_right_key_under_another_algorithm_is_refused(algorithm: str) -> None:
    token = jwt.encode(CLAIMS, RSA_KEY, algorithm)

    with pytest.raises(InvalidToken, match="must be signed with RS256"):
        await a_verifier(RSA_KEY).verify(token)


def test_a_secret_below_32_bytes_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="has 31 bytes; HS256 needs at least 32") as caught:
        JwtSettings(secret="short-" * 5 + "!")

    assert "short-" not in str(caught.value)
    assert JwtSettings(secret="ä" * 16).verification_key.algorithm == "HS256"


@pytest.mark.parametrize("settings", [{}, {"secret": SECRET, "public_key": public_pem(RSA_KEY)}])
def test_exactly_one_key_is_needed(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="JWT secret"):
        JwtSettings(**settings)


@pytest.mark.parametrize(
    ("pem", "because"),
    [
        (private_pem(RSA_KEY), "is a private key"),
        ("no key at all", "is not a public key in PEM"),
        ("", "is not a public key in PEM"),
        (public_pem(WEAK_RSA_KEY), "1024 bits"),
        (public_pem(ec.generate_private_key(ec.SECP384R1())), "RSA, P-256 or Ed25519"),
        (public_pem(ed448.Ed448PrivateKey.generate()), "RSA, P-256 or Ed25519"),
    ],
)
def test_a_public_key_that_cannot_be_used_is_named(pem: str, because: str) -> None:
    with pytest.raises(ValueError, match=because):
        JwtSettings(public_key=pem)


@pytest.mark.parametrize("secret", [public_pem(RSA_KEY), public_pem(ED_KEY)])
def test_a_public_key_given_as_the_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="looks like a key file"):
        JwtSettings(secret=secret)


def test_a_secret_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        JwtSettings(secret="\udc80" * 40)


def test_the_settings_show_no_key() -> None:
    assert SECRET not in repr(JwtSettings(secret=SECRET))


@pytest.mark.parametrize("leeway", [timedelta(seconds=-1), timedelta(seconds=301)])
def test_a_leeway_beyond_five_minutes_or_below_nothing_is_refused(leeway: timedelta) -> None:
    with pytest.raises(ValueError, match="between 0 and 300 seconds"):
        JwtSettings(secret=SECRET, leeway=leeway)


@pytest.mark.parametrize("setting", ["issuer", "audience"])
def test_an_empty_name_is_not_taken_for_none(setting: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        JwtSettings(**{"secret": SECRET, setting: ""})  # type: ignore[arg-type]


async def test_an_issued_token_names_issuer_and_audience() -> None:
    token = issue_token(SECRET, subject="ivo", issuer="us", audience="orders", at=NOON)
    strict = JwtSettings(secret=SECRET, issuer="us", audience="orders")

    assert (await JwtVerifier([strict.trust], NoonClock()).verify(token)).subject == "ivo"


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"subject": " "}, "needs a subject"),
        ({"scopes": ["orders:read orders:manage"]}, "one word"),
        ({"scopes": [""]}, "one word"),
        ({"lifetime": timedelta(0)}, "lifetime"),
        ({"lifetime": timedelta(days=367)}, "lifetime"),
    ],
)
def test_a_token_that_nobody_should_have_is_not_issued(
    wrong: dict[str, object], because: str
) -> None:
    with pytest.raises(ValueError, match=because):
        issue_token(SECRET, **{"subject": "ivo"} | wrong)  # type: ignore[arg-type]


def test_a_token_is_not_issued_with_a_weak_secret() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        issue_token("hunter2", subject="ivo")
