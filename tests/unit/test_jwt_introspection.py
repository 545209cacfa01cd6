"""Tokens that were called back: the issuer is asked, its word counts a while, its silence is no."""

import asyncio
import logging
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from order_core.errors import InvalidToken, TokenUnverifiable
from order_jwt import JwtSettings, JwtVerifier, issue_token
from order_jwt.introspection import Introspection, IntrospectionEndpoint
from tests.unit.fake_issuer import ISSUER, SetTicks, json_answer
from tests.unit.trusting_service import NOON, AtNoon, Kitchen

ENDPOINT = IntrospectionEndpoint(f"{ISSUER}/introspect", "the:pantry", "salt & pepper")
ACTIVE = {"active": True}


class Bureau:
    """An issuer that can be asked about its tokens, a service that asks, and their time."""

    def __init__(self, **limits: Any) -> None:
        self.asked: Counter[str] = Counter()
        self.requests: list[httpx.Request] = []
        self.dead: set[str] = set()
        self.answer: Callable[[httpx.Request], Any] | None = None
        """Overrides what it answers."""
        self.ticks = SetTicks()
        self.introspection = Introspection(
            ENDPOINT,
            **{"issuer": ISSUER, "max_age": timedelta(seconds=30), **limits},
            open_client=lambda _: httpx.AsyncClient(transport=httpx.MockTransport(self._answer)),
            ticks=self.ticks,
        )
        self.kitchen = Kitchen(revocations=self.introspection)
        self.verify = self.kitchen.verify
        self.token = self.kitchen.token

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        (token,) = parse_qs(request.content.decode())["token"]
        self.asked[token] += 1
        self.requests.append(request)
        if self.answer is not None:
            answer = self.answer(request)
            return answer if isinstance(answer, httpx.Response) else await answer
        return json_answer({"active": token not in self.dead})


async def test_the_issuer_is_asked_as_the_standard_says() -> None:
    bureau = Bureau()

    await bureau.verify(token := bureau.token())

    (request,) = bureau.requests
    assert (request.method, str(request.url)) == ("POST", f"{ISSUER}/introspect")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    scheme, _, proof = request.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert b64decode(proof) == b"the%3Apantry:salt+%26+pepper"
    assert parse_qs(request.content.decode()) == {
        "token": [token],
        "token_type_hint": ["access_token"],
    }


async def test_a_token_that_was_called_back_is_out_when_the_last_good_word_is_too_old() -> None:
    bureau = Bureau()
    stolen, other = bureau.token(jti="knife-1"), bureau.token(jti="knife-2")
    await bureau.verify(stolen)
    await bureau.verify(other)

    bureau.dead.add(stolen)
    bureau.ticks.now += 29.9
    assert await bureau.verify(stolen) == "cook-7"
    bureau.ticks.now += 0.1

    assert await bureau.kitchen.refusal(stolen) == "the token was revoked"
    assert await bureau.verify(other) == "cook-7"
    assert bureau.asked == {stolen: 2, other: 2}


async def test_a_bad_word_counts_as_long_as_a_good_one() -> None:
    bureau = Bureau()
    bureau.dead.add(stolen := bureau.token())

    for _ in range(50):
        await bureau.kitchen.refusal(stolen)

    assert bureau.asked[stolen] == 1


async def test_a_word_is_as_old_as_its_question() -> None:
    bureau = Bureau()

    async def slowly(_request: httpx.Request) -> httpx.Response:
        bureau.ticks.now += 1.5
        return json_answer(ACTIVE)

    bureau.answer = slowly
    await bureau.verify(token := bureau.token())
    bureau.ticks.now += 28.5
    await bureau.verify(token)

    assert bureau.asked[token] == 2


async def test_without_an_age_the_issuer_is_asked_at_every_request() -> None:
    bureau = Bureau(max_age=timedelta())
    await bureau.verify(token := bureau.token())
    bureau.dead.add(token)

    assert await bureau.kitchen.refusal(token) == "the token was revoked"


async def test_requests_that_bear_one_token_share_one_question_even_if_its_first_goes_away() -> (
    None
):
    bureau = Bureau()
    release = asyncio.Event()

    async def when_released(_request: httpx.Request) -> httpx.Response:
        await release.wait()
        return json_answer(ACTIVE)

    bureau.answer = when_released
    token = bureau.token()
    first, *others = [asyncio.create_task(bureau.verify(token)) for _ in range(50)]
    await bureau.kitchen.settle()
    first.cancel()
    await bureau.kitchen.settle()
    release.set()

    assert set(await asyncio.gather(*others)) == {"cook-7"}
    assert bureau.asked[token] == 1


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"active": "true"}),
        json_answer({"active": 1}),
        json_answer({"active": None}),
        json_answer({"sub": "cook-7"}),
        json_answer([ACTIVE]),
        json_answer(None),
        json_answer(ACTIVE, 201),
        json_answer(ACTIVE, 307, Location="https://evil.test/"),
        json_answer(ACTIVE, 401),
        json_answer(ACTIVE, 429),
        json_answer(ACTIVE, 500),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b" " * 300_000),
    ],
)
async def test_whatever_is_no_clear_word_lets_nobody_in(answer: httpx.Response) -> None:
    bureau = Bureau()
    bureau.answer = lambda _request: answer

    with pytest.raises(TokenUnverifiable):
        await bureau.verify(bureau.token())
    assert len(bureau.requests) == 1


async def test_while_the_issuer_is_silent_its_last_word_counts_and_no_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    bureau = Bureau()
    known, unknown = bureau.token(), bureau.token(sub="cook-8")
    await bureau.verify(known)
    bureau.answer = refuse

    assert await bureau.verify(known) == "cook-7"
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(TokenUnverifiable):
                await bureau.verify(unknown)
        bureau.ticks.now += 30
        with pytest.raises(TokenUnverifiable):
            await bureau.verify(known)
        bureau.answer = None
        assert await bureau.verify(known) == "cook-7"
        assert await bureau.verify(unknown) == "cook-8"

    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "The issuer does not say which tokens are active: it cannot be asked (ConnectError).",
        "The issuer says again which tokens are active.",
    ]


async def test_an_issuer_that_hangs_is_waited_for_two_seconds_and_one_token_is_one_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("order_jwt.introspection.ASK_SECONDS", 0.05)
    bureau = Bureau()
    bureau.answer = hang
    token = bureau.token()

    async with asyncio.timeout(1):
        answers = await asyncio.gather(
            *[bureau.verify(token) for _ in range(9)], return_exceptions=True
        )

    assert {type(answer) for answer in answers} == {TokenUnverifiable}
    assert bureau.asked[token] == 1


async def test_a_kept_connection_that_was_closed_in_the_moment_of_its_use_is_no_silence() -> None:
    def closed_once(request: httpx.Request) -> httpx.Response:
        bureau.answer = None
        raise httpx.RemoteProtocolError("server disconnected", request=request)

    bureau = Bureau()
    bureau.answer = closed_once

    assert await bureau.verify(bureau.token()) == "cook-7"
    assert len(bureau.requests) == 2


async def test_only_the_words_about_the_latest_tokens_are_remembered() -> None:
    bureau = Bureau(most=2)
    oldest, *_ = tokens = [bureau.token(jti=f"fork-{number}") for number in range(3)]
    for token in tokens:
        await bureau.verify(token)

    for token in reversed(tokens):
        await bureau.verify(token)

    assert bureau.asked == {token: 2 if token == oldest else 1 for token in tokens}


async def test_a_forgery_and_a_token_of_another_issuer_are_not_asked_about() -> None:
    bureau = Bureau()
    ours = JwtSettings(secret="s" * 32, issuer="https://shop.example")
    verifier = JwtVerifier(
        [ours.trust, bureau.kitchen.trust], AtNoon(), revocations=bureau.introspection
    )
    token = issue_token("s" * 32, subject="ann", issuer="https://shop.example", at=NOON)

    assert (await verifier.verify(token)).subject == "ann"
    with pytest.raises(InvalidToken):
        await verifier.verify(bureau.token()[:-6] + "forged")

    assert bureau.asked == {}


async def test_the_end_ends_what_is_asked() -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    bureau = Bureau()
    bureau.answer = hang
    request = asyncio.create_task(bureau.verify(bureau.token()))
    await bureau.kitchen.settle()

    await bureau.introspection.close()

    with pytest.raises(asyncio.CancelledError):
        await request


def test_the_secret_is_not_shown() -> None:
    assert "pepper" not in repr(ENDPOINT)
