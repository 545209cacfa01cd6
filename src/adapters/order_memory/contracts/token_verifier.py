"""What a token verifier must do."""

from typing import Final

import pytest

from order_core.errors import InvalidToken
from order_core.ports import Principal, TokenVerifier

ANN: Final = Principal("ann", frozenset({"orders:read", "orders:write"}), "ann@example.com")
BOB: Final = Principal("b|ob:17")


class TokenVerifierContract:
    """Override the fixture `verifier` and `token_for`."""

    @pytest.fixture
    async def verifier(self) -> TokenVerifier:
        """The verifier under test."""
        raise NotImplementedError

    async def token_for(self, principal: Principal) -> str:
        """A token that proves that its bearer is `principal`: `ANN` or `BOB`."""
        raise NotImplementedError

    @pytest.mark.parametrize("principal", [ANN, BOB])
    async def test_a_token_says_who_bears_it(
        self, verifier: TokenVerifier, principal: Principal
    ) -> None:
        assert await verifier.verify(await self.token_for(principal)) == principal

    @pytest.mark.parametrize(
        "nonsense",
        ["", " ", "nonsense", "a.b.c", "..", "a" * 100_000, "nul\x00", "ünïcode", "\ud800"],
        ids=["empty", "space", "word", "dots", "only-dots", "huge", "nul", "unicode", "surrogate"],
    )
    async def test_nonsense_proves_nothing(self, verifier: TokenVerifier, nonsense: str) -> None:
        with pytest.raises(InvalidToken):
            await verifier.verify(nonsense)

    @pytest.mark.parametrize("place", [0, 0.5, -1])
    async def test_a_changed_token_proves_nothing(
        self, verifier: TokenVerifier, place: float
    ) -> None:
        token = await self.token_for(ANN)
        # The last character of base64 may hold no more than unused bits, so one before it.
        at = int(len(token) * place) if place >= 0 else len(token) - 2
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]

        with pytest.raises(InvalidToken):
            await verifier.verify(changed)

    async def test_a_refusal_does_not_repeat_the_token(self, verifier: TokenVerifier) -> None:
        token = await self.token_for(ANN) + "x"

        with pytest.raises(InvalidToken) as refusal:
            await verifier.verify(token)

        assert token not in str(refusal.value)
