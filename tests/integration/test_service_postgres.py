"""The service on a real PostgreSQL."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

from tests.integration.postgres import PostgresServer
from tests.integration.service_process import (
    SECRET,
    ServiceProcess,
    an_order,
    run_command,
    unused_port,
)


def test_serving_an_empty_server_asks_for_the_migration_and_works_after_it(
    tmp_path: Path, postgres_url: str
) -> None:
    plain_url = postgres_url.replace("+asyncpg", "")
    settings = {
        "DATABASE_URL": plain_url,
        "JWT_SECRET": SECRET,
        "PRICES": "trust",
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(tmp_path / "ledger.sqlite3"),
        "PORT": str(unused_port()),
    }

    refused = run_command("serve", **settings)
    checked = run_command("check", **settings)
    migrated = run_command("migrate", DATABASE_URL=plain_url)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        "order-core serve: the database does not have the schema of this version. "
        "Bring it there with: order-core migrate"
    )
    assert "run: order-core migrate" in checked.stderr
    assert migrated.returncode == 0
    with ServiceProcess(tmp_path, DATABASE_URL=plain_url) as service:
        order_id = service.place(an_order()).json()["order_id"]
        assert service.client.post(f"/api/orders/{order_id}/cancel").status_code == 200
        service.wait_for_status(order_id, "cancelled", payment="refunded")
        assert service.stop() == 0


def test_a_service_outlives_a_restart_of_its_database(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    assert run_command("migrate", DATABASE_URL=postgres_url).returncode == 0
    with ServiceProcess(tmp_path, DATABASE_URL=postgres_url) as service:
        assert service.place(an_order()).status_code == 201

        postgres_server.kill()
        away = service.place(an_order())
        postgres_server.start()

        assert away.status_code == 503
        order = service.place(an_order()).json()
        service.wait_for_status(order["order_id"], "pending", payment="paid")
        service.wait_for_mails(2)
        assert service.process is not None
        assert service.process.poll() is None


def test_the_service_holds_no_more_connections_than_it_is_told(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    assert run_command("migrate", DATABASE_URL=postgres_url).returncode == 0
    with (
        ServiceProcess(tmp_path, DATABASE_URL=postgres_url, DATABASE_CONNECTIONS="4") as service,
        ThreadPoolExecutor(16) as clients,
    ):
        order_id = service.place(an_order()).json()["order_id"]
        path = f"/api/orders/{order_id}"
        read = list(clients.map(lambda _: service.client.get(path).status_code, range(320)))
        database = postgres_url.rpartition("/")[2]
        held = postgres_server.execute(
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608 - a name of ours
        )

    assert set(read) == {200}
    assert int(held) <= 4


async def test_an_operator_sees_that_orders_that_were_saved_together_were_refused(
    tmp_path: Path, postgres_url: str
) -> None:
    assert run_command("migrate", DATABASE_URL=postgres_url).returncode == 0
    with (
        ServiceProcess(tmp_path, DATABASE_URL=postgres_url, DATABASE_CONNECTIONS="4") as service,
        ThreadPoolExecutor(12) as clients,
    ):
        console = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
        async with console.transaction():
            await console.execute("LOCK TABLE orders IN SHARE MODE")
            placing = [clients.submit(service.place, an_order(), key="one") for _ in range(12)]
            await _all_turns_are_taken(console)
        placed = [each.result() for each in placing]
        await console.close()
        shown = service.client.get("/metrics").text
        service.stop()

    assert len({answer.json()["order_id"] for answer in placed}) == 1
    [refused] = re.findall(r"^order_core_companies_refused_total (\d+)", shown, re.MULTILINE)
    assert int(refused) == service.log.read_text().count("saves was refused") > 0


async def _all_turns_are_taken(console: "asyncpg.Connection[Any]") -> None:
    deadline = time.monotonic() + 10
    while await console.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 3:
        assert time.monotonic() < deadline, "nobody goes beside the first one"
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
