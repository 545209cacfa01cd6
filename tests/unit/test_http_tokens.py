"""Real JWTs, good and bad, at the door of the API."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from order_jwt import JwtSettings, JwtVerifier
from order_memory import ManualClock
from tests.unit.http_service import customer, order_body, service

SECRET = "the-door-of-the-api-has-this-secret-4711"
NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "sub": "customer-zoe",
    "scope": "orders:read orders:write",
    "exp": int((NOON + timedelta(minutes=10)).timestamp()),
    "aud": "the-shop",
    "iss": "the-issuer",
}
PUBLIC_KEY = (
    Ed25519PrivateKey.from_private_bytes(b"4" * 32)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def guarded_by(**key: Any) -> Any:
    settings = JwtSettings(audience="the-shop", issuer="the-issuer", **key)
    return service(verifier=JwtVerifier([settings.trust], ManualClock(NOON)))


def signed(secret: str = SECRET, **changes: Any) -> str:
    claims = {name: claim for name, claim in (GOOD | changes).items() if claim is not None}
    return jwt.encode(claims, secret, algorithm="HS256")


def by_hand(header: dict[str, str], key: str) -> str:
    content = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, GOOD)
    )
    mac = base64.urlsafe_b64encode(hmac.digest(key.encode(), content, sha256)).rstrip(b"=")
    return (content + b"." + (mac if key else b"")).decode()


async def test_a_good_token_opens_the_door_for_its_subject() -> None:
    async with customer(guarded_by(secret=SECRET), signed()) as zoe:
        placed = await zoe.post("/api/orders/create", json=order_body())
        assert placed.status_code == 201
        assert (await zoe.get(placed.headers["Location"])).status_code == 200


MINUTE_AGO = int((NOON - timedelta(minutes=1)).timestamp())
IN_A_MINUTE = int((NOON + timedelta(minutes=1)).timestamp())


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed("another-secret-of-sufficient-length-0815"), id="wrong signature"),
        pytest.param(signed(exp=MINUTE_AGO), id="expired"),
        pytest.param(signed(nbf=IN_A_MINUTE), id="not valid yet"),
        pytest.param(signed(exp=None), id="without exp"),
        pytest.param(signed(sub=None), id="without sub"),
        pytest.param(signed(aud="another-shop"), id="wrong audience"),
        pytest.param(signed(aud=None), id="without audience"),
        pytest.param(signed(iss="another-issuer"), id="wrong issuer"),
        pytest.param(by_hand({"alg": "none"}, ""), id="alg none"),
        pytest.param(by_hand({"alg": "None", "typ": "JWT"}, ""), id="alg None"),
        pytest.param(by_hand({"alg": "HS512"}, SECRET), id="another algorithm"),
        pytest.param("not.a.token", id="not a token"),
        pytest.param(signed() + "x", id="one letter more"),
    ],
)
async def test_a_bad_token_is_answered_with_401_and_a_challenge(token: str) -> None:
    async with customer(guarded_by(secret=SECRET), token) as stranger:
        answer = await stranger.get("/api/orders/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_token"
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="order-core", error="invalid_token", ')
    assert challenge.count('"') == 6
    assert token not in answer.text


async def test_the_public_key_is_no_secret_to_sign_with() -> None:
    confused = by_hand({"alg": "HS256"}, PUBLIC_KEY)
    async with customer(guarded_by(public_key=PUBLIC_KEY), confused) as stranger:
        answer = await stranger.get("/api/orders/")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_a_good_token_without_a_scope_opens_nothing() -> None:
    async with customer(guarded_by(secret=SECRET), signed(scope=None)) as zoe:
        assert (await zoe.get("/api/orders/")).status_code == 403
        assert (await zoe.post("/api/orders/create", json=order_body())).status_code == 403
