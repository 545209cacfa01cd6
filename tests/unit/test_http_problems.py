"""Every error is a problem document, and every error of the core has its place."""

import logging

import pytest

from order_core import errors
from order_http.error_answers import problem_of
from order_http.problem_codes import CODE_OF_ERROR, CODES
from tests.unit.http_service import customer, order_body, service

MADE_FOR_WORKERS = {
    errors.NotificationRefused,
    errors.NotificationFailed,
    errors.ClockAskew,
    errors.EventsUnavailable,
}


def test_every_error_that_a_request_can_meet_has_a_code() -> None:
    raised_on_purpose = set(errors.OrderCoreError.__subclasses__())
    assert raised_on_purpose - MADE_FOR_WORKERS == set(CODE_OF_ERROR)
    assert set(CODE_OF_ERROR.values()) <= set(CODES)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidValue(("items", 0, "price"), "c", "b"), 422, "invalid_request"),
        (errors.OrderNotFound("o-1"), 404, "order_not_found"),
        (errors.NotTheOwner("o-1"), 403, "not_your_order"),
        (errors.CannotCancel("o-1", "already_shipped", "it is gone"), 409, "cannot_cancel"),
        (
            errors.PriceMismatch(errors.WrongPrice(0, "cup", "product_unknown", "is not for sale")),
            422,
            "price_mismatch",
        ),
        (
            errors.QuoteRefused(errors.InvalidValue(("quote",), "quote_expired", "has expired")),
            422,
            "quote_refused",
        ),
        (errors.UnknownProvider("p"), 422, "unknown_provider"),
        (errors.PossibleDuplicate(10), 409, "possible_duplicate"),
        (errors.PaymentMethodInUse(), 409, "payment_method_in_use"),
        (errors.PaymentReferenceTaken("p", "r"), 409, "payment_method_in_use"),
        (errors.IdempotencyKeyReused("k"), 422, "idempotency_key_reused"),
        (errors.RequestInProgress("o-1", 2), 409, "request_in_progress"),
        (errors.ConcurrentUpdate("o-1"), 503, "outcome_unknown"),
        (errors.StoreUnavailable("down"), 503, "store_unavailable"),
        (errors.CommitUnknown("silence"), 503, "outcome_unknown"),
        (errors.InvalidToken("expired"), 401, "invalid_token"),
    ],
)
def test_an_error_of_the_core_becomes_its_problem(
    error: errors.OrderCoreError, status: int, code: str
) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert problem.detail.endswith(".")


def test_a_request_that_still_runs_says_when_to_ask_again() -> None:
    assert problem_of(errors.RequestInProgress("o-1", 7)).headers == {"Retry-After": "7"}


@pytest.mark.parametrize("path", ["/", "/api", "/api/orders/a/b", "/api/orders/create/", "/docs/"])
async def test_an_address_with_nothing_behind_it_is_a_problem_too(path: str) -> None:
    async with customer(service()) as ann:
        answer = await ann.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:order-core:problem:not_found"
    assert answer.json()["instance"].endswith(answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/orders/create", "POST"),
        ("DELETE", "/api/orders/", "GET, HEAD"),
        ("PUT", "/api/orders/id-1", "GET, HEAD"),
        ("GET", "/api/orders/id-1/cancel", "POST"),
        ("POST", "/metrics", "GET, HEAD"),
        ("TRACE", "/api/orders/", "GET, HEAD"),
        ("BREW", "/docs", "GET, HEAD"),
    ],
)
async def test_another_method_is_a_problem_that_names_the_right_ones(
    method: str, path: str, allow: str
) -> None:
    async with customer(service()) as ann:
        answer = await ann.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == allow


async def test_a_head_request_gets_the_headers_of_the_get_and_no_body() -> None:
    async with customer(service()) as ann:
        answer = await ann.head("/api/orders/")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "2", b"")


class _Broken:
    """A core with a bug in it."""

    async def show_list(self, query: object, *, view: object) -> None:
        raise RuntimeError("password=hunter2 in a message")

    async def show(self, order_id: str, *, customer_id: str, view: object) -> None:
        raise errors.NotificationFailed


@pytest.mark.parametrize("path", ["/api/orders/", "/api/orders/id-1"])
async def test_a_bug_is_answered_without_its_inside_and_logged_with_the_requests_name(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with customer(service(_Broken())) as ann:
        with caplog.at_level(logging.ERROR, "order_http.errors"):
            answer = await ann.get(path, headers={"X-Request-Id": "find-me"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    [record] = caplog.records
    assert "find-me" in record.getMessage()
    assert record.exc_info


async def test_too_many_and_too_long_headers_are_refused() -> None:
    async with customer(service()) as ann:
        many = await ann.get("/api/orders/", headers={f"X-{n}": "1" for n in range(200)})
        long = await ann.get("/api/orders/", headers={"X-Long": "x" * 40_000})
        body = order_body()
        posted = await ann.post("/api/orders/create", json=body, headers={"X": "x" * 40_000})
    for answer in (many, long, posted):
        assert answer.status_code == 431
        assert answer.json()["code"] == "headers_too_large"
