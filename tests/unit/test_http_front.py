"""The way of a request past the rules to its endpoint, and what a host adds to it."""

import logging

import pytest
from fastapi import FastAPI
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Scope

from order_http.access_record import AccessRecord, what_all_have_in_common
from order_http.endpoint import Public
from order_http.last_resort import AnswerBrokenOff
from order_http.resource import ExactRoute
from order_http.route_finder import RouteFinder
from tests.unit.http_service import customer, service

WHY = "a test asks for it"


async def answer(request: Request) -> Response:
    return PlainTextResponse(str(request.path_params))


# Which route a path has.

PATHS = (
    "/shelves/top",
    "/shelves/{shelf}",
    "/shelves/{shelf}/books",
    "/shelves/late",
    "/{kind}/all/books",
    "/shelves/{shelf}/{book}",
    "/drawers/{drawer}/{book}",
    "/{kind}/{name}.pdf",
    "/shelves/",
    "/{anything}",
)
PARTS = st.sampled_from(
    ["shelves", "drawers", "top", "late", "books", "all", "a.pdf", "", "x\n", "7", "é"]
)


def routes() -> list[ExactRoute]:
    return [ExactRoute(path, answer) for path in PATHS]


@given(st.lists(PARTS, min_size=1, max_size=4))
@example(["shelves", "late"])
@example(["drawers", "7", "books"])
def test_the_route_that_is_looked_up_is_the_one_that_starlette_tries_first(
    parts: list[str],
) -> None:
    known, path = routes(), "/" + "/".join(parts)
    scope: Scope = {"type": "http", "method": "GET", "path": path}
    tried = ((route, *route.matches(scope)) for route in known)
    fitting = [
        (route, child["path_params"]) for route, match, child in tried if match is Match.FULL
    ]

    found = RouteFinder(known).find(path)

    assert found == (fitting[0] if fitting else None)


def test_a_parameter_that_may_hold_anything_leaves_the_finding_to_the_router() -> None:
    for greedy in (ExactRoute("/shelves/{rest:path}", answer), Route("/shelves/{shelf}", answer)):
        finder = RouteFinder([greedy, *routes()])
        assert finder.find("/shelves/top") is None


async def test_such_a_parameter_is_served_all_the_same() -> None:
    page = Public("GET", "/pages/{page:path}", answer, WHY)
    async with customer(service(extra_routes=[page])) as ann:
        assert (await ann.get("/pages/a/b")).text == "{'page': 'a/b'}"
        assert (await ann.get("/health/live")).status_code == 200


# What a host adds.


async def test_a_host_may_put_middleware_around_the_service() -> None:
    class Stamp(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            answered = await call_next(request)
            answered.headers["X-Stamp"] = "7d"
            return answered

    app = service()
    app.add_middleware(Stamp)
    async with customer(app) as ann:
        answered = await ann.get("/nowhere")
    assert (answered.status_code, answered.headers["X-Stamp"]) == (404, "7d")


async def test_a_host_may_answer_exceptions_of_its_own() -> None:
    class OutOfStamps(Exception):
        pass

    async def fail(request: Request) -> Response:
        raise OutOfStamps

    async def sorry(request: Request, error: Exception) -> Response:
        return PlainTextResponse("no stamps", status_code=418)

    app = service(extra_routes=[Public("GET", "/stamps", fail, WHY)])
    app.add_exception_handler(OutOfStamps, sorry)
    async with customer(app) as ann:
        answered = await ann.get("/stamps")
    assert (answered.status_code, answered.text) == (418, "no stamps")
    assert answered.headers["X-Frame-Options"] == "DENY"


async def test_below_a_path_of_a_host_the_rules_hold_too() -> None:
    host = FastAPI()
    host.mount("/shop", service())
    async with customer(host) as ann:
        lost = await ann.get("/shop/nowhere")
        wrong = await ann.post("/shop/health/live")
    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD")
    assert wrong.headers["X-Content-Type-Options"] == "nosniff"


# Answers that go wrong, or set headers themselves.


async def test_half_an_answer_is_broken_off_and_not_begun_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Half(Response):
        async def __call__(self, scope: object, receive: object, send: object) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
            raise RuntimeError("the other half is lost")

    async def half(request: Request) -> Response:
        return Half()

    heard: list[Message] = []

    async def send(message: Message) -> None:
        heard.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody reads here")

    app = service(extra_routes=[Public("GET", "/half", half, WHY)])
    scope = {"type": "http", "method": "GET", "path": "/half", "query_string": b"", "headers": []}
    with pytest.raises(AnswerBrokenOff):
        await app({**scope, "scheme": "http"}, receive, send)
    assert [message["type"] for message in heard] == ["http.response.start"]
    assert "failed" in caplog.text


async def test_an_answer_has_one_request_id_and_keeps_what_it_says_of_its_own() -> None:
    async def own(request: Request) -> Response:
        return Response(headers={"X-Request-Id": "mine", "Cache-Control": "max-age=60"})

    async with customer(service(extra_routes=[Public("GET", "/own", own, WHY)])) as ann:
        answered = await ann.get("/own", headers={"X-Request-Id": "yours"})
    assert answered.headers.get_list("X-Request-Id") == ["yours"]
    assert answered.headers.get_list("Cache-Control") == ["max-age=60"]


async def test_of_two_names_for_a_request_the_first_counts() -> None:
    twice = [("X-Request-Id", "first"), ("X-Request-Id", "second")]
    async with customer(service()) as ann:
        assert (await ann.get("/health/live", headers=twice)).headers["X-Request-Id"] == "first"


# The record of an answer.


def test_the_record_of_an_answer_holds_all_that_a_record_of_logging_holds() -> None:
    usual = logging.getLogger("order_http.access").makeRecord(
        "order_http.access",
        logging.INFO,
        "here.py",
        7,
        "%s",
        ("{}",),
        None,
        extra={"request_id": "r"},
    )
    record = AccessRecord("{}", "r", what_all_have_in_common())

    assert vars(record).keys() == vars(usual).keys()
    assert record.getMessage() == "{}"
    for alike in ("name", "levelname", "process", "processName", "thread", "threadName"):
        assert getattr(record, alike) == getattr(usual, alike), alike
    assert 0 <= record.created - usual.created < 60
    assert 0 <= record.relativeCreated - usual.relativeCreated < 60_000
    told = logging.Formatter("%(asctime)s %(filename)s:%(lineno)d %(message)s").format(record)
    assert told.endswith(" access_record.py:0 {}")


async def test_a_host_may_silence_the_lines_about_answers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logger = logging.getLogger("order_http.access")
    async with customer(service()) as ann:
        try:
            logger.setLevel(logging.WARNING)
            await ann.get("/health/live")
        finally:
            logger.setLevel(logging.NOTSET)
        silent = [record for record in caplog.records if record.name == logger.name]
        await ann.get("/health/live")
    told = [record for record in caplog.records if record.name == logger.name]
    assert (len(silent), len(told)) == (0, 1)
