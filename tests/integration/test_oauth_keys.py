"""Signing keys: announced before they sign, gone when their last token is."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from order_core.errors import InvalidToken, StoreUnavailable, TokenUnverifiable
from order_memory import ManualClock
from order_oauth import Issuer, Wrapping
from order_oauth.wrapping import CannotUnwrap
from order_sqlalchemy import Database, open_database
from tests.integration.oauth_issuer import KEY_SECRET, SETTINGS, START, Desk, http_to, issuer_over

pytest_plugins = ["tests.integration.oauth_desk"]


async def kids(http: httpx.AsyncClient) -> list[str]:
    answer = await http.get("/oauth/jwks")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    keys: list[dict[str, Any]] = answer.json()["keys"]
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}, "no private part"
    return [key["kid"] for key in keys]


async def signed_by(desk: Desk) -> str:
    answer = await desk.ask(desk.report, grant_type="client_credentials")
    kid: str = jwt.get_unverified_header(answer.json()["access_token"])["kid"]
    return kid


async def test_a_key_is_published_for_a_day_before_it_signs_and_until_its_last_token_is_over(
    desk: Desk,
) -> None:
    first = await signed_by(desk)
    await desk.later(days=28, hours=23)
    await desk.issuer.keys.make_what_is_due()
    assert await kids(desk.http) == [first]

    await desk.later(hours=1)
    await desk.issuer.keys.make_what_is_due()
    second, *others = await kids(desk.http)
    assert others == [first]
    assert await signed_by(desk) == first, "the new one is known before it is used"

    await desk.later(hours=23, minutes=59)
    last = await desk.ask(desk.report, grant_type="client_credentials")
    await desk.later(minutes=1)
    assert await signed_by(desk) == second
    await desk.later(minutes=8)
    assert await desk.orders_of(last.json()["access_token"]) == 200, "signed by the first"
    assert await kids(desk.http) == [second, first]

    await desk.later(minutes=8)
    assert await kids(desk.http) == [second]
    await desk.issuer.keys.make_what_is_due()
    assert len(await desk.database.store.rows("SELECT 1 FROM oauth_signing_keys")) == 1


async def test_a_longer_life_of_tokens_does_not_outlive_a_key_that_was_made_for_a_shorter_one(
    desk: Desk,
) -> None:
    first = await signed_by(desk)
    await desk.later(days=29, hours=23, minutes=50)
    longer = replace(SETTINGS, access_lifetime=timedelta(hours=1))
    restarted = Issuer(longer, desk.database, Wrapping(KEY_SECRET), desk.clock)
    await restarted.keys.make_what_is_due()

    async with http_to(restarted, desk.clock) as http:
        token = (await replace(desk, http=http).log_in("ada"))["access_token"]
        assert jwt.get_unverified_header(token)["kid"] != first
        await desk.later(minutes=59)
        assert await replace(desk, http=http).orders_of(token) == 200


async def test_keys_are_read_again_though_the_clock_was_set_back(desk: Desk) -> None:
    class Ahead:
        by = timedelta(days=1)

        def now(self) -> datetime:
            return desk.clock.now() + self.by

        async def sleep(self, seconds: float, /) -> None:
            raise AssertionError(f"nobody waits {seconds} s")

    clock = Ahead()
    issuer = Issuer(SETTINGS, desk.database, Wrapping(KEY_SECRET), clock)
    await issuer.keys.signer()
    clock.by = timedelta(0)
    other = issuer_over(desk.database, desk.clock, "another-secret-of-a-process-started-now")
    new = (await other.keys.signer()).kid

    assert (await issuer.keys.key_for(new, "ES256")).algorithm == "ES256"


async def test_a_key_that_was_deleted_proves_nothing_after_a_minute(desk: Desk) -> None:
    tokens = await desk.log_in("ada")
    assert await desk.orders_of(tokens["access_token"]) == 200

    await desk.database.store.change("DELETE FROM oauth_signing_keys RETURNING kid")
    await desk.later(minutes=1)

    assert await desk.orders_of(tokens["access_token"]) == 401, "though it was proved before"
    fresh = (await desk.refresh(tokens["refresh_token"])).json()["access_token"]
    assert await desk.orders_of(fresh) == 200


async def test_two_processes_sign_with_one_key_and_believe_each_other(
    desk: Desk, database_url: str
) -> None:
    other = open_database(database_url)
    async with http_to(issuer_over(other, desk.clock), desk.clock) as http:
        there = await http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=desk.report
        )

        token = there.json()["access_token"]
        assert await desk.orders_of(token) == 200
        assert await signed_by(desk) == jwt.get_unverified_header(token)["kid"]
        assert await kids(http) == await kids(desk.http)
    await other.close()


async def test_a_process_with_another_secret_signs_with_its_own_key_which_all_believe(
    desk: Desk,
) -> None:
    old = await signed_by(desk)
    await desk.later(seconds=5)
    changed = issuer_over(desk.database, desk.clock, "another-secret-of-thirty-two-bytes-")
    async with http_to(changed, desk.clock) as http:
        there = await http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=desk.report
        )

        assert await desk.orders_of(there.json()["access_token"]) == 200
        new = jwt.get_unverified_header(there.json()["access_token"])["kid"]
        assert sorted(await kids(http)) == sorted([old, new])
        assert await signed_by(desk) == old


@pytest.mark.parametrize("kind_of_database", ["sqlite"])
async def test_a_private_key_that_somebody_changed_signs_nothing(desk: Desk) -> None:
    await signed_by(desk)
    await desk.database.store.change(
        "UPDATE oauth_signing_keys SET kid = $1", "of-somebody-else-whose-key-it-is-not"
    )
    fresh = issuer_over(desk.database, desk.clock)

    with pytest.raises(CannotUnwrap):
        await fresh.keys.signer()


@pytest.mark.parametrize("kind_of_database", ["sqlite"])
async def test_a_flood_of_unknown_keys_asks_the_database_once_a_second(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_by(desk)
    reads = 0
    rows = desk.database.store.rows

    async def counted(statement: str, /, *arguments: object) -> Any:
        nonlocal reads
        reads += 1
        return await rows(statement, *arguments)

    monkeypatch.setattr(desk.database.store, "rows", counted)
    await desk.later(seconds=2)
    for number in range(50):
        with pytest.raises(InvalidToken, match="not, or no longer, ours"):
            await desk.issuer.keys.key_for(f"kid-{number}", "ES256")

    assert reads == 1
    with pytest.raises(InvalidToken, match="signed with ES256"):
        await desk.issuer.keys.key_for("kid-1", "HS256")


@pytest.mark.parametrize("kind_of_database", ["sqlite"])
async def test_those_who_wait_for_keys_that_cannot_be_read_do_not_wait_one_after_the_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    async def slow_and_silent(statement: str, /, *arguments: object) -> Any:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.01)
        raise StoreUnavailable(f"no answer to {len(statement)} characters, {len(arguments)}")

    monkeypatch.setattr(database.store, "rows", slow_and_silent)
    keys = issuer_over(database, ManualClock(START)).keys
    asked = (keys.key_for(f"kid-{number}", "ES256") for number in range(50))
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert {type(answer) for answer in answers} == {TokenUnverifiable}
    assert reads == 1
    with pytest.raises(TokenUnverifiable):
        await keys.key_for("kid-1", "ES256")
    assert reads == 2, "who comes later tries again"


@pytest.mark.parametrize("kind_of_database", ["sqlite"])
async def test_keys_that_were_read_outlast_an_outage_and_none_lets_nobody_in(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kid = await signed_by(desk)
    fresh = issuer_over(database, desk.clock)

    async def silent(statement: str, /, *arguments: object) -> Any:
        raise StoreUnavailable(f"no answer to {len(statement)} characters, {len(arguments)}")

    monkeypatch.setattr(database.store, "rows", silent)
    await desk.later(hours=2)

    assert (await desk.issuer.keys.key_for(kid, "ES256")).algorithm == "ES256"
    with pytest.raises(TokenUnverifiable):
        await fresh.keys.key_for(kid, "ES256")
