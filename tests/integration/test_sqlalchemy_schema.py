"""The schema: migrations and tables agree, and the database refuses what must not be."""

# ruff: noqa: S608 - the statements of a test are its data

import asyncio
from dataclasses import replace
from typing import Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from order_core.errors import StoreUnavailable
from order_core.order import Order
from order_core.payment import Origin, TransactionStatus
from order_core.ports import ReceivedEvent
from order_sqlalchemy import Database, SqlOrders, needs_upgrade, open_database, upgrade
from order_sqlalchemy.database import with_driver
from order_sqlalchemy.schema import metadata
from tests.integration.postgres import PostgresServer
from tests.integration.sqlalchemy_orders import NOON, a_charge, an_order, paid, run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_POSTGRESQL_CATALOG = """
    SELECT 'column', table_name || '.' || column_name,
           concat_ws(' ', data_type, is_nullable, column_default, collation_name)
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass
    UNION SELECT 'index', indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    ORDER BY 1, 2"""


async def _in_database(url: str, work: object) -> object:
    engine = create_async_engine(with_driver(url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)  # type: ignore[arg-type]
    finally:
        await engine.dispose()


async def test_the_migrations_make_what_the_tables_say(empty_database_url: str) -> None:
    await upgrade(empty_database_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))

    assert await _in_database(empty_database_url, differences) == []


async def test_the_migrations_make_the_same_constraints_and_predicates_on_postgresql(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    # Alembic's own comparison sees neither CHECK nor the condition of an index.
    other = postgres_server.create_database()
    await upgrade(postgres_url)
    await _in_database(postgres_server.url(other), metadata.create_all)
    await run_sql(postgres_server.url(other), "CREATE TABLE alembic_version (version_num text)")

    made_by_migrations = await run_sql(postgres_url, _POSTGRESQL_CATALOG)

    assert made_by_migrations == await run_sql(postgres_server.url(other), _POSTGRESQL_CATALOG)
    assert len(made_by_migrations) > 100
    postgres_server.drop_database(other)


async def test_a_new_database_needs_an_upgrade_and_afterwards_none(empty_database_url: str) -> None:
    before = await needs_upgrade(empty_database_url)
    await upgrade(empty_database_url)
    await upgrade(empty_database_url)

    assert (before, await needs_upgrade(empty_database_url)) == (True, False)


async def test_several_processes_may_upgrade_at_once(empty_database_url: str) -> None:
    await asyncio.gather(*(upgrade(empty_database_url) for _ in range(4)))

    assert not await needs_upgrade(empty_database_url)


async def test_an_upgrade_of_an_unreachable_database_says_so() -> None:
    with pytest.raises(StoreUnavailable):
        await upgrade("postgresql://nobody@127.0.0.1:1/nothing")


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("mysql://localhost/orders", "begins with mysql://"),
        ("orders.db", "is not a URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_an_address_of_another_kind_is_refused(url: str, because: str) -> None:
    with pytest.raises(ValueError, match=because):
        open_database(url)


# What no code of ours asks for, and a person with a console may -------------------------


async def _two_paid_orders(database: Database) -> tuple[Order, Order]:
    orders = SqlOrders(database)
    first, second = an_order(), an_order(single_use_fingerprint="f-2")
    for order in (first, second):
        saved = await orders.save(order)
        await orders.save(paid(saved.order))
    await _tokens_issued(database)
    return first, second


async def _tokens_issued(database: Database) -> None:
    """Two clients, a grant of the first, and two signing keys."""
    digest = "d" * 64
    for client in ("client-a", "client-b"):
        await database.store.change(
            "INSERT INTO oauth_clients VALUES ($1, 'orders:read', TRUE, $2, NULL, NULL, 1)",
            client,
            digest,
        )
    await database.store.change(
        "INSERT INTO oauth_grants VALUES "
        "($1, $1, 'client-a', 'c-1', 'orders:read', 0, 1, 2, 3, NULL, NULL)",
        digest,
    )
    for generation, kid in ((1, "kid-1"), (2, "kid-2")):
        await database.store.change(
            "INSERT INTO oauth_signing_keys VALUES ('s', $1, $2, 'pub', 'priv', 1, 2, 3)",
            generation,
            kid,
        )


def _copy_of_a_transaction(**but: str) -> str:
    values = ", ".join(but.get(c.name, c.name) for c in metadata.tables["payment_transactions"].c)
    return (
        f"INSERT INTO payment_transactions SELECT {values} FROM payment_transactions "
        "WHERE order_id = '{second}'"
    )


_ATTEMPTS: Final = (
    ("UPDATE orders SET status = 'lost'", "ck_orders_status"),
    ("UPDATE orders SET currency = 'EURO'", "ck_orders_currency"),
    ("UPDATE orders SET total_minor = 0", "ck_orders_total_positive"),
    ("UPDATE orders SET version = 0", "ck_orders_version"),
    ("UPDATE orders SET event_count = -1", "ck_orders_event_count"),
    ("UPDATE orders SET refunded_minor = -1", "ck_orders_sums_not_negative"),
    (
        "UPDATE orders SET refund_asked_minor = captured_minor + 1",
        "ck_orders_refund_asked_within_captured",
    ),
    ("UPDATE orders SET lease_token = 'forever'", "ck_orders_lease_whole"),
    ("UPDATE orders SET lease_until_us = 1", "ck_orders_lease_whole"),
    ("UPDATE orders SET id = '{first}' WHERE id = '{second}'", "pk_orders"),
    ("UPDATE payment_transactions SET kind = 'gift', position = 1", "ck_payment_transactions_kind"),
    ("UPDATE payment_transactions SET status = 'perhaps'", "ck_payment_transactions_status"),
    (
        "UPDATE payment_transactions SET origin = 'heaven', position = 1",
        "ck_payment_transactions_origin",
    ),
    (
        "UPDATE payment_transactions SET kind = 'refund'",
        "ck_payment_transactions_begins_with_charge",
    ),
    (
        "UPDATE payment_transactions SET origin = 'provider'",
        "ck_payment_transactions_begins_with_charge",
    ),
    (
        "UPDATE payment_transactions SET status = 'unknown', attend_at_us = NULL",
        "ck_payment_transactions_open_attended",
    ),
    (
        "UPDATE payment_transactions SET token = 'pm_card_visa'",
        "ck_payment_transactions_secrets_erased",
    ),
    (
        "UPDATE payment_transactions SET client_secret = 'pi_1_secret'",
        "ck_payment_transactions_secrets_erased",
    ),
    ("UPDATE payment_transactions SET currency = 'E'", "ck_payment_transactions_currency"),
    (
        "UPDATE payment_transactions SET amount_minor = 0",
        "ck_payment_transactions_amount_positive",
    ),
    (
        "UPDATE payment_transactions SET amount_minor = -1, origin = 'provider', position = 1",
        "ck_payment_transactions_amount_positive",
    ),
    ("UPDATE payment_transactions SET position = -1", "ck_payment_transactions_position"),
    ("UPDATE payment_transactions SET step = 0", "ck_payment_transactions_counts"),
    ("UPDATE payment_transactions SET sends = -1", "ck_payment_transactions_counts"),
    ("UPDATE payment_transactions SET id = 't-0'", "uq_payment_transactions_id"),
    (
        "UPDATE payment_transactions SET order_id = 'o-0' WHERE order_id = '{first}'",
        "fk_payment_transactions_order",
    ),
    (
        _copy_of_a_transaction(id="'t-0'", provider_reference="NULL", token="NULL"),
        "pk_payment_transactions",
    ),
    (
        _copy_of_a_transaction(
            id="'t-0'",
            position="1",
            provider_reference="NULL",
            single_use_fingerprint="NULL",
        ),
        "uq_payment_transactions_one_live_charge",
    ),
    (
        "UPDATE payment_transactions SET provider_reference = 'pi_1'",
        "uq_payment_transactions_reference",
    ),
    (
        "UPDATE payment_transactions SET single_use_fingerprint = 'f-1', status = 'voided'",
        "uq_payment_transactions_single_use",
    ),
    (
        "UPDATE order_events SET sequence = 0 WHERE sequence = 1",
        "ck_order_events_sequence",
    ),
    ("UPDATE order_events SET sequence = 7", "pk_order_events"),
    ("UPDATE order_events SET attempts = -1", "ck_order_events_attempts"),
    (
        "UPDATE order_events SET tell_at_us = 1, told_at_us = 1",
        "ck_order_events_told_once",
    ),
    (
        "UPDATE order_events SET order_id = 'o-0' WHERE order_id = '{first}'",
        "fk_order_events_order",
    ),
    (
        "INSERT INTO idempotency_records VALUES ('c-9', 'POST /x', 'k', 'b', 'o-0')",
        "fk_idempotency_records_order",
    ),
    (
        (
            "INSERT INTO idempotency_records VALUES "
            "('c-9', 'POST /x', 'k', 'b', '{first}'), ('c-9', 'POST /x', 'k', 'b2', '{second}')"
        ),
        "pk_idempotency_records",
    ),
    (
        "INSERT INTO order_fingerprints VALUES ('f', '{first}', 1), ('f', '{second}', 2)",
        "pk_order_fingerprints",
    ),
    (
        (
            "INSERT INTO received_events VALUES "
            "('stripe', 'evt_1', 'paid', 1, 'settled', NULL, NULL), "
            "('stripe', 'evt_1', 'failed', 2, 'no_fact', '{first}', NULL)"
        ),
        "pk_received_events",
    ),
    (
        (
            "INSERT INTO received_events VALUES "
            "('stripe', 'evt_1', 'paid', 1, 'settled', 'o-0', NULL)"
        ),
        "fk_received_events_order",
    ),
    (
        "INSERT INTO event_records VALUES ('stripe', 'live', 'a', 1), ('stripe', 'live', 'a', 2)",
        "pk_event_records",
    ),
    ("UPDATE oauth_clients SET id = 'client-c'", "pk_oauth_clients"),
    ("UPDATE oauth_clients SET secret_digest = 'plain'", "ck_oauth_clients_digest"),
    ("UPDATE oauth_clients SET old_secret_until_us = 1", "ck_oauth_clients_old_secret_whole"),
    (
        (
            "INSERT INTO oauth_grants SELECT family_digest, token_digest, 'client-b', subject, "
            "scope, 0, 1, 2, 3, NULL, NULL FROM oauth_grants"
        ),
        "pk_oauth_grants",
    ),
    ("UPDATE oauth_grants SET client_id = 'client-c'", "fk_oauth_grants_client"),
    ("UPDATE oauth_grants SET token_digest = 'plain'", "ck_oauth_grants_digests"),
    ("UPDATE oauth_grants SET rotations = -1", "ck_oauth_grants_rotations"),
    ("UPDATE oauth_grants SET idle_until_us = ends_at_us + 1", "ck_oauth_grants_times"),
    ("UPDATE oauth_grants SET revoked_because = 'reuse'", "ck_oauth_grants_revoked_whole"),
    ("UPDATE oauth_signing_keys SET generation = 3", "pk_oauth_signing_keys"),
    ("UPDATE oauth_signing_keys SET kid = 'kid-3'", "uq_oauth_signing_keys_kid"),
    (
        "UPDATE oauth_signing_keys SET generation = 0 WHERE kid = 'kid-1'",
        "ck_oauth_signing_keys_generation",
    ),
    ("UPDATE oauth_signing_keys SET signs_until_us = 0", "ck_oauth_signing_keys_times"),
)
"""A statement that breaks each rule of the schema, and the rule that refuses it."""


def test_somebody_tries_to_break_every_rule_of_the_schema() -> None:
    rules = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
    } | {
        str(index.name)
        for table in metadata.tables.values()
        for index in table.indexes
        if index.unique
    }

    assert rules == {constraint for _, constraint in _ATTEMPTS}


@pytest.mark.parametrize(("statement", "constraint"), _ATTEMPTS)
async def test_the_database_itself_refuses(
    database: Database, database_url: str, statement: str, constraint: str
) -> None:
    first, second = await _two_paid_orders(database)
    ids = {"first": first.id, "second": second.id}

    with pytest.raises(IntegrityError) as refused:
        await run_sql(database_url, "PRAGMA foreign_keys = ON", statement.format(**ids)) if (
            database_url.startswith("sqlite")
        ) else await run_sql(database_url, statement.format(**ids))

    if database_url.startswith("postgresql"):
        assert f'constraint "{constraint}"' in str(refused.value.orig)
    elif constraint.startswith("ck_"):
        assert str(refused.value.orig) == f"CHECK constraint failed: {constraint}"


async def test_an_event_of_an_order_that_is_not_there_is_no_silent_success(
    database: Database,
) -> None:
    orders = SqlOrders(database)
    await orders.save(an_order())
    stray = ReceivedEvent("stripe", "evt_1", "paid", NOON, "unknown_transaction", "o-0")

    with pytest.raises(StoreUnavailable):
        await orders.receive(stray)

    assert await orders.receive(replace(stray, order_id=None))


async def test_a_dead_charge_and_its_late_success_share_their_reference(
    database: Database,
) -> None:
    orders = SqlOrders(database)
    saved = (await orders.save(an_order())).order
    dead = saved.charge.finished(TransactionStatus.DECLINED, reference="pi_late", reason="no")
    late = a_charge(
        saved.id,
        origin=Origin.PROVIDER,
        status=TransactionStatus.SUCCEEDED,
        provider_reference="pi_late",
    )

    kept = (await orders.save(saved.with_transaction(dead).with_transaction(late))).order

    assert [t.provider_reference for t in (await orders.get(kept.id)).transactions] == [
        "pi_late",
        "pi_late",
    ]


async def test_a_declined_charge_makes_room_for_the_next_in_the_same_save(
    database: Database,
) -> None:
    orders = SqlOrders(database)
    saved = (await orders.save(an_order(single_use_fingerprint="tok_1"))).order
    declined = saved.charge.finished(TransactionStatus.DECLINED, reason="no")
    second = replace(a_charge(saved.id), single_use_fingerprint="tok_1")

    await orders.save(saved.with_transaction(declined).with_transaction(second))

    assert (await orders.get(saved.id)).transactions == (declined, second)


async def test_a_broken_rule_without_a_domain_error_is_no_silent_success(
    database: Database,
) -> None:
    orders = SqlOrders(database)
    saved = (await orders.save(an_order())).order
    second = a_charge(saved.id)

    with pytest.raises(StoreUnavailable, match="stored nothing"):
        await orders.save(saved.with_transaction(second))

    assert await orders.get(saved.id) == saved
