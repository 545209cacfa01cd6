"""The keys of an issuer: found, kept, renewed, and given up in time."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from order_core.errors import TokenUnverifiable
from order_jwt import PublishedKeys
from order_jwt.key_set import KeySet
from tests.unit.fake_issuer import FakeIssuer
from tests.unit.trusting_service import KEY, Kitchen

KEYS = [KEY, *(ec.generate_private_key(ec.SECP256R1()) for _ in range(3))]
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()
MINUTE = 60
HOUR = 3600


NOT_PUBLISHED = "the token names no key that its issuer publishes"


@pytest.mark.parametrize("key", [KEYS[0], RSA_KEY, ED_KEY], ids=["ES256", "RS256", "EdDSA"])
async def test_the_issuer_is_asked_once_for_many_tokens(key: Any) -> None:
    kitchen = Kitchen(spring=key)

    for number in range(5):
        assert await kitchen.verify(kitchen.token(sub=f"cook-{number}")) == f"cook-{number}"

    assert kitchen.issuer.asked == [
        "/realms/kitchen/.well-known/openid-configuration",
        "/realms/kitchen/keys",
    ]


async def test_two_hundred_tokens_at_the_start_are_one_look() -> None:
    kitchen = Kitchen()
    tokens = [kitchen.token(sub=f"cook-{number % 5}") for number in range(200)]

    await asyncio.gather(*map(kitchen.verify, tokens))

    assert kitchen.issuer.looks == 1


async def test_a_new_key_is_fetched_when_the_first_token_names_it() -> None:
    kitchen = Kitchen()
    await kitchen.verify(kitchen.token())
    kitchen.issuer.keys["summer"] = KEYS[1]
    kitchen.ticks.now += 10

    names = await asyncio.gather(*[kitchen.verify(kitchen.token("summer")) for _ in range(50)])

    assert set(names) == {"cook-7"}
    assert kitchen.issuer.looks == 2


async def test_a_flood_of_invented_key_names_is_one_look_in_ten_seconds() -> None:
    kitchen = Kitchen()
    good = kitchen.token()
    await kitchen.verify(good)

    for second in range(60):
        kitchen.ticks.now += 1
        for number in range(3):
            forged = kitchen.token(f"invented-{second}-{number}")
            assert await kitchen.refusal(forged) == NOT_PUBLISHED
        assert await kitchen.verify(good) == "cook-7"

    assert kitchen.issuer.looks == 1 + 6
    assert len(kitchen.proven) == 1


async def test_a_token_that_would_be_refused_anyway_makes_nobody_look() -> None:
    kitchen = Kitchen()
    await kitchen.verify(kitchen.token())
    kitchen.ticks.now += 11

    for change in ({"exp": 1}, {"aud": "another"}, {"iss": "https://else.example"}, {"sub": ""}):
        await kitchen.refusal(kitchen.token("gone", **change))
    await kitchen.refusal(kitchen.token("spring")[:-6] + "forged")

    assert kitchen.issuer.looks == 1


async def test_a_key_that_was_withdrawn_ends_what_it_proved() -> None:
    kitchen = Kitchen(spring=KEYS[0], summer=KEYS[1])
    old, new = kitchen.token("spring"), kitchen.token("summer")
    await kitchen.verify(old)
    await kitchen.verify(new)

    del kitchen.issuer.keys["spring"]
    kitchen.ticks.now += 5 * MINUTE
    await kitchen.verify(new)
    await kitchen.settle()

    assert await kitchen.refusal(old) == NOT_PUBLISHED
    assert await kitchen.verify(new) == "cook-7"
    assert len(kitchen.proven) == 1


async def test_another_key_under_the_same_name_ends_what_the_first_proved() -> None:
    kitchen = Kitchen()
    old = kitchen.token()
    await kitchen.verify(old)

    kitchen.issuer.keys["spring"] = KEYS[2]
    kitchen.ticks.now += 10 * MINUTE

    assert await kitchen.refusal(old) == "the signature of the token is wrong"
    assert await kitchen.verify(kitchen.token()) == "cook-7"


async def test_after_a_quiet_time_the_first_request_waits_for_the_keys_of_now() -> None:
    kitchen = Kitchen()
    old = kitchen.token()
    await kitchen.verify(old)

    kitchen.issuer.keys = {"summer": KEYS[1]}
    kitchen.ticks.now += 3 * HOUR

    assert await kitchen.refusal(old) == NOT_PUBLISHED


async def test_a_silent_issuer_is_no_outage_for_six_hours_and_then_one() -> None:
    kitchen = Kitchen()
    seen, unseen = kitchen.token(), kitchen.token(sub="cook-8")
    await kitchen.verify(seen)
    kitchen.is_down()

    kitchen.ticks.now += 6 * HOUR - 1
    assert await kitchen.verify(seen) == "cook-7"
    assert await kitchen.verify(unseen) == "cook-8"

    kitchen.ticks.now += 10
    for token in (seen, unseen):
        with pytest.raises(TokenUnverifiable):
            await kitchen.verify(token)

    kitchen.is_up()
    kitchen.ticks.now += 10
    assert await kitchen.verify(seen) == "cook-7"


async def test_while_the_issuer_is_silent_nobody_waits_for_it() -> None:
    kitchen = Kitchen()
    token = kitchen.token()
    await kitchen.verify(token)
    kitchen.is_down()
    kitchen.ticks.now += HOUR
    await kitchen.verify(token)

    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    kitchen.issuer.answer = hang
    for _ in range(20):
        kitchen.ticks.now += 11
        async with asyncio.timeout(1):
            assert await kitchen.verify(token) == "cook-7"


async def test_a_new_key_that_cannot_be_fetched_is_not_called_a_forgery() -> None:
    kitchen = Kitchen()
    await kitchen.verify(kitchen.token())
    kitchen.is_down()
    kitchen.ticks.now += 10

    with pytest.raises(TokenUnverifiable):
        await kitchen.verify(kitchen.token("summer"))


async def test_before_the_issuer_ever_answered_nobody_gets_in_and_it_is_asked_again() -> None:
    kitchen = Kitchen()
    kitchen.is_down()
    for _ in range(3):
        with pytest.raises(TokenUnverifiable):
            await kitchen.verify(kitchen.token())
    assert len(kitchen.issuer.asked) == 1

    kitchen.is_up()
    kitchen.ticks.now += 10

    assert await kitchen.verify(kitchen.token()) == "cook-7"


async def test_an_issuer_that_withdraws_every_key_is_believed() -> None:
    kitchen = Kitchen()
    token = kitchen.token()
    await kitchen.verify(token)

    kitchen.issuer.keys = {}
    kitchen.ticks.now += 10 * MINUTE

    assert await kitchen.refusal(token) == NOT_PUBLISHED


async def test_a_caller_who_goes_away_does_not_take_the_look_from_the_others() -> None:
    kitchen = Kitchen()
    release = asyncio.Event()
    usual = FakeIssuer(spring=KEYS[0])

    async def slow(request: httpx.Request) -> httpx.Response:
        await release.wait()
        return await usual._answer(request)  # noqa: SLF001 - the same answer, only later

    kitchen.issuer.answer = slow
    impatient = asyncio.create_task(kitchen.verify(kitchen.token()))
    patient = asyncio.create_task(kitchen.verify(kitchen.token(sub="cook-9")))
    await kitchen.settle()
    impatient.cancel()
    await kitchen.settle()
    release.set()

    assert await patient == "cook-9"


async def test_a_token_without_a_key_name_needs_an_issuer_with_one_key() -> None:
    kitchen = Kitchen()
    assert await kitchen.verify(kitchen.token(None)) == "cook-7"

    two = Kitchen(spring=KEYS[0], summer=KEYS[1])
    assert await two.refusal(two.token(None)) == NOT_PUBLISHED


async def test_an_issuer_that_names_no_keys_may_change_its_only_one() -> None:
    kitchen = Kitchen()
    old = kitchen.token(None)
    await kitchen.verify(old)

    kitchen.issuer.keys = {"summer": KEYS[1]}
    kitchen.ticks.now += 10
    assert await kitchen.verify(kitchen.token(None)) == "cook-7"
    assert await kitchen.refusal(old) == "the signature of the token is wrong"

    kitchen.ticks.now += 9
    for number in range(20):
        await kitchen.refusal(old[:-9] + f"forged{number:03}")
    assert kitchen.issuer.looks == 2


async def test_there_is_one_look_at_a_time_even_if_nothing_makes_it_pause() -> None:
    kitchen = Kitchen()
    source = kitchen.issuer.source(kitchen.ticks, pause=timedelta(0))

    await asyncio.gather(*[source.key_for("spring", "ES256") for _ in range(30)])

    assert kitchen.issuer.looks == 1


async def test_a_look_that_breaks_in_a_way_nobody_foresaw_is_a_silent_issuer() -> None:
    async def broken() -> KeySet:
        raise RuntimeError("a bug in the fetching")

    keys = PublishedKeys(broken)

    with pytest.raises(TokenUnverifiable):
        await keys.key_for("spring", "ES256")
