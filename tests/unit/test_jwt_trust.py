"""Who is believed to be whom: several issuers, service accounts, and tokens called back."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from order_core.errors import InvalidToken, TokenUnverifiable
from order_core.ports.token_verifier import Principal
from order_jwt import JwtSettings, JwtVerifier, Trust, issue_token
from order_jwt.claims import Proof
from tests.unit.fake_issuer import AUDIENCE, ISSUER
from tests.unit.trusting_service import NOON, AtNoon, Kitchen

SECRET = "the-bakery-next-door-has-its-own-secret"
AT_NOON = int(NOON.timestamp())


@dataclass
class Blacklist:
    """Revokes by `jti`, and everything that a subject was given before some moment."""

    ids: set[str] = field(default_factory=set)
    before: dict[str, datetime] = field(default_factory=dict)
    asked: list[Proof] = field(default_factory=list)

    async def is_revoked(self, proof: Proof, _token: str, /) -> bool:
        self.asked.append(proof)
        cut = self.before.get(proof.principal.subject)
        too_old = cut is not None and (proof.issued_at or 0) < cut.timestamp()
        return proof.token_id in self.ids or too_old


async def test_a_token_that_was_proved_before_can_still_be_called_back() -> None:
    blacklist = Blacklist()
    kitchen = Kitchen(revocations=blacklist)
    stolen, other = kitchen.token(jti="knife-1"), kitchen.token(jti="knife-2")
    await kitchen.verify(stolen)
    await kitchen.verify(other)

    blacklist.ids.add("knife-1")

    assert await kitchen.refusal(stolen) == "the token was revoked"
    assert await kitchen.verify(other) == "cook-7"
    assert len(kitchen.proven) == 1
    assert {proof.issuer for proof in blacklist.asked} == {ISSUER}


async def test_all_tokens_of_one_subject_up_to_a_moment_can_be_called_back() -> None:
    blacklist = Blacklist(before={"cook-7": NOON})
    kitchen = Kitchen(revocations=blacklist)

    assert await kitchen.refusal(kitchen.token(iat=AT_NOON - 1)) == "the token was revoked"
    assert await kitchen.refusal(kitchen.token()) == "the token was revoked"
    assert await kitchen.verify(kitchen.token(iat=AT_NOON)) == "cook-7"
    assert await kitchen.verify(kitchen.token(iat=AT_NOON - 1, sub="cook-8")) == "cook-8"


async def test_a_forgery_is_never_asked_about() -> None:
    blacklist = Blacklist()
    kitchen = Kitchen(revocations=blacklist)

    await kitchen.refusal(kitchen.token()[:-6] + "forged")

    assert blacklist.asked == []


async def test_whoever_does_not_say_whether_a_token_was_revoked_lets_nobody_in() -> None:
    class Silent:
        async def is_revoked(self, _proof: Proof, _token: str, /) -> bool:
            await asyncio.Event().wait()
            return False

    kitchen = Kitchen()
    verifier = JwtVerifier([kitchen.trust], AtNoon(), revocations=Silent(), revocation_seconds=0.05)

    with pytest.raises(TokenUnverifiable):
        await verifier.verify(kitchen.token())


async def test_a_service_that_acts_for_a_customer_reaches_the_customers_orders() -> None:
    kitchen = Kitchen()
    token = kitchen.token(
        act={"sub": "web-shop", "iss": ISSUER, "act": {"sub": "an-earlier-service"}},
        scope="orders:read",
    )

    principal = await kitchen.verifier.verify(token)

    assert principal == Principal("cook-7", frozenset({"orders:read"}), actor="web-shop")
    assert principal.by == "web-shop for cook-7"
    assert Principal("cook-7").by == "cook-7"


async def test_what_a_token_may_do_is_not_read_from_inside_act() -> None:
    kitchen = Kitchen()
    token = kitchen.token(act={"sub": "web-shop", "scope": "orders:manage", "aud": "x", "exp": 1})

    assert (await kitchen.verifier.verify(token)).scopes == frozenset()


async def test_a_key_without_an_issuer_does_not_prove_tokens_of_an_issuer_with_keys() -> None:
    kitchen = Kitchen()
    anyone = JwtSettings(secret=SECRET, audience=AUDIENCE)
    verifier = JwtVerifier([anyone.trust, kitchen.trust], AtNoon())

    def token(issuer: str | None) -> str:
        return issue_token(SECRET, subject="ann", issuer=issuer, audience=AUDIENCE, at=NOON)

    assert (await verifier.verify(token(None))).subject == "ann"
    assert (await verifier.verify(token("the-bakery"))).subject == "ann"
    with pytest.raises(InvalidToken):
        await verifier.verify(token(ISSUER))


async def test_an_issuer_speaks_for_nobody_whose_name_is_foreign_to_it() -> None:
    kitchen = Kitchen()
    verifier = JwtVerifier([replace(kitchen.trust, foreign_prefix="client-")], AtNoon())

    for foreign in ({"sub": "client-backend"}, {"act": {"sub": "client-"}}):
        assert await kitchen.verify(kitchen.token(**foreign)), "good for who has no such clients"
        with pytest.raises(InvalidToken, match="a name that its issuer has not"):
            await verifier.verify(kitchen.token(**foreign))
    assert (await verifier.verify(kitchen.token(sub="my-client-7"))).subject == "my-client-7"


def test_an_empty_prefix_is_no_name_of_others() -> None:
    with pytest.raises(ValueError, match="empty prefix"):
        replace(Kitchen().trust, foreign_prefix="")


def test_nobody_and_one_issuer_twice_are_no_trust() -> None:
    trust = JwtSettings(secret=SECRET, issuer="the-bakery").trust

    with pytest.raises(ValueError, match="trusts nobody"):
        JwtVerifier([], AtNoon())
    with pytest.raises(ValueError, match="the-bakery is trusted twice"):
        JwtVerifier([trust, Trust(trust.keys, "the-bakery")], AtNoon())


@pytest.mark.parametrize("leeway", [timedelta(seconds=-1), timedelta(seconds=301)])
def test_a_trust_does_not_forgive_clocks_of_another_day(leeway: timedelta) -> None:
    with pytest.raises(ValueError, match="between 0 and 300 seconds"):
        Trust(Kitchen().trust.keys, leeway=leeway)
