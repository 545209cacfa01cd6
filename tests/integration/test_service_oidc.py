"""The service and an identity provider by others, each in a process of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from order_wiring.settings import Settings
from order_wiring.tokens import look_at_issuer
from tests.integration.oidc_provider import AUDIENCE, OidcProvider, oidc_provider
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


@contextmanager
def service_that_believes(provider: OidcProvider, folder: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess(
        folder, JWT_SECRET="", OIDC_ISSUER=provider.issuer, JWT_AUDIENCE=AUDIENCE
    ) as service:
        yield service


def ask(service: ServiceProcess, address: str, token: str) -> httpx.Response:
    return service.client.get(address, headers={"Authorization": f"Bearer {token}"})


def wait_until_believed(service: ServiceProcess, token: str) -> None:
    # The service looks for new keys at most once in ten seconds.
    deadline = time.monotonic() + 20
    while ask(service, "/api/orders/", token).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_an_identity_provider_goes_down_and_comes_back_with_another_key(tmp_path: Path) -> None:
    with (
        oidc_provider(ada="orders:read orders:write", eve="orders:read") as provider,
        service_that_believes(provider, tmp_path) as service,
    ):
        ada, eve = provider.token("ada"), provider.token("eve")
        placed = service.client.post(
            "/api/orders/create", json=an_order(), headers={"Authorization": f"Bearer {ada}"}
        )
        assert placed.status_code == 201
        order = placed.headers["Location"]
        # Signed with the secret that other services believe.
        assert ask(service, order, service.token("ada")).status_code == 401

        provider.stop()
        # Ada's token was seen before, Eve's was not.
        assert ask(service, order, ada).status_code == 200
        assert ask(service, order, eve).status_code == 403
        assert ask(service, "/api/orders/", eve).json() == []

        provider.start()
        wait_until_believed(service, provider.token("ada"))
        assert ask(service, order, ada).json()["code"] == "invalid_token"
        assert provider.looks() == 1


def test_tokens_that_name_keys_nobody_has_make_the_provider_a_question_in_ten_seconds(
    tmp_path: Path,
) -> None:
    key = rsa.generate_private_key(65537, 2048)

    def invented(number: int) -> str:
        claims = {
            "iss": provider.issuer,
            "aud": AUDIENCE,
            "sub": "ada",
            "scope": "orders:read",
            "exp": int(time.time()) + 600,
        }
        return jwt.encode(claims, key, "RS256", headers={"kid": f"invented-{number}"})

    with (
        oidc_provider(ada="orders:read") as provider,
        service_that_believes(provider, tmp_path) as service,
    ):
        ada = provider.token("ada")
        assert jwt.get_unverified_header(ada)["kid"]
        began = time.monotonic()
        for number in range(30):
            answer = ask(service, "/api/orders/", invented(number))
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
            # The next key is for the same algorithm: only by its name is the right one found.
            assert ask(service, "/api/orders/", ada).status_code == 200

        assert provider.looks() <= 1 + (time.monotonic() - began) / 10


def test_a_provider_that_names_no_keys_is_believed_and_may_change_its_only_one(
    tmp_path: Path,
) -> None:
    with (
        oidc_provider(names_keys=False, ada="orders:read") as provider,
        service_that_believes(provider, tmp_path) as service,
    ):
        old = provider.token("ada")
        assert "kid" not in jwt.get_unverified_header(old)
        assert ask(service, "/api/orders/", old).status_code == 200

        provider.stop()
        provider.start()
        # Only the failure of the old key tells that there is a new one.
        wait_until_believed(service, provider.token("ada"))
        assert ask(service, "/api/orders/", old).json()["code"] == "invalid_token"
