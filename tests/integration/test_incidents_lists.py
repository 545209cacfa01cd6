"""Incidents of speed: what a page of a list costs among very many orders."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from order_core.ports import OrderQuery
from order_sqlalchemy import Database
from order_sqlalchemy.mapping import moment_us
from tests.integration.sqlalchemy_orders import NOON, opened, run_sql

_ORDERS = 40_000
_FILL = f"""
    INSERT INTO orders
    SELECT 'o-' || n, 'c-' || n % 200, 'pending', 'EUR', 100, '[]', '""', NULL,
           {moment_us(NOON)} - n * 1000000::bigint, 1, 0, 100, 0, 0
    FROM generate_series(1, {_ORDERS}) AS n"""  # noqa: S608 - the statements of a test are its data


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with opened(postgres_url) as database:
        await run_sql(postgres_url, _FILL, "ANALYZE orders")
        yield database


def rows_read(plan: Any, table: str) -> int:
    """How many rows of the table this plan really touched."""
    if isinstance(plan, list):
        return sum(rows_read(part, table) for part in plan)
    if not isinstance(plan, dict):
        return 0
    own = 0
    if plan.get("Relation Name") == table:
        per_loop = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        own = round(per_loop * plan["Actual Loops"])
    return own + sum(rows_read(part, table) for part in plan.values())


# medusajs/medusa #6607, Sylius/Sylius #19029, openlinker-project/openlinker #2927
@pytest.mark.parametrize("shown", [False, True], ids=["whole", "shown"])
@pytest.mark.parametrize(
    "query",
    [
        OrderQuery("c-7"),
        OrderQuery("c-7", before=(NOON - timedelta(hours=3), "o-1")),
        OrderQuery(None),
        OrderQuery(None, before=(NOON - timedelta(hours=3), "o-1")),
        OrderQuery(None, limit=100, before=(NOON - timedelta(hours=9), "o-1")),
    ],
    ids=["first of one", "next of one", "first of all", "next of all", "a long one, deep"],
)
async def test_incident_53_a_page_reads_its_own_orders_and_one_more_and_counts_nothing(
    database: Database, query: OrderQuery, shown: bool
) -> None:
    statements = database.store.statements
    statement, arguments = statements.view_page(query, "1") if shown else statements.page(query)
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    [(plan,)] = await database.store.rows(explain, *arguments)

    assert rows_read(json.loads(plan), "orders") <= query.limit + 1
    assert "count(" not in statement.lower()
