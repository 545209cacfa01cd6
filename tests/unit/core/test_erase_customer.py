"""A customer is forgotten, the books stay, and nothing brings what is gone back."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.erasure import erased, erasure_refusal
from order_core.errors import CannotShip, StoreUnavailable
from order_core.events import PersonalDataErased
from order_core.invariants import Evidence, violations
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Report, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact
from order_core.use_cases import EraseCustomer, ErasedOrder, ExportCustomer
from order_memory import InMemoryCustomerData
from tests.unit.core.broken_orders import (
    CANCELLED,
    DISPUTED,
    NOON,
    OPEN,
    PAID,
    PLACED,
    SECOND_DEBIT,
    WON,
    an_order,
)
from tests.unit.core.test_interleavings import Participant, every_order_of_turns, finish, in_turns


def eraser(shop: Any, data: Any = None) -> EraseCustomer:
    return EraseCustomer(data or InMemoryCustomerData(shop.orders), shop.clock)


async def erase(shop: Any, customer_id: str = "ann", data: Any = None) -> list[ErasedOrder]:
    return [done async for done in eraser(shop, data)(customer_id)]


async def a_cancelled_order(shop: Any, **but: Any) -> Order:
    placed = await shop.place(return_url="https://shop.example/?for=ann", **but)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until()
    order: Order = await shop.orders.get(placed.id)
    return order


def assert_sound(shop: Any) -> None:
    for row in shop.orders.store.rows():
        assert violations(Evidence(row.order, history=row.events)) == ()


# What goes, and what stays --------------------------------------------------------------------


async def test_address_contact_and_return_page_go_and_the_books_stay(shop: Any) -> None:
    before = await a_cancelled_order(shop, key="k-1")

    assert await erase(shop) == [ErasedOrder(before.id)]

    after = await shop.orders.get(before.id)
    assert (after.shipping_address, after.email) == (None, None)
    assert [t.return_url for t in after.transactions] == [None, None]
    assert (after.items, after.total, after.status) == (before.items, before.total, before.status)
    assert [t.amount for t in after.transactions] == [t.amount for t in before.transactions]
    assert isinstance((await shop.orders.history(after.id)).entries[-1].event, PersonalDataErased)
    assert_sound(shop)


async def test_other_customers_are_left_alone(shop: Any) -> None:
    await a_cancelled_order(shop)
    bob = await shop.place(customer_id="bob", email="bob@example.com")

    await erase(shop)

    assert await shop.orders.get(bob.id) == bob


async def test_erasing_again_changes_nothing(shop: Any) -> None:
    order = await a_cancelled_order(shop)
    await erase(shop)
    once = await shop.orders.get(order.id)

    again = await erase(shop)

    assert again == [ErasedOrder(order.id, was_erased_before=True)]
    assert await shop.orders.get(order.id) == once


async def test_nobody_of_that_name_is_nothing_to_erase(shop: Any) -> None:
    assert await erase(shop, "nobody") == []


async def test_more_orders_than_a_page_are_all_erased(shop: Any) -> None:
    for _ in range(101):
        await shop.place(payment_method="declined", allow_duplicate=True)

    done = await erase(shop)

    assert len(done) == 101
    assert all(each.refusal is None for each in done)
    assert all(order.shipping_address is None for order in shop.all_orders)


# What is still needed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "untold_events", "word"),
    [
        (an_order(OPEN, status=OrderStatus.CANCELLED), 0, "money_moving"),
        (
            replace(CANCELLED, transactions=(PAID, replace(PAID, id="x", review="?"))),
            0,
            "in_review",
        ),
        (an_order(PAID, DISPUTED, status=OrderStatus.DELIVERED), 0, "disputed"),
        (PLACED, 0, "not_shipped"),
        (an_order(PAID, status=OrderStatus.PROCESSING), 0, "not_shipped"),
        (replace(CANCELLED, transactions=(replace(PAID, attend_at=NOON),)), 0, "looked_after"),
        (CANCELLED, 1, "notices_waiting"),
        (CANCELLED, 0, None),
        (an_order(PAID, status=OrderStatus.SHIPPED), 0, None),
        (an_order(PAID, SECOND_DEBIT, status=OrderStatus.SHIPPED), 0, None),
        (an_order(PAID, DISPUTED, WON, status=OrderStatus.DELIVERED), 0, None),
    ],
)
def test_what_is_still_needed_is_refused_with_its_reason(
    order: Order, untold_events: int, word: str | None
) -> None:
    refusal = erasure_refusal(order, untold_events=untold_events)

    assert (refusal and refusal[0]) == word


async def test_an_order_whose_money_went_back_before_it_left_needs_no_address(shop: Any) -> None:
    """Nobody can ship it any more, and nobody can cancel it."""
    placed = await shop.place()
    await shop.core.process(placed.id, by="staff")
    await shop.core.refund(placed.id, by="staff", amount=Money(1000, "EUR"))
    await shop.work_until()
    [in_part] = await erase(shop)
    await shop.core.refund(placed.id, by="staff")
    await shop.work_until()

    [whole] = await erase(shop)

    assert in_part.refusal is not None
    assert in_part.refusal[0] == "not_shipped"
    assert whole == ErasedOrder(placed.id)
    with pytest.raises(CannotShip):
        await shop.core.ship(placed.id, carrier="An Post", tracking_number="RR1", by="staff")
    assert_sound(shop)


async def test_an_order_that_is_still_needed_is_left_whole_and_erased_later(shop: Any) -> None:
    order = await shop.place()

    [first] = await erase(shop)
    untouched = await shop.orders.get(order.id)
    await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until()
    [later] = await erase(shop)

    assert first.refusal is not None
    assert first.refusal[0] == "not_shipped"
    assert untouched == order
    assert later == ErasedOrder(order.id)


async def test_a_mail_on_its_way_is_delivered_before_its_address_goes(shop: Any) -> None:
    order = await shop.place()
    await shop.core.cancel(order.id, customer_id="ann")
    [waiting] = await erase(shop)
    await shop.work_until()

    assert waiting.refusal is not None
    assert waiting.refusal[0] == "notices_waiting"
    assert len(shop.notifier.told) == 3
    assert await erase(shop) == [ErasedOrder(order.id)]


# What would bring it back ---------------------------------------------------------------------


def refund_came_back(order: Order) -> ProviderFact:
    refund = order.transactions[1]
    outcome = Reversed("ref-back", Money(2500, "EUR"), "account_closed")
    return ProviderFact(TransactionKind.REVERSAL, outcome, "ref-back", refund.id, "default")


async def test_what_the_provider_tells_later_brings_nothing_back_and_is_told_to_nobody(
    shop: Any,
) -> None:
    order = await a_cancelled_order(shop)
    told = len(shop.notifier.told)
    await erase(shop)

    paid_again = Report(Succeeded(order.charge.provider_reference or "", order.total, "x"))
    await shop.core.settle(order, order.charge.id, paid_again)
    await shop.core.receive_webhook.take_in_event.take_in("scripted", refund_came_back(order))
    await shop.work_until()

    after = await shop.orders.get(order.id)
    assert len(after.transactions) > 2, "the books go on"
    assert (after.shipping_address, after.email) == (None, None)
    assert len(shop.notifier.told) == told
    assert_sound(shop)


async def test_the_old_key_with_the_old_body_finds_the_erased_order_and_makes_no_other(
    shop: Any,
) -> None:
    order = await a_cancelled_order(shop, key="k-1")
    await erase(shop)

    again = await shop.place(key="k-1", return_url="https://shop.example/?for=ann")

    assert (again.id, again.shipping_address, again.email) == (order.id, None, None)
    assert len(shop.all_orders) == 1


class _Dies:
    """A store that is gone after so many orders were erased."""

    def __init__(self, shop: Any, after: int) -> None:
        self._data = InMemoryCustomerData(shop.orders)
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)

    async def erase(self, order: Order) -> Order:
        if not self._left:
            raise StoreUnavailable
        self._left -= 1
        return await self._data.erase(order)


async def test_what_was_broken_off_goes_on_with_the_rest(shop: Any) -> None:
    for _ in range(3):
        await shop.place(payment_method="declined")
        shop.clock.advance(timedelta(minutes=1))
    with pytest.raises(StoreUnavailable):
        await erase(shop, data=_Dies(shop, after=1))
    half = [order.shipping_address is None for order in shop.all_orders]

    done = await erase(shop)

    assert half == [True, False, False]
    assert [each.was_erased_before for each in done] == [True, False, False]
    assert all(order.shipping_address is None for order in shop.all_orders)


class _Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


class _DataInTurns:
    def __init__(self, shop: Any) -> None:
        self._data = InMemoryCustomerData(shop.orders)

    async def orders(self, *which: Any, **page: Any) -> Any:
        await _Turn()
        return await self._data.orders(*which, **page)

    async def forget_sessions(self, customer_id: str, /) -> int:
        return await self._data.forget_sessions(customer_id)

    async def erase(self, order: Order) -> Order:
        await _Turn()
        return await self._data.erase(order)


def test_erasing_beside_a_webhook_and_a_worker_ends_alike_in_every_order_of_turns(
    make_shop: Any,
) -> None:
    def begin() -> tuple[Any, list[Participant]]:
        shop = make_shop()
        order = finish(a_cancelled_order(shop))
        shop.core = in_turns(shop)
        webhook = shop.core.receive_webhook.take_in_event.take_in(
            "scripted", refund_came_back(order)
        )

        async def working() -> None:
            await shop.core.recover()
            await shop.core.tell()

        stories = (erase(shop, data=_DataInTurns(shop)), webhook, working())
        return shop, [Participant(story) for story in stories]

    refusals = set()
    for shop, (erasing, _, _) in every_order_of_turns(begin):
        assert_sound(shop)
        [done] = erasing.answer
        refusals.add(done.refusal and done.refusal[0])
        if done.refusal is None:
            shop.core = shop.assembled()
            finish(shop.work_until())
            assert shop.all_orders[0].shipping_address is None
            assert_sound(shop)
    assert refusals >= {None, "just_changed"}


def test_an_erased_order_is_not_erased_again() -> None:
    once = erased(CANCELLED, at=NOON)

    assert erased(once, at=NOON) is once


# What is exported -----------------------------------------------------------------------------


async def test_an_export_has_every_order_with_its_history_and_every_request(shop: Any) -> None:
    await shop.place(customer_id="bob", email="bob@example.com")
    first = await a_cancelled_order(shop, key="k-1")
    second = await shop.place(key="k-2", payment_method="declined")
    exported = ExportCustomer(InMemoryCustomerData(shop.orders))

    orders = [each async for each in exported.orders("ann")]
    requests = [each async for each in exported.requests("ann")]

    assert [order.id for order, _ in orders] == [first.id, second.id]
    assert [len(traces.history) for _, traces in orders] == [5, 2]
    assert [(held.record.key, held.order_id) for held in requests] == [
        ("k-1", first.id),
        ("k-2", second.id),
    ]
