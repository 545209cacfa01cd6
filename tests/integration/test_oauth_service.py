"""The issuer in the real program: its commands, its service, and a kill in between."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import pytest

from order_cli.main import main
from tests.integration.oauth_issuer import CUSTOMER_ID, EXCHANGE
from tests.integration.service_process import ServiceProcess, an_order, environment
from tests.integration.test_cli_demo import playing

KEY_SECRET: Final = "what-wraps-the-signing-keys-of-this-test"


class Shop(ServiceProcess):
    """Believes the tokens of its own issuer alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, OAUTH="1", OAUTH_KEY_SECRET=KEY_SECRET, JWT_SECRET="")

    def order_core(self, *arguments: str) -> int:
        """In this process: to start another one takes longer than all that it does."""
        with pytest.MonkeyPatch.context() as patch:
            for name, text in environment(**self.settings).items():
                patch.setenv(name, text)
            return main(arguments)

    def add(self, capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
        assert self.order_core("client", "add", *arguments) == 0
        printed = capture.readouterr().out
        found = re.fullmatch(r"client_id=(\S+)\nclient_secret=(ocs_\S{43})\n", printed)
        assert found is not None, printed
        return found[1], found[2]

    def ask(self, client: tuple[str, str], **form: str) -> httpx.Response:
        return httpx.post(
            f"http://127.0.0.1:{self.port}/oauth/token", data=form, auth=client, timeout=15
        )

    def orders(self, token: str) -> httpx.Response:
        return self.client.get("/api/orders/", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_client_is_added_while_the_service_runs_and_what_it_has_outlives_a_kill(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    with shop:
        backend = shop.add(
            capsys, "backend", "--scope", "orders:read orders:write", "--may-act-for-customers"
        )
        first: dict[str, Any] = shop.ask(
            backend, grant_type=EXCHANGE, subject_token="ada", subject_token_type=CUSTOMER_ID
        ).json()
        bearer = {"Authorization": f"Bearer {first['access_token']}"}
        placed = shop.client.post("/api/orders/create", json=an_order(), headers=bearer)
        assert placed.status_code == 201
        second = shop.ask(
            backend, grant_type="refresh_token", refresh_token=first["refresh_token"]
        ).json()

        shop.kill()
        shop.start()

        assert [order["order_id"] for order in shop.orders(first["access_token"]).json()] == [
            placed.json()["order_id"]
        ]
        third = shop.ask(backend, grant_type="refresh_token", refresh_token=second["refresh_token"])
        assert third.status_code == 200
        assert shop.orders(third.json()["access_token"]).status_code == 200
        stolen = shop.ask(backend, grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert stolen.json()["error"] == "invalid_grant"
        key = jwt.PyJWKSet.from_dict(shop.client.get("/oauth/jwks").json())
        assert len(key.keys) == 1, "the kill made no second key"
        assert shop.order_core("client", "remove", "backend") == 0
        assert capsys.readouterr().out == "client-backend is removed.\n"
        assert shop.ask(backend, grant_type="client_credentials").status_code == 401
    log = shop.log.read_text()
    for secret in (backend[1], first["access_token"], first["refresh_token"], KEY_SECRET):
        assert secret not in log
    assert "Traceback" not in log


def test_clients_are_listed_rotated_and_refused_as_one_would_expect(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    client_id, secret = shop.add(capsys, "report", "--scope", "orders:read")
    assert client_id == "client-report"

    assert shop.order_core("client", "list") == 0
    listed = capsys.readouterr().out
    assert re.fullmatch(r"client-report  \d{4}-\d\d-\d\d  orders:read\n", listed)
    assert shop.order_core("client", "rotate", "client-report", "--overlap", "60") == 0
    assert secret not in capsys.readouterr().out
    for arguments, because in (
        (("add", "report", "--scope", "orders:read"), "there is a client client-report already"),
        (("add", "other", "--scope", "orders:everything"), "the scope must be some of"),
        (("add", "No Name", "--scope", "orders:read"), "small letters"),
        (("remove", "nobody"), "there is no client client-nobody"),
    ):
        assert shop.order_core("client", *arguments) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert because in printed.err


def test_the_demo_prints_lines_that_bring_tokens(tmp_path: Path) -> None:
    with playing(tmp_path) as demo:
        demo.wait_for(r"^E-mails to the customer appear below\.$")
        lines = re.findall(
            r"^curl -u (\S+) (\S+) \\\n((?:  -d .*\n)+)", demo.output.read_text(), re.MULTILINE
        )

        assert len(lines) == 2
        for credentials, address, given in lines:
            name, _, secret = credentials.partition(":")
            words = shlex.split(given.replace("\\\n", ""))
            form = dict(word.split("=", 1) for word in words if word != "-d")
            tokens = httpx.post(address, data=form, auth=(name, secret), timeout=15).json()
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            orders = httpx.get(
                address.replace("/oauth/token", "/api/orders/"), headers=bearer, timeout=15
            )
            assert (orders.status_code, orders.json()) == (200, [])
