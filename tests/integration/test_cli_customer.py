"""`order-core customer`: everything that is kept of one person is shown, and what may go goes."""

# ruff: noqa: S608 - the statements of a test are its data

import asyncio
import io
import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from order_cli.customer_document import write_document
from order_cli.main import main
from order_core.events import OrderPlaced, Reviewed
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, TransactionStatus
from order_core.ports import HeldOrder, OrderTraces, ReceivedEvent, RequestRecord
from order_core.shipping_address import ShippingAddress
from order_core.use_cases import ExportCustomer
from order_sqlalchemy import SqlOrders, SqlOutbox
from order_sqlalchemy.schema import metadata
from tests.integration.sqlalchemy_orders import NOON, an_order, opened, run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_PERSONAL = ("Zelda Quixote", "zelda@quixote.example", "Tilting Lane", "sails=torn", "sore knee")


async def _fill(url: str) -> dict[str, str]:
    """Zelda's orders: one shipped with everything in it, one that is still to be shipped."""
    async with opened(url) as database:
        orders, outbox = SqlOrders(database), SqlOutbox(database)
        made = {}
        for name, status in (("shipped", OrderStatus.SHIPPED), ("pending", OrderStatus.PENDING)):
            order = an_order(
                customer_id="zelda",
                email="zelda@quixote.example",
                return_url="https://shop.example/?sails=torn",
            )
            paid = order.charge.finished(TransactionStatus.SUCCEEDED, reference=f"pi_{name}")
            address = ShippingAddress((("name", "Zelda Quixote"), ("street", "9 Tilting Lane")))
            placed = replace(order, shipping_address=address, status=status)
            placed = placed.with_transaction(paid).with_news(OrderPlaced(paid.id, "pi"), NOON)
            if name == "shipped":
                note = Reviewed(paid.id, "note", "staff-1", "told me of her sore knee")
                placed = placed.with_news(note, NOON)
            key = RequestRecord("zelda", "POST /api/orders/create", f"key-{name}", "digest")
            await orders.save(placed, request=key)
            made[name] = order.id
        await orders.receive(
            ReceivedEvent("stripe", "evt_1", "charge.paid", NOON, "settled", made["shipped"])
        )
        for notice in await outbox.claim_notices(limit=10, hold=timedelta(hours=1)):
            if notice.order.id == made["shipped"]:
                await outbox.give_up(notice, because="550 no box zelda@quixote.example")
            else:
                await outbox.told(notice)
        await orders.save(an_order(customer_id="bob", email="bob@example.org"))
        return made


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ORDER_CORE_DATABASE_URL", database_url)
    return database_url


def _everything(url: str) -> str:
    return repr([asyncio.run(run_sql(url, f"SELECT * FROM {table}")) for table in metadata.tables])


def test_the_export_is_one_document_of_everything_but_secrets(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asyncio.run(_fill(url))

    code = main(["customer", "export", "zelda"])

    told = json.loads(capsys.readouterr().out)
    shipped, pending = told["orders"]
    assert code == 0
    assert told["customer_id"] == "zelda"
    assert [shipped["id"], pending["id"]] == [made["shipped"], made["pending"]]
    assert set(shipped) == {f.name for f in fields(Order)} - {"news"} | {"history", "received"}
    assert shipped["shipping_address"]["lines"][0] == ["name", "Zelda Quixote"]
    assert shipped["total"] == {"amount": "25.00", "currency": "EUR"}
    [charge] = shipped["transactions"]
    assert set(charge) == {f.name for f in fields(PaymentTransaction)} - {"token", "client_secret"}
    assert charge["return_url"] == "https://shop.example/?sails=torn"
    assert [each["happened"]["event"] for each in shipped["history"]] == [
        "order_opened",
        "order_placed",
        "reviewed",
    ]
    assert shipped["history"][1]["given_up_because"] == "550 no box zelda@quixote.example"
    assert shipped["received"][0]["event_id"] == "evt_1"
    assert [each["record"]["key"] for each in told["requests"]] == ["key-pending", "key-shipped"]


def _grant(subject: str, digest: str) -> str:
    return (
        "INSERT INTO oauth_grants (family_digest, token_digest, client_id, subject, scope, "
        "rotations, granted_at_us, idle_until_us, ends_at_us) VALUES "
        f"('{digest}', '{digest}', 'backend', '{subject}', 'orders:read', 0, 1, 2, 3)"
    )


_LOGGED_IN = (
    (
        "INSERT INTO oauth_clients "
        "(id, secret_digest, scope, may_act_for_customers, created_at_us) "
        f"VALUES ('backend', '{'d' * 64}', 'orders:read', true, 1)"
    ),
    _grant("zelda", "a" * 64),
    _grant("bob", "b" * 64),
)


def test_sessions_are_shown_and_end_with_the_erasing(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_fill(url))
    asyncio.run(run_sql(url, *_LOGGED_IN))

    main(["customer", "export", "zelda"])
    [session] = json.loads(capsys.readouterr().out)["sessions"]
    main(["customer", "erase", "zelda", "--yes"])

    assert (session["client_id"], session["scope"]) == ("backend", ["orders:read"])
    assert not {"family_digest", "token_digest"} & set(session)
    left = asyncio.run(run_sql(url, "SELECT subject FROM oauth_grants"))
    assert left == [("bob",)]


def test_the_export_of_nobody_is_an_empty_document(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_fill(url))

    assert main(["customer", "export", 'no"body']) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["customer_id"], told["orders"], told["requests"]) == ('no"body', [], [])


class _ManyOrders:
    """Three pages of orders, each handed out only when those before it were written."""

    def __init__(self, written: io.StringIO) -> None:
        self.written = written
        self.pages = 0

    async def orders(self, *_: Any, after: Any, limit: int) -> tuple[HeldOrder, ...]:
        assert self.written.getvalue().count('"transactions"') == limit * self.pages
        self.pages += 1
        return tuple(
            HeldOrder(an_order(customer_id="zelda"), 0) for _ in range(limit * (self.pages < 4))
        )

    async def traces(self, _order_id: str) -> OrderTraces:
        return OrderTraces((), ())

    async def requests(self, *_: Any, **__: Any) -> tuple[()]:
        return ()

    async def sessions(self, *_: Any) -> tuple[()]:
        return ()


async def test_the_export_holds_one_page_however_many_there_are() -> None:
    written = io.StringIO()
    data: Any = _ManyOrders(written)

    await write_document(ExportCustomer(data), "zelda", at=NOON, to=written)

    assert data.pages == 4
    assert len(json.loads(written.getvalue())["orders"]) == 300


def test_nothing_is_erased_without_a_yes(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_fill(url))
    before = _everything(url)

    assert main(["customer", "erase", "zelda"]) == 2

    assert capsys.readouterr().err == "order-core customer: nothing was erased.\n"
    assert _everything(url) == before


def test_what_is_still_needed_is_left_and_told_and_the_rest_goes(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asyncio.run(_fill(url))

    codes = [main(["customer", "erase", "zelda", "--yes"]) for _ in range(2)]

    assert codes == [1, 1]
    left = f"{made['pending']}  left: it is pending, and has still to be shipped (not_shipped)"
    again = "1 left as they are. Run it again once they are no longer needed."
    assert capsys.readouterr().out.splitlines() == [
        f"{made['shipped']}  erased",
        left,
        f"1 erased, 0 were erased before, {again}",
        left,
        f"0 erased, 1 were erased before, {again}",
    ]
    shipped = asyncio.run(run_sql(url, f"SELECT * FROM orders WHERE id = '{made['shipped']}'"))
    assert not [word for word in _PERSONAL if word in repr(shipped)]


def test_an_erased_customer_is_in_no_row_any_more_and_the_books_verify(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asyncio.run(_fill(url))
    shipped = f"UPDATE orders SET status = 'shipped' WHERE id = '{made['pending']}'"
    asyncio.run(run_sql(url, shipped))
    held = [word for word in _PERSONAL if word in _everything(url)]

    code = main(["customer", "erase", "zelda", "--yes"])

    assert held == list(_PERSONAL), "each of them was there before"
    assert code == 0
    assert not [word for word in _PERSONAL if word in _everything(url)]
    assert capsys.readouterr().out.endswith("Nothing personal is left.\n")
    asyncio.run(run_sql(url, "UPDATE orders SET status = 'pending' WHERE status = 'shipped'"))
    main(["verify", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["violations"] == 0


def test_a_database_of_another_schema_is_left_alone(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # One of its own: the schema of the others is shared.
    monkeypatch.setenv("ORDER_CORE_DATABASE_URL", empty_database_url)
    asyncio.run(_fill(empty_database_url))
    older = "UPDATE alembic_version SET version_num = '0001'"
    asyncio.run(run_sql(empty_database_url, older))

    assert main(["customer", "erase", "zelda", "--yes"]) == 1
    assert "order-core migrate" in capsys.readouterr().err
