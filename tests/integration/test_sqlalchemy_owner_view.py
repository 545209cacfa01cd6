"""The text that is kept of an order is believed only while it is of the order as it is now."""

from dataclasses import replace

import pytest

from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus
from order_core.ports import OrderQuery
from order_memory.contracts.views import OTHER_VIEW, VIEW
from order_sqlalchemy import Database, SqlCustomerData, SqlOrders
from tests.integration.sqlalchemy_orders import an_order, paid, run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]


async def _placed(database: Database) -> Order:
    orders = SqlOrders(database, view=VIEW)
    return (await orders.save(paid((await orders.save(an_order())).order))).order


async def _text(database_url: str, order: Order) -> str | None:
    [(text,)] = await run_sql(
        database_url,
        f"SELECT owner_view FROM orders WHERE id = '{order.id}'",  # noqa: S608
    )
    return text if text is None else str(text)


async def test_the_kept_text_is_what_is_shown(database: Database, database_url: str) -> None:
    order = await _placed(database)
    assert await _text(database_url, order) == VIEW.text_of(order)

    await run_sql(database_url, "UPDATE orders SET owner_view = 'kept'")

    orders = SqlOrders(database)
    assert (await orders.show(order.id, VIEW)).text == "kept"
    page = await orders.show_list(OrderQuery(order.customer_id), VIEW)
    assert page.texts == ("kept",)


async def test_a_program_that_knows_no_texts_changes_what_is_shown(
    database: Database, database_url: str
) -> None:
    order = await _placed(database)

    # What the version before did: it replaces the columns that it knows, and counts.
    await run_sql(
        database_url, "UPDATE orders SET status = 'cancelled', email = NULL, version = version + 1"
    )

    now = replace(order, status=OrderStatus.CANCELLED, email=None)
    assert (await SqlOrders(database).show(order.id, VIEW)).text == VIEW.text_of(now)


async def test_a_text_of_another_edition_is_not_shown(database: Database) -> None:
    order = await _placed(database)

    shown = await SqlOrders(database, view=OTHER_VIEW).show(order.id, OTHER_VIEW)

    assert shown.text == OTHER_VIEW.text_of(order)


@pytest.mark.parametrize("status", [OrderStatus.AWAITING_PAYMENT, OrderStatus.CANCELLED])
async def test_nothing_is_written_down_that_the_buyer_pays_with(
    database: Database, database_url: str, status: OrderStatus
) -> None:
    orders = SqlOrders(database, view=VIEW)
    asked = an_order(status=TransactionStatus.ACTION_REQUIRED, client_secret="pi_1_secret")
    order = (await orders.save(replace(asked, status=status))).order
    assert await _text(database_url, order) is None

    voided = order.charge.finished(TransactionStatus.VOIDED, reason="expired")
    over = replace(order.with_transaction(voided), status=OrderStatus.CANCELLED)
    await orders.save(over)

    assert await _text(database_url, order) == VIEW.text_of(over)


async def test_who_is_erased_stands_in_no_text(database: Database, database_url: str) -> None:
    order = await _placed(database)
    assert "Ada" in (await _text(database_url, order) or "")

    await SqlCustomerData(database).erase(replace(order, shipping_address=None, email=None))

    assert await _text(database_url, order) is None
    shown = await SqlOrders(database, view=VIEW).show(order.id, VIEW)
    assert "Ada" not in shown.text
