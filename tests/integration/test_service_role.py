"""The service does its whole work as a role that may neither make tables nor rewrite history."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from order_sqlalchemy import rights
from order_sqlalchemy.schema import metadata
from tests.integration.postgres import PostgresServer
from tests.integration.service_process import ServiceProcess, an_order, run_command

_ROLE = 'the "service"'


_QUOTED = '"the ""service"""'
_REFUSED = (
    "CREATE TABLE mine (id int)",
    "DROP TABLE orders",
    "ALTER TABLE orders DROP CONSTRAINT ck_orders_status",
    "TRUNCATE order_events",
    "DELETE FROM orders",
    "DELETE FROM payment_transactions",
    "DELETE FROM order_events",
    "DELETE FROM idempotency_records",
    "UPDATE idempotency_records SET order_id = 'mine'",
    "UPDATE order_events SET name = 'order_placed'",
    "UPDATE order_events SET data = '{}'",
    "UPDATE received_events SET facts = NULL",
    "DELETE FROM event_records",
    "UPDATE oauth_clients SET scope = 'orders:manage'",
    "INSERT INTO oauth_clients (id) VALUES ('mine')",
    "UPDATE alembic_version SET version_num = '0001'",
)


@pytest.fixture
def role_url(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The migrated database, for a role that was granted what `migrate --grants` prints."""
    name = postgres_url.rpartition("/")[2]
    assert run_command("migrate", DATABASE_URL=postgres_url).returncode == 0
    printed = run_command("migrate", "--grants", _ROLE)
    assert printed.returncode == 0, printed.stderr
    postgres_server.execute(f"CREATE ROLE {_QUOTED} LOGIN")
    postgres_server.execute(printed.stdout, database=name)
    try:
        yield postgres_url.replace("//postgres@", "//the%20%22service%22@")
    finally:
        postgres_server.execute(f"DROP OWNED BY {_QUOTED}", database=name)
        postgres_server.execute(f"DROP ROLE {_QUOTED}")


def test_the_whole_story_of_orders_passes_as_a_role_that_can_do_nothing_else(
    tmp_path: Path, role_url: str, postgres_url: str, postgres_server: PostgresServer
) -> None:
    issuer: dict[str, Any] = {"OAUTH": "1", "OAUTH_KEY_SECRET": "k" * 32}
    added = run_command(
        "client", "add", "till", "--scope", "orders:read", DATABASE_URL=postgres_url, **issuer
    )
    secret = _secret_in(added)
    with ServiceProcess(tmp_path, DATABASE_URL=role_url, **issuer) as service:
        placed = service.place(an_order())
        order_id = placed.json()["order_id"]
        repeated = service.place(an_order(), key="the-key")
        again = service.place(an_order(), key="the-key")
        service.client.post(f"/api/orders/{order_id}/cancel")
        service.wait_for_status(order_id, "cancelled", payment="refunded")
        declined = service.place(an_order("declined"))
        unclear = service.place(an_order("unknown_after_charge"))
        assert unclear.status_code == 202, unclear.text + service.log.read_text()
        service.wait_for_status(unclear.json()["order_id"], "pending", payment="paid")
        history = service.client.get(f"/api/orders/{order_id}/history")
        token = httpx.post(
            f"{service.client.base_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("client-till", secret),
        )
        service.wait_for_mails(3)
        log = service.log.read_text()

    assert (placed.status_code, declined.status_code, unclear.status_code) == (201, 402, 202)
    assert repeated.json()["order_id"] == again.json()["order_id"]
    assert history.status_code == 200
    assert token.status_code == 200, token.text
    assert "permission denied" not in log
    database = postgres_url.rpartition("/")[2]
    refusals = {each: _refusal(postgres_server, database, each) for each in _REFUSED}
    assert not {
        statement: refusal
        for statement, refusal in refusals.items()
        if not ("permission denied" in refusal or "must be owner" in refusal)
    }


def _secret_in(added: subprocess.CompletedProcess[str]) -> str:
    assert added.returncode == 0, added.stderr
    return added.stdout.partition("client_secret=")[2].strip()


def _refusal(server: PostgresServer, database: str, statement: str) -> str:
    with pytest.raises(RuntimeError) as refused:
        server.execute(f"SET ROLE {_QUOTED}; {statement}", database=database)
    return str(refused.value)


def test_every_table_has_its_rights() -> None:
    assert set(rights.SERVING) == set(metadata.tables) | {"alembic_version"}
