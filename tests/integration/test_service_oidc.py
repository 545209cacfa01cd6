"""The service and an identity provider by others, each in a process of its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from order_core.errors import InvalidToken
from order_jwt import JwtVerifier, PublishedKeys, Trust, discovered_keys
from order_jwt.published_keys import Patience
from tests.integration.oidc_provider import AUDIENCE, oidc_provider
from tests.integration.service_process import ServiceProcess, an_order


class RealTime:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, _seconds: float, /) -> None:
        raise AssertionError("a verifier has nothing to wait for")


def test_customers_of_an_identity_provider_are_served_while_it_is_down(tmp_path: Path) -> None:
    with oidc_provider(ada="orders:read orders:write", eve="orders:read") as provider:
        service = ServiceProcess(
            tmp_path, JWT_SECRET="", OIDC_ISSUER=provider.issuer, JWT_AUDIENCE=AUDIENCE
        )
        ada, eve = ({"Authorization": f"Bearer {provider.token(name)}"} for name in ("ada", "eve"))
        with service:
            placed = service.client.post("/api/orders/create", json=an_order(), headers=ada)
            assert placed.status_code == 201
            assert service.client.get("/api/orders/").status_code == 401

            provider.stop()

            # Ada's token was seen before, Eve's was not.
            assert service.client.get(placed.headers["Location"], headers=ada).status_code == 200
            assert service.client.get(placed.headers["Location"], headers=eve).status_code == 403
            assert service.client.get("/api/orders/", headers=eve).json() == []


async def test_a_provider_that_comes_back_with_another_key_is_believed_anew() -> None:
    with oidc_provider(ada="orders:read") as provider:
        keys = PublishedKeys(
            discovered_keys(provider.issuer), patience=Patience(pause=timedelta(0))
        )
        verifier = JwtVerifier([Trust(keys, provider.issuer, AUDIENCE)], RealTime())
        old = provider.token("ada")
        assert (await verifier.verify(old)).scopes == {"orders:read"}

        provider.stop()
        assert (await verifier.verify(old)).subject == "ada"

        provider.start()
        new = provider.token("ada")
        assert (await verifier.verify(new)).subject == "ada"
        with pytest.raises(InvalidToken, match="the signature of the token is wrong"):
            await verifier.verify(old)
