"""What stands before every address: bounds, headers said once, and what browsers are told."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from order_http.answer_pace import AnswerPace
from order_http.endpoint import Public
from order_http.first_headers import first_of
from order_http.problems import Problem
from order_http.single_headers import check_single
from tests.unit.http_service import customer, order_body, service

CREATE = "/api/orders/create"
EVENTS = "/api/webhooks/scripted"
A_YEAR = "max-age=31536000"


START = "http.response.start"


def scope_of(path: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [],
    }


async def nothing() -> Message:
    raise AssertionError("nobody reads here")


# What browsers are told.


@pytest.mark.parametrize("path", ["/api/orders/", "/nowhere", "/health/live", "/docs", "/metrics"])
async def test_every_answer_carries_what_owasp_asks_of_an_api(path: str) -> None:
    async with customer(service()) as ann:
        headers = (await ann.get(path)).headers
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "payment=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Permitted-Cross-Domain-Policies"] == "none"
    assert headers["Server"] == "order-core"


async def test_no_script_but_our_own_runs_on_the_page() -> None:
    async with customer(service()) as reader:
        page = await reader.get("/docs")
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in page.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["form-action"] == policy["base-uri"] == "'none'"
    assert page.text.count("<script") == page.text.count('<script type="module" src="docs/') == 1


async def test_only_over_tls_is_a_browser_told_to_insist_on_it() -> None:
    app = service(trusted_proxies=("127.0.0.1",))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://shop.test"
    ) as direct:
        assert (await direct.get("/health/live")).headers["Strict-Transport-Security"] == A_YEAR
        assert (await direct.get("/nowhere")).headers["Strict-Transport-Security"] == A_YEAR
    async with customer(app) as ann:
        plain = await ann.get("/health/live")
        behind = await ann.get("/health/live", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in plain.headers
    assert behind.headers["Strict-Transport-Security"] == A_YEAR


async def test_a_stranger_cannot_claim_to_come_over_tls() -> None:
    async with customer(service()) as ann:
        claimed = await ann.get("/health/live", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in claimed.headers


# Headers that are said twice.


@pytest.mark.parametrize("name", ["Host", "Content-Type", "Content-Encoding"])
async def test_what_can_only_be_said_once_is_not_said_twice(name: str) -> None:
    twice = [(name, "application/json"), (name, "application/json")]
    async with customer(service()) as ann:
        answer = await ann.get("/api/orders/", headers=twice)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert name.lower() in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"content-length", b"6")],
        [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")],
    ],
)
def test_a_body_has_one_length(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Problem, match=r"(?i)content-length"):
        check_single(headers, first_of(headers))


@pytest.mark.parametrize("path", ["/api/orders/", "/metrics", "/health/live", "/docs"])
async def test_a_line_break_behind_an_address_makes_another_one_of_it(path: str) -> None:
    async with customer(service()) as ann:
        assert (await ann.get(path)).status_code == 200
        assert (await ann.get(path + "%0A")).status_code == 404


# Bodies.


@pytest.mark.parametrize("path", [CREATE, EVENTS])
async def test_a_compressed_bomb_is_not_unpacked(path: str) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with customer(service()) as ann:
        answer = await ann.post(path, content=bomb, headers=headers)
    assert len(bomb) < 100_000
    assert answer.status_code == {CREATE: 415, EVENTS: 404}[path]


async def stalled(size: int, came: asyncio.Event, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    yield b" " * size
    came.set()
    await go_on.wait()
    yield b"{}"


async def test_large_bodies_share_one_bound_and_small_ones_are_always_read() -> None:
    app = service(max_bodies_bytes=100_000)
    came, go_on = asyncio.Event(), asyncio.Event()
    json = {"Content-Type": "application/json"}
    async with customer(app) as ann:

        async def send(size: int) -> httpx.Response:
            return await ann.post(CREATE, content=b" " * size, headers=json)

        content = stalled(120_000, came, go_on)
        held = asyncio.create_task(ann.post(CREATE, content=content, headers=json))
        await came.wait()
        large = await send(60_000)
        small = await send(30_000)
        placed = await ann.post(CREATE, json=order_body())
        go_on.set()
        await held
        later = await send(60_000)
    assert (large.status_code, large.json()["code"]) == (503, "overloaded")
    assert large.headers["Retry-After"] == "2"
    assert small.status_code == 400  # It was read, and found to be no JSON.
    assert placed.status_code == 201
    assert later.status_code == 400


async def test_what_a_body_held_is_free_again_however_its_request_ended() -> None:
    async def fall_over(request: Request) -> Response:
        await request.body()
        raise RuntimeError("it fell over")

    endpoint = Public("POST", "/stairs", fall_over, "a test falls down them")
    app = service(extra_routes=[endpoint], max_body_bytes=100_000, max_bodies_bytes=60_000)
    async with customer(app) as ann:
        answers = [await ann.post("/stairs", content=b" " * 90_000) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 500, 500]


# Answers.


LONG = {"type": "http.response.body", "body": bytes(range(256)) * 400}


async def test_a_long_answer_goes_out_in_pieces_and_whole() -> None:
    pieces: list[Message] = []

    async def send(message: Message) -> None:
        pieces.append(message)

    assert await AnswerPace(timeout_seconds=1).hand_out(LONG, send)
    assert max(len(piece["body"]) for piece in pieces) <= 16 * 1024
    assert b"".join(piece["body"] for piece in pieces) == bytes(range(256)) * 400
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]


async def test_a_client_that_does_not_read_is_given_up_and_holds_one_piece() -> None:
    handed: list[Message] = []

    async def send(message: Message) -> None:
        handed.append(message)
        await asyncio.Event().wait()

    assert not await AnswerPace(timeout_seconds=0.02).hand_out(LONG, send)
    assert len(handed) == 1
    # The end is never said, so the server cannot take half an answer for a whole one.
    assert handed[-1]["more_body"]


async def test_who_was_given_up_is_sent_nothing_more() -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({**LONG, "more_body": True})
        await send({"type": "http.response.body", "body": b"the end"})

    class Long(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await answer(scope, receive, send)

    async def endpoint(request: Request) -> Response:
        return Long()

    handed: list[Message] = []

    async def send(message: Message) -> None:
        handed.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    app = service(
        extra_routes=[Public("GET", "/long", endpoint, "it is long for everybody")],
        answer_timeout_seconds=0.02,
    )
    await app(scope_of("/long"), nothing, send)
    assert [message["type"] for message in handed] == [START, "http.response.body"]
    assert len(handed[-1]["body"]) == 16 * 1024
