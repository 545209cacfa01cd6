"""The service asks an issuer which of its tokens were called back, over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from order_wiring.revocations import look_at_introspection
from order_wiring.settings import Settings
from tests.integration.introspection_endpoint import (
    CLIENT_ID,
    CLIENT_SECRET,
    IntrospectionEndpoint,
    introspection_endpoint,
)
from tests.integration.service_process import ServiceProcess, an_order, unused_port


@pytest.fixture
def endpoint() -> Iterator[IntrospectionEndpoint]:
    with introspection_endpoint() as endpoint:
        yield endpoint


def asking(url: str, secret: str = CLIENT_SECRET, **also: str) -> dict[str, str]:
    return {
        "INTROSPECTION_URL": url,
        "INTROSPECTION_CLIENT_ID": CLIENT_ID,
        "INTROSPECTION_CLIENT_SECRET": secret,
        **also,
    }


def test_a_token_that_was_called_back_is_out_and_silence_lets_nobody_in(
    tmp_path: Path, endpoint: IntrospectionEndpoint
) -> None:
    settings: Any = asking(endpoint.url, INTROSPECTION_MAX_AGE="1.5")
    service = ServiceProcess(tmp_path, **settings)
    stolen, other = service.token(), service.token("ada")

    def get(token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return service.client.get("/api/orders/", headers=headers)

    with service:
        placed = service.client.post(
            "/api/orders/create", json=an_order(), headers={"Authorization": f"Bearer {stolen}"}
        )
        assert placed.status_code == 201
        assert get(other).status_code == 200
        for _ in range(20):
            assert get(stolen).status_code == 200
        assert endpoint.asked.count(other) == 1
        assert endpoint.connections == 1, "the connection is kept"

        endpoint.called_back.add(stolen)
        time.sleep(1.6)
        refused = get(stolen)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
        assert get(other).status_code == 200

        endpoint.hangs_seconds = 4
        time.sleep(1.6)
        began = time.monotonic()
        unknown = get(other)
        assert (unknown.status_code, unknown.json()["code"]) == (503, "token_unverifiable")
        assert unknown.headers["Retry-After"] == "10"
        assert 1.5 < time.monotonic() - began < 3.5

        endpoint.hangs_seconds = 0
        assert get(other).status_code == 200
        assert get(stolen).status_code == 401
        assert service.stop() == 0

    log = service.log.read_text()
    assert "The issuer does not say which tokens are active: it did not answer within 2 s." in log
    assert "The issuer says again which tokens are active." in log
    for secret in (CLIENT_SECRET, stolen, other):
        assert secret not in log


async def test_the_check_says_whether_the_endpoint_answers(endpoint: IntrospectionEndpoint) -> None:
    def settings(**variables: str) -> Settings:
        environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
        return Settings.read(environment | {"ORDER_CORE_JWT_SECRET": "s" * 32}, installed=())

    nobody = f"http://127.0.0.1:{unused_port()}/introspect"

    assert await look_at_introspection(settings()) == ""
    assert await look_at_introspection(settings(**asking(endpoint.url))) == "answers"
    assert "does not answer at present: it answered 401. Until" in await look_at_introspection(
        settings(**asking(endpoint.url, secret="guessed"))
    )
    assert "it cannot be asked (ConnectError)" in await look_at_introspection(
        settings(**asking(nobody))
    )
