"""What the metrics show of the database."""

from datetime import UTC, datetime, timedelta

from order_core.events import LatePaymentReceived
from order_core.payment import TransactionStatus
from order_sqlalchemy import Database, Figures, SqlOrders, SqlOutbox
from tests.integration.sqlalchemy_orders import a_charge, an_order, paid

pytest_plugins = ["tests.integration.sqlalchemy_database"]


async def test_an_empty_database_has_nothing_unfinished(database: Database) -> None:
    assert await database.figures() == Figures(0, 0.0, 0, 0, 0)


async def test_the_figures_count_what_is_unfinished(database: Database) -> None:
    orders = SqlOrders(database)
    now = datetime.now(UTC)
    old = an_order(recorded_at=now - timedelta(hours=1), status=TransactionStatus.UNKNOWN)
    await orders.save(old)
    await orders.save(an_order(recorded_at=now - timedelta(minutes=1)))
    finished = (await orders.save(paid(an_order()))).order
    late = LatePaymentReceived(finished.charge.id, "25.00 EUR")
    await orders.save(finished.with_news(late, now))
    await orders.save(paid(an_order(email=None)))

    figures = await database.figures()

    assert (figures.open_charges, figures.unknown_outcomes) == (2, 1)
    assert 3600 <= figures.oldest_open_charge_seconds < 3660
    assert (figures.late_money, figures.notices_waiting) == (1, 1)


async def test_a_told_notice_waits_no_more(database: Database) -> None:
    await SqlOrders(database).save(paid(an_order()))
    outbox = SqlOutbox(database)
    [notice] = await outbox.claim_notices(limit=5, hold=timedelta(minutes=1))

    await outbox.told(notice)

    assert (await database.figures()).notices_waiting == 0


async def test_a_slow_worker_does_not_revive_a_notice_that_was_told(database: Database) -> None:
    await SqlOrders(database).save(paid(an_order()))
    outbox = SqlOutbox(database)
    [notice] = await outbox.claim_notices(limit=5, hold=timedelta(0))
    await outbox.told(notice)

    await outbox.tell_later(notice, delay=timedelta(0))

    assert await outbox.claim_notices(limit=5, hold=timedelta(0)) == ()


async def test_a_transaction_keeps_its_place_whatever_its_time(database: Database) -> None:
    orders = SqlOrders(database)
    first = (await orders.save(an_order())).order
    declined = first.charge.finished(TransactionStatus.DECLINED, reason="no")
    earlier = a_charge(first.id, recorded_at=first.created_at - timedelta(days=1))
    both = first.with_transaction(declined).with_transaction(earlier)

    await orders.save(both)

    assert (await orders.get(first.id)).transactions == (declined, earlier)


async def test_the_databases_clock_is_that_of_this_machine(database: Database) -> None:
    before = datetime.now(UTC)
    theirs = await database.now()

    assert before - timedelta(seconds=1) < theirs < datetime.now(UTC) + timedelta(seconds=1)
