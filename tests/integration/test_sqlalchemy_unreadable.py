"""One row that cannot be read stops nothing that is done for the others."""

# ruff: noqa: S608 - the statements of a test are its data

import logging
from datetime import UTC, datetime, timedelta

import pytest

from order_core.money import Money
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact, ReceivedEvent
from order_memory.contracts import samples
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue
from order_sqlalchemy.audit import SqlOrderAudit
from tests.integration.sqlalchemy_orders import run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]

MINUTE = timedelta(minutes=1)


def two_days_ago() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


async def test_an_order_that_cannot_be_read_keeps_no_other_from_the_worker(
    database: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    orders, work = SqlOrders(database), SqlWorkQueue(database)
    saved = [
        (await orders.save(samples.an_order(two_days_ago() + number * MINUTE))).order
        for number in range(3)
    ]
    broken, *sound = [order.id for order in saved]
    await run_sql(database_url, f"UPDATE orders SET items = '[[1]]' WHERE id = '{broken}'")

    with caplog.at_level(logging.ERROR):
        first = await work.claim(limit=2, hold=MINUTE, tokens=("t1", "t2"))
        second = await work.claim(limit=2, hold=MINUTE, tokens=("t3", "t4"))

    assert [claim.order.id for claim in (*first, *second)] == sound
    assert broken in caplog.text
    assert [order.id for order in await orders.unfinished(limit=9)] == sound
    audited = await SqlOrderAudit(database).orders(after="", limit=9, told_by=two_days_ago())
    assert [each.order_id for each in audited if each.evidence is None] == [broken]


async def test_a_message_of_an_order_that_cannot_be_read_keeps_no_other_waiting(
    database: Database, database_url: str
) -> None:
    orders, outbox = SqlOrders(database), SqlOutbox(database)
    saved = [
        (await orders.save(samples.a_placed_order(two_days_ago() + number * MINUTE))).order
        for number in range(2)
    ]
    await run_sql(database_url, f"UPDATE orders SET currency = 'E_R' WHERE id = '{saved[0].id}'")

    claimed = await outbox.claim_notices(limit=9, hold=MINUTE)

    assert [notice.order.id for notice in claimed] == [saved[1].id]


@pytest.mark.parametrize("facts", ['[{"kind": "barter"}]', "[7]", "{}", '"x"'])
async def test_an_event_whose_facts_cannot_be_read_waits_for_a_person_and_the_others_go_on(
    database: Database, database_url: str, facts: str
) -> None:
    orders = SqlOrders(database)
    fact = ProviderFact(
        TransactionKind.REFUND, Succeeded("re-1", Money(1, "EUR"), ""), "re-1", parent_reference="p"
    )
    at = two_days_ago()
    for number in range(3):
        name, moment = f"e-{number}", at + number * MINUTE
        event = ReceivedEvent("p", name, "refund", moment, "unknown_transaction", facts=(fact,))
        await orders.receive(event)
    await run_sql(
        database_url, f"UPDATE received_events SET facts = '{facts}' WHERE event_id = 'e-1'"
    )

    to_match = await orders.events_to_match(after=(at - MINUTE, "", ""), limit=9)

    assert [(event.event_id, event.facts) for event in to_match] == [
        ("e-0", (fact,)),
        ("e-1", ()),
        ("e-2", (fact,)),
    ]
    waiting = await orders.unmatched_events(limit=9)
    assert [event.event_id for event in waiting] == ["e-2", "e-1", "e-0"]


async def test_what_a_later_version_says_of_an_event_besides_hides_nothing_of_it(
    database: Database, database_url: str
) -> None:
    orders = SqlOrders(database)
    order = (await orders.save(samples.a_placed_order(two_days_ago()))).order
    before = await orders.history(order.id)
    longer = "SET data = json_set(data, '$.weather', 'fair')"
    if database_url.startswith("postgresql"):
        longer = """SET data = (data::jsonb || '{"weather": "fair"}'::jsonb)::json"""

    await run_sql(database_url, f"UPDATE order_events {longer}")

    assert await orders.history(order.id) == before
