"""The service and an identity provider by others, each in a process of its own."""

import time
from pathlib import Path

import httpx

from order_wiring.settings import Settings
from order_wiring.tokens import look_at_issuer
from tests.integration.oidc_provider import AUDIENCE, oidc_provider
from tests.integration.service_process import ServiceProcess, an_order, unused_port


def settings(**variables: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
    return Settings.read(environment | {"ORDER_CORE_JWT_AUDIENCE": AUDIENCE}, installed=())


async def test_an_issuer_that_is_down_is_told_and_is_no_mistake() -> None:
    nobody = f"http://127.0.0.1:{unused_port()}"

    for silent in (
        settings(OIDC_ISSUER=nobody),
        settings(JWKS_URL=f"{nobody}/keys", JWT_ISSUER="us"),
    ):
        said = await look_at_issuer(silent)
        assert "does not publish its keys at present: it cannot be asked (ConnectError)" in said


def test_an_identity_provider_goes_down_and_comes_back_with_another_key(tmp_path: Path) -> None:
    with oidc_provider(ada="orders:read orders:write", eve="orders:read") as provider:
        service = ServiceProcess(
            tmp_path, JWT_SECRET="", OIDC_ISSUER=provider.issuer, JWT_AUDIENCE=AUDIENCE
        )

        def get(address: str, token: str) -> httpx.Response:
            return service.client.get(address, headers={"Authorization": f"Bearer {token}"})

        ada, eve = provider.token("ada"), provider.token("eve")
        with service:
            placed = service.client.post(
                "/api/orders/create", json=an_order(), headers={"Authorization": f"Bearer {ada}"}
            )
            assert placed.status_code == 201
            order = placed.headers["Location"]
            # Signed with the secret that other services believe.
            assert get(order, service.token("ada")).status_code == 401

            provider.stop()
            # Ada's token was seen before, Eve's was not.
            assert get(order, ada).status_code == 200
            assert get(order, eve).status_code == 403
            assert get("/api/orders/", eve).json() == []

            provider.start()
            new = provider.token("ada")
            # The provider does not name its keys, so the first failure makes the service look,
            # and that at most once in ten seconds.
            deadline = time.monotonic() + 20
            while get(order, new).status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.5)
            assert get(order, ada).json()["code"] == "invalid_token"
