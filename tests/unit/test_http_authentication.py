"""Who may call, and how the others are told."""

import pytest

from tests.unit.http_service import customer, order_body, service

ALL_OF_THE_API = [
    ("POST", "/api/orders/create"),
    ("GET", "/api/orders/"),
    ("GET", "/api/orders"),
    ("GET", "/api/orders/id-000001"),
    ("GET", "/api/orders/id-000001/history"),
    ("POST", "/api/orders/id-000001/cancel"),
]


@pytest.mark.parametrize(("method", "path"), ALL_OF_THE_API)
async def test_without_a_token_nothing_works_and_no_error_is_blamed_on_it(
    method: str, path: str
) -> None:
    async with customer(service(), None) as stranger:
        answer = await stranger.request(method, path)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_missing"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="order-core"'


@pytest.mark.parametrize(("method", "path"), ALL_OF_THE_API)
async def test_a_token_that_proves_nothing_is_told_so(method: str, path: str) -> None:
    async with customer(service(), "forged") as stranger:
        answer = await stranger.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="order-core", error="invalid_token", '
        'error_description="this token was never issued"'
    )
    assert "forged" not in answer.text


@pytest.mark.parametrize(("method", "path"), ALL_OF_THE_API)
async def test_a_token_without_the_scope_is_refused(method: str, path: str) -> None:
    token, scope = ("reader", "orders:write") if method == "POST" else ("writer", "orders:read")
    async with customer(service(), token) as somebody:
        answer = await somebody.request(method, path)
    assert answer.status_code == 403
    assert answer.json()["code"] == "insufficient_scope"
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="order-core", error="insufficient_scope", scope="{scope}"'
    )


@pytest.mark.parametrize("value", ["Basic YW5uOmFubg==", "Bearer", "Bearer   ", "ann", ""])
async def test_another_scheme_is_no_token(value: str) -> None:
    async with customer(service(), None) as stranger:
        answer = await stranger.get("/api/orders/", headers={"Authorization": value})
    assert answer.json()["code"] == "token_missing"


async def test_the_scheme_is_read_in_any_case() -> None:
    async with customer(service(), None) as ann:
        answer = await ann.get("/api/orders/", headers={"Authorization": "bEARER ann"})
    assert answer.status_code == 200


async def test_two_tokens_or_an_endless_one_are_refused() -> None:
    two = [("Authorization", "Bearer ann"), ("Authorization", "Bearer bob")]
    async with customer(service(), None) as stranger:
        for headers in (two, [("Authorization", "Bearer " + "x" * 9000)]):
            answer = await stranger.get("/api/orders/", headers=headers)
            assert answer.json()["code"] == "invalid_token"


async def test_a_subject_that_no_store_could_hold_is_refused() -> None:
    async with customer(service(), "odd") as odd:
        answer = await odd.get("/api/orders/")
    assert answer.status_code == 401


async def test_the_managers_scope_includes_reading_and_writing() -> None:
    async with customer(service(), "manager") as manager:
        placed = await manager.post("/api/orders/create", json=order_body())
        listed = await manager.get("/api/orders/")
    assert (placed.status_code, listed.status_code) == (201, 200)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json"])
async def test_operators_and_readers_of_the_documents_need_no_token(path: str) -> None:
    async with customer(service(), None) as stranger:
        assert (await stranger.get(path)).status_code == 200


async def test_what_else_is_wrong_with_a_request_is_told_to_callers_with_a_token_only() -> None:
    async with customer(service(), None) as stranger:
        answer = await stranger.post("/api/orders/create?x=1", content=b"{")
    assert answer.status_code == 401
