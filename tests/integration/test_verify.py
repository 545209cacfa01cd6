"""`order-core verify` finds what was done to a real database, and nothing in a sound one."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from order_core.errors import StoreUnavailable
from order_core.invariants import INVARIANTS
from order_core.use_cases import VerifyOrders
from order_core.use_cases.verify_orders import SEEN_ACROSS, SEEN_PROMISES, UNSEEN, Finding
from order_memory.contracts.views import VIEW
from order_sqlalchemy import SqlOrderAudit, open_database
from order_sqlalchemy.schema import metadata
from order_system import SystemClock
from tests.integration.postgres import PostgresServer
from tests.integration.service_process import environment, run_command
from tests.integration.sqlalchemy_orders import run_sql
from tests.integration.verify_damage import DAMAGES, fill, without_any_rule

pytest_plugins = ["tests.integration.sqlalchemy_database"]


async def _found(url: str, *, page_size: int = 3) -> list[Finding]:
    database = open_database(url, pool_size=1, read_only=True)
    try:
        verify = VerifyOrders(
            SqlOrderAudit(database, view=VIEW), SystemClock(), page_size=page_size, view=VIEW
        )
        return [finding async for page in verify() for finding in page.findings]
    finally:
        await database.close()


def test_there_is_damage_for_every_invariant_that_stored_data_can_break() -> None:
    visible = {i.name for i in INVARIANTS} - UNSEEN
    visible |= {i.name for i in SEEN_ACROSS} | {p.name for p in SEEN_PROMISES}

    assert set().union(*(damage.breaks for damage in DAMAGES.values())) == visible
    assert {i.name for i in INVARIANTS} > UNSEEN


async def test_every_planted_damage_is_found_where_it_was_planted_and_nowhere_else(
    empty_database_url: str,
) -> None:
    # Two orders for each damage: its own, and a neighbour that some damages need.
    ids = iter(await fill(empty_database_url, placed=2 * len(DAMAGES)))
    before = await _found(empty_database_url)
    await without_any_rule(empty_database_url)
    expected = set()
    statements = []
    for damage in DAMAGES.values():
        where = {"id": next(ids), "neighbour": next(ids)}
        for statement in damage.statements:
            for name, order_id in where.items():
                statement = statement.replace(f"{{{name}}}", order_id)  # noqa: PLW2901
            statements.append(statement)
        of = damage.reported_of.replace("{id}", where["id"])
        expected |= {(name, of) for name in damage.breaks}
    await run_sql(empty_database_url, *statements)

    after = await _found(empty_database_url)

    assert before == []
    assert {(finding.invariant, finding.order_id) for finding in after} == expected


# Only reading -----------------------------------------------------------------------------------


async def test_a_database_opened_for_reading_refuses_every_change(database_url: str) -> None:
    await fill(database_url, placed=1)
    database = open_database(database_url, read_only=True)
    try:
        with pytest.raises(StoreUnavailable, match=r"read-only|readonly"):
            await database.store.change("UPDATE orders SET email = 'mallory@example.org'")
    finally:
        await database.close()

    assert await run_sql(database_url, "SELECT 1 FROM orders WHERE email LIKE 'mallory%'") == []


@pytest.fixture
def reader_url(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The address of the database for a role that may only SELECT."""
    postgres_server.execute("CREATE ROLE auditor LOGIN")
    yield postgres_url.replace("postgres@", "auditor@")
    postgres_server.execute("DROP OWNED BY auditor", database=postgres_url.rsplit("/", 1)[1])
    postgres_server.execute("DROP ROLE auditor")


async def test_a_role_that_may_only_select_is_enough(
    postgres_server: PostgresServer, postgres_url: str, reader_url: str
) -> None:
    ids = await fill(postgres_url, placed=2)
    grant = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor"
    postgres_server.execute(grant, database=postgres_url.rsplit("/", 1)[1])
    sound = await asyncio.to_thread(run_command, "verify", "--json", DATABASE_URL=reader_url)
    await run_sql(postgres_url, f"UPDATE orders SET captured_minor = 1 WHERE id = '{ids[1]}'")  # noqa: S608

    broken = await asyncio.to_thread(run_command, "verify", "--json", DATABASE_URL=reader_url)

    assert (sound.returncode, sound.stderr, broken.returncode) == (0, "", 1)
    assert json.loads(sound.stdout)["orders"]["checked"] == 5
    assert [(f["invariant"], f["order_id"]) for f in json.loads(broken.stdout)["shown"]] == [
        ("totals_follow", ids[1])
    ]


async def test_a_role_that_may_not_select_ends_with_2(postgres_url: str, reader_url: str) -> None:
    await fill(postgres_url, placed=1)

    refused = await asyncio.to_thread(run_command, "verify", DATABASE_URL=reader_url)

    assert refused.returncode == 2
    assert "permission denied" in refused.stderr


# The command ------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'it is 100% #1?.db'}".replace("?", "")


async def test_a_sound_database_ends_with_0_and_a_summary(sqlite_url: str) -> None:
    await fill(sqlite_url, placed=4)

    finished = await asyncio.to_thread(run_command, "verify", DATABASE_URL=sqlite_url)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("7 orders and ")
    assert "\n1 orders are in flight, 0 of them overdue.\n" in finished.stdout
    assert finished.stdout.endswith("\nNothing contradicts the invariants.\n")


async def test_violations_are_all_counted_and_the_first_are_printed(sqlite_url: str) -> None:
    ids = await fill(sqlite_url, placed=6)
    await run_sql(sqlite_url, "UPDATE orders SET refunded_minor = 7 WHERE captured_minor > 0")

    limited = await asyncio.to_thread(
        run_command, "verify", "--limit-violations", "2", DATABASE_URL=sqlite_url
    )
    as_json = await asyncio.to_thread(
        run_command, "verify", "--limit-violations", "2", "--json", DATABASE_URL=sqlite_url
    )

    assert (limited.returncode, as_json.returncode) == (1, 1)
    assert "totals_follow        7  The stored totals are" in limited.stdout
    assert limited.stdout.count("refunded_minor_units is stored as 7") == 2
    assert limited.stdout.endswith("\n... and 5 more; see --limit-violations.\n")
    document = json.loads(as_json.stdout)
    assert (document["complete"], document["violations"]) == (True, 7)
    assert document["by_invariant"]["totals_follow"] == 7
    assert [shown["order_id"] for shown in document["shown"]] == ids[:2]


async def test_an_order_that_nobody_looks_after_is_overdue_and_no_violation(
    sqlite_url: str,
) -> None:
    await fill(sqlite_url, placed=1)
    long_ago = "attend_at_us = 1700000000000000 WHERE attend_at_us IS NOT NULL"
    await run_sql(
        sqlite_url,
        f"UPDATE orders SET {long_ago}",  # noqa: S608
        f"UPDATE payment_transactions SET {long_ago}",  # noqa: S608
    )

    finished = await asyncio.to_thread(run_command, "verify", DATABASE_URL=sqlite_url)

    assert finished.returncode == 0
    assert "1 orders are in flight, 1 of them overdue." in finished.stdout
    assert "Does a worker run?" in finished.stdout


def test_a_file_that_is_not_there_ends_with_2_and_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"

    finished = run_command("verify", DATABASE_URL=f"sqlite:///{file}")

    assert finished.returncode == 2
    assert "the database cannot be read" in finished.stderr
    assert not file.exists()


async def test_another_schema_ends_with_2(sqlite_url: str) -> None:
    await fill(sqlite_url, placed=1)
    await run_sql(sqlite_url, "UPDATE alembic_version SET version_num = '0001'")

    finished = await asyncio.to_thread(run_command, "verify", "--json", DATABASE_URL=sqlite_url)

    assert finished.returncode == 2
    assert "does not have the schema of this version" in finished.stderr
    assert json.loads(finished.stdout)["complete"] is False


async def test_what_was_found_before_the_database_broke_off_is_printed(sqlite_url: str) -> None:
    await fill(sqlite_url, placed=1)
    await run_sql(sqlite_url, "UPDATE orders SET refunded_minor = 7", "DROP TABLE received_events")

    finished = await asyncio.to_thread(run_command, "verify", DATABASE_URL=sqlite_url)

    assert finished.returncode == 1
    assert "and the rest could not be." in finished.stdout
    assert "refunded_minor_units is stored as 7" in finished.stdout
    assert "could not be read to the end" in finished.stderr


# Many orders ------------------------------------------------------------------------------------


async def _multiply(url: str, order_id: str, *, first: int, last: int) -> None:
    """Copies of the order, as rows: saving them one by one would take a minute."""
    numbers = (
        f"WITH RECURSIVE copies(n) AS (SELECT {first} UNION ALL "  # noqa: S608
        f"SELECT n + 1 FROM copies WHERE n < {last}) "
    )
    copy = "'copy-' || CAST(n AS TEXT)"
    own = {
        "orders": {"id": copy},
        "payment_transactions": {"id": copy, "order_id": copy, "provider_reference": copy},
        "order_events": {"order_id": copy},
    }
    for table, changed in own.items():
        columns = metadata.tables[table].columns
        values = ", ".join(changed.get(column.name, column.name) for column in columns)
        key = "id" if table == "orders" else "order_id"
        names = ", ".join(column.name for column in columns)
        await run_sql(
            url,
            f"INSERT INTO {table} ({names}) {numbers}"  # noqa: S608
            f"SELECT {values} FROM {table}, copies WHERE {key} = '{order_id}'",
        )


_VERIFY_AND_WEIGH = """
import resource, sys
from order_cli.main import main
code = main(["verify", "--json"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


def _weighed(url: str) -> tuple[int, int]:
    """How many orders a process checked, and the most memory that it had, in MiB."""
    finished = subprocess.run(
        [sys.executable, "-c", _VERIFY_AND_WEIGH],
        env=environment(DATABASE_URL=url),
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return json.loads(finished.stdout)["orders"]["checked"], int(finished.stderr.split()[-1])


@pytest.mark.timeout(120)
async def test_ten_times_the_orders_take_no_more_memory(database_url: str) -> None:
    (order_id,) = await fill(database_url, placed=1)
    await _multiply(database_url, order_id, first=10_001, last=10_800)
    few, mib_for_few = await asyncio.to_thread(_weighed, database_url)
    await _multiply(database_url, order_id, first=10_801, last=18_000)

    many, mib_for_many = await asyncio.to_thread(_weighed, database_url)

    assert (few, many) == (804, 8_004)
    # Kept, 7,200 more orders would take about 80 MiB.
    assert mib_for_many - mib_for_few < 20
