"""A verifier that trusts an identity provider, and everything that a test may do to the two."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from order_core.errors import InvalidToken
from order_jwt import JwtVerifier, Revocations, Trust
from order_jwt.proven_tokens import ProvenTokens
from tests.unit.fake_issuer import AUDIENCE, ISSUER, FakeIssuer, SetTicks

NOON = datetime(2027, 6, 1, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


class AtNoon:
    def now(self) -> datetime:
        return NOON

    async def sleep(self, _seconds: float, /) -> None:
        raise AssertionError("a verifier has nothing to wait for")


def claims(**changes: Any) -> dict[str, Any]:
    expires = int((NOON + timedelta(days=1)).timestamp())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "cook-7", "exp": expires} | changes


class Kitchen:
    """A verifier, the issuer it trusts, and the time that passes for its keys."""

    def __init__(self, *, revocations: Revocations | None = None, **keys: Any) -> None:
        self.issuer = FakeIssuer(**keys or {"spring": KEY})
        self.ticks = SetTicks()
        self.proven = ProvenTokens()
        self.trust = Trust(self.issuer.source(self.ticks), ISSUER, AUDIENCE)
        self.verifier = JwtVerifier(
            [self.trust], AtNoon(), proven=self.proven, revocations=revocations
        )

    async def verify(self, token: str) -> str:
        return (await self.verifier.verify(token)).subject

    def token(self, key_id: str | None = "spring", **changes: Any) -> str:
        return self.issuer.token(key_id, claims(**changes))

    async def refusal(self, token: str) -> str:
        with pytest.raises(InvalidToken) as caught:
            await self.verify(token)
        return caught.value.because

    def is_down(self) -> None:
        def silence(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("connection refused", request=request)

        self.issuer.answer = silence

    def is_up(self) -> None:
        self.issuer.answer = None

    async def settle(self) -> None:
        """Let what goes on beside the requests come to its end."""
        for _ in range(50):
            await asyncio.sleep(0)
