"""A database with sound orders in it, and what somebody with a console can do to them."""

# ruff: noqa: S608 - the statements of a test are its data

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from order_core.events import OrderCancelled, PaymentDeclined, RefundRecorded
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_core.ports import ReceivedEvent, RequestRecord
from order_sqlalchemy import SqlOrders
from order_sqlalchemy.schema import metadata
from tests.integration.sqlalchemy_orders import NOON, an_order, opened, paid, run_sql

ALL_TOLD: Final = "UPDATE order_events SET told_at_us = tell_at_us, tell_at_us = NULL"


@dataclass(frozen=True, slots=True)
class Damage:
    """Statements about `{id}`, a placed order, and the invariants that they break."""

    statements: tuple[str, ...]
    breaks: frozenset[str]
    reported_of: str = "{id}"


def _copied(table: str, where: str, **but: str) -> str:
    names = [column.name for column in metadata.tables[table].columns]
    values = ", ".join(but.get(name, name) for name in names)
    return f"INSERT INTO {table} SELECT {values} FROM {table} WHERE {where}"


def _damage(*statements: str, breaks: str, reported_of: str = "{id}") -> Damage:
    return Damage(statements, frozenset(breaks.split()), reported_of)


_OF = "order_id = '{id}'"
_CHARGE = f"UPDATE payment_transactions SET {{change}} WHERE {_OF}"
_ORDER = "UPDATE orders SET {change} WHERE id = '{id}'"


def _charge(change: str) -> str:
    return _CHARGE.replace("{change}", change)


def _order(change: str) -> str:
    return _ORDER.replace("{change}", change)


DAMAGES: Final[Mapping[str, Damage]] = {
    "readable": _damage(_order("""items = '"mug"'"""), breaks="readable"),
    "begins_with_its_charge": _damage(
        _charge("customer_id = 'mallory'"), breaks="begins_with_its_charge"
    ),
    "totals_follow": _damage(_order("refunded_minor = 1"), breaks="totals_follow"),
    "one_live_charge": _damage(
        _copied(
            "payment_transactions",
            _OF,
            id="'{id}-2'",
            position="1",
            status="'pending'",
            provider_reference="'other-{id}'",
            attend_at_us="8000000000000000",
        ),
        _order("attend_at_us = 8000000000000000"),
        breaks="one_live_charge",
    ),
    "second_debit_reported": _damage(
        _copied(
            "payment_transactions",
            _OF,
            id="'{id}-2'",
            position="1",
            origin="'provider'",
            provider_reference="'other-{id}'",
        ),
        _order("captured_minor = 2 * captured_minor"),
        breaks="second_debit_reported placed_is_paid",
    ),
    "booked_once": _damage(
        _copied(
            "payment_transactions",
            _OF,
            id="'{id}-2'",
            position="1",
            kind="'capture'",
            origin="'provider'",
            parent_id="id",
        ),
        _order("captured_minor = 2 * captured_minor"),
        breaks="booked_once second_debit_reported placed_is_paid",
    ),
    "paid_holds_nothing": _damage(
        _copied(
            "payment_transactions",
            _OF,
            id="'{id}-2'",
            position="1",
            kind="'authorization'",
            status="'authorized'",
            origin="'provider'",
            parent_id="id",
            provider_reference="'other-{id}'",
        ),
        breaks="paid_holds_nothing",
    ),
    "refunds_within_capture": _damage(
        _copied(
            "payment_transactions",
            _OF,
            id="'{id}-2'",
            position="1",
            kind="'refund'",
            amount_minor="amount_minor + 1",
            parent_id="id",
        ),
        _order("refund_asked_minor = captured_minor + 1, refunded_minor = captured_minor + 1"),
        breaks="refunds_within_capture given_back_within_capture",
    ),
    "charge_is_the_total": _damage(
        _order("total_minor = total_minor - 100"), breaks="charge_is_the_total placed_is_paid"
    ),
    "open_is_attended": _damage(
        _charge("status = 'unknown'"),
        _order("status = 'awaiting_payment', captured_minor = 0, event_count = 1"),
        f"DELETE FROM order_events WHERE {_OF} AND sequence = 2",
        breaks="open_is_attended nothing_is_open",
    ),
    "secrets_erased": _damage(_charge("client_secret = 'pi_secret'"), breaks="secrets_erased"),
    "history_leads_here": _damage(
        f"DELETE FROM order_events WHERE {_OF} AND sequence = 1", breaks="history_leads_here"
    ),
    "forgotten_for_good": _damage(_order("shipping_address = '[]'"), breaks="forgotten_for_good"),
    "shipped_was_paid": _damage(
        _order("""shipments = '[["p-1", "DHL", "JD01", 1]]'"""), breaks="shipped_was_paid"
    ),
    "placed_is_paid": _damage(
        _charge("status = 'declined'"), _order("captured_minor = 0"), breaks="placed_is_paid"
    ),
    "ended_nets_to_zero": _damage(
        _order("status = 'cancelled', event_count = 3"),
        _copied(
            "order_events",
            f"{_OF} AND sequence = 2",
            sequence="3",
            name="'order_cancelled'",
            data="""'{"by": "ann"}'""",
        ),
        breaks="ended_nets_to_zero",
    ),
    "events_delivered": _damage(
        f"UPDATE order_events SET told_at_us = NULL WHERE {_OF}", breaks="events_delivered"
    ),
    "one_order_a_key": _damage(
        _copied("idempotency_records", _OF, body_fingerprint="'other'"),
        breaks="one_order_a_key",
    ),
    "one_payment_one_order": _damage(
        _charge("provider_reference = 'pi-twice'"),
        "UPDATE payment_transactions SET provider_reference = 'pi-twice' "
        "WHERE order_id = '{neighbour}'",
        breaks="one_payment_one_order",
    ),
    "single_use_token_once": _damage(
        _charge("single_use_fingerprint = 'f-twice'"),
        "UPDATE payment_transactions SET single_use_fingerprint = 'f-twice' "
        "WHERE order_id = '{neighbour}'",
        breaks="single_use_token_once",
    ),
    "transaction_ids_unique": _damage(
        _charge("id = 't-twice'"),
        "UPDATE payment_transactions SET id = 't-twice' WHERE order_id = '{neighbour}'",
        breaks="transaction_ids_unique",
    ),
    "shown_as_stored": _damage(
        "UPDATE orders SET owner_view = 'delivered, says it', owner_view_edition = 'sample-1', "
        "owner_view_version = version WHERE id = '{id}'",
        breaks="shown_as_stored",
    ),
    "answered_order_exists": _damage(
        f"UPDATE idempotency_records SET order_id = 'gone-1' WHERE {_OF}",
        breaks="answered_order_exists",
        reported_of="gone-1",
    ),
    "nothing_without_its_order": _damage(
        _copied(
            "payment_transactions",
            _OF,
            id="'{id}-2'",
            order_id="'gone-2'",
            provider_reference="NULL",
        ),
        breaks="nothing_without_its_order",
        reported_of="gone-2",
    ),
    "an order is gone": _damage(
        "DELETE FROM orders WHERE id = '{id}'",
        breaks="nothing_without_its_order answered_order_exists",
    ),
}
"""What cannot be seen in stored data alone has none."""


def _cancelled(order: Order) -> Order:
    refund = replace(
        order.charge,
        id=f"{order.charge.id}-back",
        kind=TransactionKind.REFUND,
        parent_id=order.charge.id,
        provider_reference="re_1",
    )
    cancelled = order.with_transaction(refund).moved_to(OrderStatus.CANCELLED)
    said = cancelled.with_news(OrderCancelled("c-9"), NOON)
    return said.with_news(RefundRecorded(refund.id, str(refund.amount)), NOON)


async def fill(url: str, *, placed: int) -> list[str]:
    """`placed` sound orders, whose ids are returned, and a few of other kinds."""
    async with opened(url) as database:
        orders = SqlOrders(database)
        ids = []
        for _ in range(placed):
            new = an_order(token=None)
            request = RequestRecord("c-9", "POST /api/orders/create", f"key-{new.id}", "body")
            stored = (await orders.save(new, request=request)).order
            await orders.save(paid(stored))
            ids.append(new.id)
        await orders.receive(ReceivedEvent("stripe", "evt_1", "paid", NOON, "settled", ids[0]))
        await orders.receive(ReceivedEvent("stripe", "evt_2", "paid", NOON, "no_fact"))
        stored = (await orders.save(paid(an_order()))).order
        await orders.save(_cancelled(stored))
        declined = an_order()
        dead = declined.charge.finished(TransactionStatus.DECLINED, reason="expired_card")
        failed = declined.with_transaction(dead).moved_to(OrderStatus.PAYMENT_FAILED)
        await orders.save(failed.with_news(PaymentDeclined(dead.id, "expired_card"), NOON))
        # In flight: due in a moment.
        soon = datetime.now(UTC) + timedelta(seconds=5)
        await orders.save(an_order(attend_at=soon))
    await run_sql(url, ALL_TOLD)
    return ids


async def without_any_rule(url: str) -> None:
    """The same rows, in tables that have neither constraint nor index."""
    statements = []
    for table in metadata.tables:
        statements.append(f"ALTER TABLE {table} RENAME TO ruled_{table}")
        statements.append(f"CREATE TABLE {table} AS SELECT * FROM ruled_{table}")
    await run_sql(url, *statements)
