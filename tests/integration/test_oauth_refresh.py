"""Refresh tokens: each is good once, and one that comes again ends its whole family."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import jwt

from order_oauth.settings import MOST_GRANTS_OF_SUBJECT
from order_sqlalchemy import open_database
from tests.integration.oauth_issuer import Desk, error_of, http_to, issuer_over

pytest_plugins = ["tests.integration.oauth_desk"]

REFUSED = (400, "invalid_grant")


async def test_a_refresh_token_brings_the_next_one_and_a_token_that_is_believed(desk: Desk) -> None:
    first = await desk.log_in("ada")
    await desk.later(minutes=11)
    assert await desk.orders_of(first["access_token"]) == 401

    second = (await desk.refresh(first["refresh_token"])).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert await desk.orders_of(second["access_token"]) == 200
    assert (await desk.refresh(second["refresh_token"])).status_code == 200


async def test_a_stolen_token_that_is_used_after_its_owner_ends_the_family(desk: Desk) -> None:
    stolen = (await desk.log_in("ada"))["refresh_token"]
    owners = (await desk.refresh(stolen)).json()["refresh_token"]

    thief = await desk.refresh(stolen)

    assert error_of(thief) == REFUSED
    assert error_of(await desk.refresh(owners)) == REFUSED


async def test_a_stolen_token_that_is_used_before_its_owner_ends_the_family_too(
    desk: Desk,
) -> None:
    stolen = (await desk.log_in("ada"))["refresh_token"]
    thiefs = (await desk.refresh(stolen)).json()["refresh_token"]
    thiefs = (await desk.refresh(thiefs)).json()["refresh_token"]

    assert error_of(await desk.refresh(stolen)) == REFUSED

    assert error_of(await desk.refresh(thiefs)) == REFUSED
    assert (await desk.log_in("ada"))["refresh_token"], "the customer can log in again"


async def test_the_end_of_one_family_leaves_the_others(desk: Desk) -> None:
    phone, laptop = [(await desk.log_in("ada"))["refresh_token"] for _ in range(2)]
    bobs = (await desk.log_in("bob"))["refresh_token"]
    await desk.refresh(phone)
    await desk.refresh(phone)

    assert [(await desk.refresh(each)).status_code for each in (laptop, bobs)] == [200, 200]


async def test_of_twenty_that_refresh_at_once_one_wins_and_keeps_what_it_won(desk: Desk) -> None:
    token = (await desk.log_in("ada"))["refresh_token"]

    answers = await asyncio.gather(*(desk.refresh(token) for _ in range(20)))

    winners = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(winners) == 1
    assert {error_of(answer) for answer in answers if answer.status_code != 200} == {REFUSED}
    # They lost a race, which is no theft.
    assert (await desk.refresh(winners[0]["refresh_token"])).status_code == 200
    # Whoever comes after that has no such excuse.
    assert error_of(await desk.refresh(token)) == REFUSED


async def test_a_thief_who_keeps_refreshing_does_not_hide_behind_races(desk: Desk) -> None:
    stolen = (await desk.log_in("ada"))["refresh_token"]
    thiefs = (await desk.refresh(stolen)).json()["refresh_token"]

    # The thief wins with a later token while the owner's request is under way.
    ahead, owners, _ = await asyncio.gather(*map(desk.refresh, (thiefs, stolen, thiefs)))

    assert error_of(owners) == REFUSED
    latest = ahead.json().get("refresh_token", thiefs)
    assert error_of(await desk.refresh(latest)) == REFUSED, "the family has ended"


async def test_of_several_processes_that_refresh_at_once_one_wins(
    desk: Desk, database_url: str
) -> None:
    token = (await desk.log_in("ada"))["refresh_token"]
    processes = [open_database(database_url) for _ in range(4)]
    desks = [
        replace(desk, http=http_to(issuer_over(each, desk.clock), desk.clock)) for each in processes
    ]
    for each in desks:
        await each.ask(each.report, grant_type="client_credentials")

    answers = await asyncio.gather(*(each.refresh(token) for each in desks * 5))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    for each, process in zip(desks, processes, strict=True):
        await each.http.aclose()
        await process.close()


async def test_an_answer_that_was_lost_costs_a_new_login(desk: Desk) -> None:
    token = (await desk.log_in("ada"))["refresh_token"]
    await desk.refresh(token)  # The connection breaks, and nobody reads this.

    again = await desk.refresh(token)

    assert error_of(again) == REFUSED
    assert (await desk.log_in("ada"))["access_token"]


# What it is good for --------------------------------------------------------------------


async def test_a_refresh_may_narrow_the_scope_for_once_and_never_widen_it(desk: Desk) -> None:
    first = await desk.log_in("ada", scope="orders:read orders:write")
    narrow = (await desk.refresh(first["refresh_token"], scope="orders:read")).json()
    wide = (await desk.refresh(narrow["refresh_token"])).json()

    assert (narrow["scope"], wide["scope"]) == ("orders:read", "orders:read orders:write")
    reading = await desk.log_in("ada", scope="orders:read")
    for scope in ("orders:read orders:write", "orders:manage", "openid"):
        answer = await desk.refresh(reading["refresh_token"], scope=scope)
        assert error_of(answer) == (400, "invalid_scope")
    assert (await desk.refresh(reading["refresh_token"])).status_code == 200, "and it was not used"


async def test_the_token_of_one_client_is_worth_nothing_to_another(desk: Desk) -> None:
    _, secret = await desk.book.add("other", "orders:read", may_act_for_customers=True)
    token = (await desk.log_in("ada"))["refresh_token"]
    thief = replace(desk, backend=("client-other", secret))

    used, token = token, (await desk.refresh(token)).json()["refresh_token"]

    # Neither the latest nor an older one, of which only its own client's use is reuse.
    assert [error_of(await thief.refresh(each)) for each in (token, used)] == [REFUSED] * 2
    assert error_of(await desk.ask(None, grant_type="refresh_token", refresh_token=token)) == (
        401,
        "invalid_client",
    )
    assert (await desk.refresh(token)).status_code == 200


async def test_a_refresh_token_beside_another_grant_means_nothing(desk: Desk) -> None:
    used = (await desk.log_in("ada"))["refresh_token"]
    latest = (await desk.refresh(used)).json()["refresh_token"]
    _, secret = await desk.book.add("other", "orders:read", may_act_for_customers=True)

    for caller in (desk, replace(desk, backend=("client-other", secret))):
        for token in (used, latest):
            eves = (await caller.log_in("eve", refresh_token=token))["refresh_token"]
            again = (await caller.refresh(eves)).json()["access_token"]
            assert jwt.decode(again, options={"verify_signature": False})["sub"] == "eve"

    assert (await desk.refresh(latest)).status_code == 200, "ada's session is as it was"


async def test_a_token_that_nobody_uses_dies_and_a_family_does_at_its_age(desk: Desk) -> None:
    idle = (await desk.log_in("ada"))["refresh_token"]
    busy = (await desk.log_in("bob"))["refresh_token"]
    for _ in range(6):
        await desk.later(days=13, hours=23)
        answer = await desk.refresh(busy)
        busy = answer.json()["refresh_token"]
    expired = await desk.refresh(idle)
    assert error_of(expired) == REFUSED
    assert expired.json()["error_description"] == "The refresh token has expired."

    await desk.later(days=6, hours=5)
    assert (await desk.refresh(busy)).status_code == 200
    await desk.later(days=1)
    assert error_of(await desk.refresh(busy)) == REFUSED


async def test_what_is_over_is_forgotten(desk: Desk) -> None:
    async def kept() -> int:
        return len(await desk.database.store.rows("SELECT 1 FROM oauth_grants"))

    newest = await desk.log_in("ada")
    for _ in range(MOST_GRANTS_OF_SUBJECT + 3):
        newest = await desk.log_in("ada")
        await desk.later(seconds=1)
    assert await kept() == MOST_GRANTS_OF_SUBJECT
    assert (await desk.refresh(newest["refresh_token"])).status_code == 200

    await desk.later(days=15)

    assert await desk.issuer.prune(at_once=4) == MOST_GRANTS_OF_SUBJECT, "in several steps"
    assert await kept() == 0


async def test_sessions_that_were_ended_do_not_push_out_those_that_go_on(desk: Desk) -> None:
    phone = (await desk.log_in("ada"))["refresh_token"]
    for _ in range(MOST_GRANTS_OF_SUBJECT + 1):
        await desk.later(seconds=1)
        ended = (await desk.log_in("ada"))["refresh_token"]
        await desk.http.post("/oauth/revoke", data={"token": ended}, auth=desk.backend)

    assert (await desk.refresh(phone)).status_code == 200


async def test_a_client_or_a_token_that_no_database_could_hold_is_just_not_known(
    desk: Desk,
) -> None:
    for name in ("client-\x00", "client-backend\x00", "client-\U0001f600"):
        answer = await desk.ask((name, "x"), grant_type="client_credentials")
        assert error_of(answer) == (401, "invalid_client")
    assert error_of(await desk.refresh("ocr_\U0001f600")) == REFUSED


# Who takes it back ----------------------------------------------------------------------


async def test_a_client_revokes_a_token_and_its_family(desk: Desk) -> None:
    token = (await desk.log_in("ada"))["refresh_token"]
    latest = (await desk.refresh(token)).json()["refresh_token"]

    for _ in range(2):
        answer = await desk.http.post("/oauth/revoke", data={"token": latest}, auth=desk.backend)
        assert (answer.status_code, answer.json()) == (200, {})

    assert error_of(await desk.refresh(latest)) == REFUSED


async def test_revoking_follows_the_rules_too(desk: Desk) -> None:
    tokens = await desk.log_in("ada")

    async def revoke(auth: tuple[str, str] | None, **form: str) -> tuple[int, str | None]:
        answer = await desk.http.post("/oauth/revoke", data=form, auth=auth or httpx.Auth())
        return answer.status_code, answer.json().get("error")

    token = tokens["refresh_token"]
    assert await revoke(None, token=token) == (401, "invalid_client")
    assert await revoke(("client-backend", "wrong"), token=token) == (401, "invalid_client")
    assert await revoke(desk.backend) == (400, "invalid_request")
    assert await revoke(desk.backend, token="never-was-one") == (200, None)
    assert await revoke(desk.backend, token="ocr_" + "A" * 65) == (200, None)
    assert await revoke(desk.report, token=token) == (400, "invalid_grant")
    assert await revoke(desk.backend, token=tokens["access_token"]) == (
        400,
        "unsupported_token_type",
    )
    assert (await desk.refresh(token)).status_code == 200, "nobody but its client revokes it"
    assert await revoke(desk.backend, token=token, token_type_hint="weather") == (200, None)


async def test_a_client_that_is_removed_gets_nothing_more(desk: Desk) -> None:
    tokens = await desk.log_in("ada")

    await desk.book.remove("backend")

    assert error_of(await desk.refresh(tokens["refresh_token"])) == (401, "invalid_client")
    assert await desk.orders_of(tokens["access_token"]) == 200, "nothing calls these back"
    await desk.later(minutes=11)
    assert await desk.orders_of(tokens["access_token"]) == 401
    assert await desk.database.store.rows("SELECT 1 FROM oauth_grants") == []


async def test_a_new_secret_replaces_the_old_at_once_or_after_a_while(desk: Desk) -> None:
    async def works(secret: str) -> bool:
        answer = await desk.ask(("client-report", secret), grant_type="client_credentials")
        return answer.status_code == 200

    first = desk.report[1]
    _, second = await desk.book.rotate("report", old_is_good_for=timedelta(hours=1))
    assert [await works(each) for each in (first, second)] == [True, True]
    await desk.later(hours=1)
    assert [await works(each) for each in (first, second)] == [False, True]

    _, third = await desk.book.rotate("report", old_is_good_for=timedelta(0))
    assert [await works(each) for each in (second, third)] == [False, True]
