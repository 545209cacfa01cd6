"""An identity provider in memory: its keys, its documents, and how it fails."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from order_jwt import KeySource, PublishedKeys
from order_jwt.issuer_documents import discovered_keys
from order_jwt.published_keys import Patience

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
ISSUER = "https://id.shop.example/realms/kitchen"
AUDIENCE = "kitchen-orders"


def public_jwk(key: PrivateKey, **members: Any) -> dict[str, Any]:
    """What an issuer publishes of `key`; None leaves a member out."""
    match key:
        case rsa.RSAPrivateKey():
            jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ec.EllipticCurvePrivateKey():
            jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    said = jwk | {"use": "sig"} | members
    return {name: said[name] for name in said if said[name] is not None}


class SetTicks:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeIssuer:
    """Publishes `keys` (name -> private key), and remembers which addresses were asked."""

    def __init__(self, **keys: PrivateKey) -> None:
        self.keys = keys
        self.asked: list[str] = []
        self.answer: Callable[[httpx.Request], Any] | None = None
        """Overrides what it answers."""

    def jwks(self) -> dict[str, Any]:
        return {"keys": [public_jwk(key, kid=name) for name, key in self.keys.items()]}

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.answer is not None:
            answer = self.answer(request)
            if not isinstance(answer, httpx.Response):
                answer = await answer
            assert isinstance(answer, httpx.Response)
            return answer
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
        return httpx.Response(200, json=self.jwks())

    def client(self, _address: str = "") -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def source(self, ticks: SetTicks, **patience: Any) -> KeySource:
        fetch = discovered_keys(ISSUER, open_client=self.client)
        return PublishedKeys(fetch, patience=Patience(**patience), ticks=ticks)

    def token(self, key_id: str | None, claims: dict[str, Any], **header: Any) -> str:
        """Signed with the key of that name, and if there is none, with the first one."""
        key = self.keys.get(key_id or "") or next(iter(self.keys.values()))
        if key_id is not None:
            header = {"kid": key_id} | header
        return jwt.encode(claims, key, algorithm_of(key), headers=header)

    @property
    def looks(self) -> int:
        """How often it was asked for its keys."""
        return self.asked.count(httpx.URL(f"{ISSUER}/keys").path)


def algorithm_of(key: PrivateKey) -> str:
    match key:
        case rsa.RSAPrivateKey():
            return "RS256"
        case ec.EllipticCurvePrivateKey():
            return "ES256"
        case _:
            return "EdDSA"


def json_answer(value: object, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(value).encode(), headers=headers)
