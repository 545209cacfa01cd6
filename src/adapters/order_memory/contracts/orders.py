"""What an order repository must do."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from order_core.errors import ConcurrentUpdate, OrderNotFound
from order_core.events import OrderCancelled
from order_core.order_status import OrderStatus
from order_core.ports import OrderRepository
from order_memory.contracts import samples
from order_memory.contracts.event_records import EventRecordSuite
from order_memory.contracts.finding import FindingSuite
from order_memory.contracts.leases import LeaseSuite
from order_memory.contracts.lists import ListSuite
from order_memory.contracts.received_events import ReceivedEventSuite
from order_memory.contracts.refusals import RefusalSuite
from order_memory.contracts.stores import Stores, a_lease
from order_memory.contracts.views import ViewSuite


class OrderRepositoryContract(
    RefusalSuite,
    LeaseSuite,
    ListSuite,
    ViewSuite,
    FindingSuite,
    ReceivedEventSuite,
    EventRecordSuite,
):
    """An order is stored whole or not at all, and never over a change that was not seen."""

    async def test_a_new_order_gets_its_first_version(self, orders: OrderRepository) -> None:
        order = samples.an_order(self.now())

        saved = await orders.save(order)

        assert saved.order == replace(order, version=1, news=())
        assert not saved.holds_lease
        assert await orders.get(order.id) == saved.order

    async def test_every_field_comes_back(self, orders: OrderRepository) -> None:
        at = self.now().replace(microsecond=123457)
        order = samples.the_fullest_order(at)

        saved = await orders.save(order)

        assert saved.order == replace(order, version=1, news=())
        assert await orders.get(order.id) == saved.order
        assert (await orders.get(order.id)).created_at.utcoffset() == timedelta(0)

    async def test_a_change_replaces_all_that_changed(self, orders: OrderRepository) -> None:
        at = self.now()
        first = (await orders.save(samples.the_fullest_order(at))).order
        changed = replace(
            first,
            email=None,
            transactions=tuple(replace(t, sends=t.sends + 5) for t in first.transactions),
        )

        second = (await orders.save(changed)).order

        assert second == replace(changed, version=2)
        assert await orders.get(first.id) == second

    async def test_an_order_of_many_movements_and_events_is_stored_whole(
        self, orders: OrderRepository
    ) -> None:
        at = self.now()
        paid = samples.a_placed_order(at)
        part = replace(paid.charge.amount, minor_units=50)
        refunds = tuple(
            samples.a_refund(paid.charge, id=f"{paid.id}-{n}", amount=part) for n in range(40)
        )
        many = replace(paid, transactions=(*paid.transactions, *refunds))
        events = samples.one_of_each_event(at)

        first = (await orders.save(samples.with_all_news(many, events))).order
        changed = replace(
            first, transactions=tuple(replace(t, sends=t.sends + 1) for t in first.transactions)
        )
        second = (await orders.save(changed)).order

        assert await orders.get(paid.id) == second == replace(changed, version=2)
        assert (await orders.history(paid.id)).entries == events
        assert len(events) > 16, "so many that a store may write them in another way"

    async def test_a_transaction_can_be_added(self, orders: OrderRepository) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order
        refund = samples.a_refund(placed.charge, attend_at=self.now())

        await orders.save(placed.with_transaction(refund))

        assert (await orders.get(placed.id)).transactions == (placed.charge, refund)

    async def test_what_was_read_before_does_not_change(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.an_order(self.now()))).order
        read_before = await orders.get(order.id)

        await orders.save(order.moved_to(OrderStatus.CANCELLED))

        assert read_before == order

    async def test_an_unknown_order_is_not_found(self, orders: OrderRepository) -> None:
        await orders.save(samples.an_order(self.now()))

        with pytest.raises(OrderNotFound, match="order-of-nobody"):
            await orders.get("order-of-nobody")

    # What happened ------------------------------------------------------------------------

    async def test_every_kind_of_event_can_be_read_again(self, orders: OrderRepository) -> None:
        events = samples.one_of_each_event(self.now())
        order = samples.with_all_news(samples.an_order(self.now()), events)

        await orders.save(order)

        history = await orders.history(order.id)
        assert history.entries == events
        assert history.customer_id == order.customer_id

    async def test_history_goes_on_with_every_save(self, orders: OrderRepository) -> None:
        at = self.now()
        first = samples.an_order(at)
        opened = (await orders.save(first)).order
        cancelled = opened.moved_to(OrderStatus.CANCELLED).with_news(OrderCancelled("ann"), at)

        await orders.save(cancelled)

        entries = (await orders.history(first.id)).entries
        assert entries == (*first.news, *cancelled.news)
        assert [entry.sequence for entry in entries] == [1, 2]

    async def test_an_unknown_order_has_no_history(self, orders: OrderRepository) -> None:
        with pytest.raises(OrderNotFound):
            await orders.history("order-of-nobody")

    # Races --------------------------------------------------------------------------------

    async def test_a_lost_race_stores_nothing(self, stores: Stores) -> None:
        orders = stores.orders
        at = self.now()
        first = (await orders.save(samples.a_placed_order(at))).order
        await self.empty(stores)
        winner = (await orders.save(replace(first, email="winner@example.com"))).order
        loser = replace(first, status=OrderStatus.CANCELLED).with_news(OrderCancelled("ann"), at)

        with pytest.raises(ConcurrentUpdate):
            await orders.save(
                loser, request=samples.a_request("lost"), take=a_lease(first, "loser")
            )

        assert await orders.get(first.id) == winner
        assert len((await orders.history(first.id)).entries) == first.event_count
        assert await orders.find_request("ann", samples.a_request("lost").route, "lost") is None
        assert (await orders.save(winner, take=a_lease(winner, "next"))).holds_lease
        assert await stores.outbox.claim_notices(limit=10, hold=timedelta(minutes=1)) == ()

    async def empty(self, stores: Stores) -> None:
        """Tell all that is to be told."""
        while notices := await stores.outbox.claim_notices(limit=10, hold=timedelta(minutes=1)):
            for notice in notices:
                await stores.outbox.told(notice)

    async def test_a_lost_race_ends_no_lease(self, orders: OrderRepository) -> None:
        order = samples.an_order(self.now())
        lease = a_lease(order, "mine")
        first = (await orders.save(order, take=lease)).order
        second = (await orders.save(first)).order

        with pytest.raises(ConcurrentUpdate):
            await orders.save(first, release=lease)

        assert not (await orders.save(second, take=a_lease(order, "other"))).holds_lease

    async def test_an_order_is_added_once(self, orders: OrderRepository) -> None:
        order = samples.an_order(self.now())
        await orders.save(order)

        with pytest.raises(ConcurrentUpdate):
            await orders.save(replace(order, email="second@example.com"))

        assert (await orders.get(order.id)).email == order.email

    async def test_an_order_that_is_not_there_is_not_replaced(
        self, orders: OrderRepository
    ) -> None:
        with pytest.raises(ConcurrentUpdate):
            await orders.save(replace(samples.an_order(self.now()), version=3))

    async def test_of_two_changes_at_once_one_wins(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.an_order(self.now()))).order
        changes = [replace(order, email=f"{n}@example.com") for n in range(5)]

        results = await asyncio.gather(*map(orders.save, changes), return_exceptions=True)

        lost = [result for result in results if isinstance(result, ConcurrentUpdate)]
        won = [result for result in results if not isinstance(result, BaseException)]
        assert (len(won), len(lost)) == (1, 4)
        assert await orders.get(order.id) == won[0].order
