"""What whoever finds and forgets a customer's data must do."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from order_core.erasure import erased
from order_core.errors import ConcurrentUpdate
from order_core.events import OrderCancelled, OrderOpened, OrderPlaced, PersonalDataErased, Reviewed
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports import CustomerData, DuplicateGuard, ReceivedEvent
from order_memory.contracts import samples
from order_memory.contracts.stores import LONG, Stores, StoreSuite

_NOTE = "Ann rang: her flat in Kanalstraße is empty"
_REFUSAL = "550 no mailbox ann@example.com"


class CustomerDataContract(StoreSuite):
    """Override `data` too: it looks into the same store as `stores`."""

    @pytest.fixture
    async def data(self, stores: Stores) -> CustomerData:
        """Over the store of `stores`."""
        raise NotImplementedError

    async def shipped(self, stores: Stores) -> Order:
        """A stored order of Ann's, on which staff wrote a note and a mail was refused."""
        at = self.now() - LONG
        placed = samples.a_placed_order(at, status=OrderStatus.SHIPPED)
        charge = replace(placed.charge, return_url="https://shop.example/back?for=ann")
        noted = placed.with_transaction(charge).with_news(
            Reviewed(charge.id, "note", "staff-grace", _NOTE), at
        )
        stored = (await stores.orders.save(noted)).order
        for notice in await stores.outbox.claim_notices(limit=10, hold=LONG):
            await stores.outbox.tell_later(notice, delay=-LONG)
            await stores.outbox.give_up(notice, because=_REFUSAL)
        return stored

    def erased(self, order: Order) -> Order:
        """What erasing makes of it, not stored yet."""
        return erased(order, at=self.now())

    async def test_orders_of_any_status_come_oldest_first_page_by_page(
        self, stores: Stores, data: CustomerData
    ) -> None:
        at = self.now() - LONG
        made = [
            (await stores.orders.save(order)).order
            for order in (
                samples.a_placed_order(at + timedelta(seconds=2)),
                samples.an_order(at),
                samples.an_order_that_ended(at, OrderStatus.PAYMENT_FAILED),
                samples.an_order(at, customer_id="bob"),
            )
        ]
        seen: list[Order] = []
        after: tuple[datetime, str] | None = None

        for size in (2, 1, 0):
            page = await data.orders("ann", after=after, limit=2)
            assert len(page) == size
            seen += [held.order for held in page]
            after = (seen[-1].created_at, seen[-1].id)

        assert seen == [made[1], made[2], made[0]]

    async def test_an_order_comes_with_the_number_of_its_untold_events(
        self, stores: Stores, data: CustomerData
    ) -> None:
        placed = samples.a_placed_order(self.now() - LONG)
        cancelled = placed.moved_to(OrderStatus.CANCELLED)
        await stores.orders.save(cancelled.with_news(OrderCancelled("ann"), self.now()))
        [before] = await data.orders("ann", after=None, limit=10)

        first, _ = await stores.outbox.claim_notices(limit=10, hold=LONG)
        await stores.outbox.told(first)

        [after] = await data.orders("ann", after=None, limit=10)
        assert (before.untold_events, after.untold_events) == (2, 1)

    async def test_nobody_has_to_be_told_of_an_order_without_contact(
        self, stores: Stores, data: CustomerData
    ) -> None:
        await stores.orders.save(samples.a_placed_order(self.now(), email=None))

        [held] = await data.orders("ann", after=None, limit=10)

        assert held.untold_events == 0

    async def test_what_is_kept_beside_an_order_is_shown_to_the_last_word(
        self, stores: Stores, data: CustomerData
    ) -> None:
        order = await self.shipped(stores)
        event = ReceivedEvent("scripted", "e1", "paid", self.now(), "settled", order.id)
        await stores.orders.receive(event)

        traces = await data.traces(order.id)

        opened, placed, noted = traces.history
        assert isinstance(opened.happened.event, OrderOpened)
        assert (opened.told_at, opened.failed_deliveries) == (None, 0)
        assert isinstance(placed.happened.event, OrderPlaced)
        assert (placed.failed_deliveries, placed.given_up_because) == (1, _REFUSAL)
        assert isinstance(noted.happened.event, Reviewed)
        assert noted.happened.event.note == _NOTE
        assert traces.received == (event,)
        assert (await data.traces("no-such-order")).history == ()

    async def test_what_was_told_is_shown_as_told(self, stores: Stores, data: CustomerData) -> None:
        order = (await stores.orders.save(samples.a_placed_order(self.now() - LONG))).order
        [notice] = await stores.outbox.claim_notices(limit=10, hold=LONG)
        await stores.outbox.told(notice)

        traces = await data.traces(order.id)

        assert [telling.told_at is not None for telling in traces.history] == [False, True]

    async def test_requests_come_page_by_page(self, stores: Stores, data: CustomerData) -> None:
        made = {}
        for key in ("k2", "k1", "k3"):
            order = samples.an_order(self.now())
            await stores.orders.save(order, request=samples.a_request(key))
            made[key] = order.id
        await stores.orders.save(
            samples.an_order(self.now()), request=samples.a_request("k0", customer_id="bob")
        )

        first = await data.requests("ann", after=None, limit=2)
        rest = await data.requests("ann", after=(first[-1].record.route, "k2"), limit=2)

        found = [(held.record.key, held.order_id) for held in (*first, *rest)]
        assert found == [(key, made[key]) for key in ("k1", "k2", "k3")]

    async def test_an_erased_order_keeps_goods_and_money_and_nothing_of_the_person(
        self, stores: Stores, data: CustomerData
    ) -> None:
        order = await self.shipped(stores)

        stored = await data.erase(self.erased(order))

        assert stored == await stores.orders.get(order.id)
        charge = replace(order.charge, return_url=None)
        assert stored == replace(
            order,
            shipping_address=None,
            email=None,
            transactions=(charge,),
            event_count=order.event_count + 1,
            version=order.version + 1,
        )
        history = (await data.traces(order.id)).history
        *_, noted, gone = (telling.happened.event for telling in history)
        assert isinstance(noted, Reviewed)
        assert (noted.decision, noted.by) == ("note", "staff-grace")
        assert gone == PersonalDataErased()
        assert "Ann" not in repr(history)
        assert "ann@" not in repr(history)

    async def test_erasing_an_older_version_erases_nothing(
        self, stores: Stores, data: CustomerData
    ) -> None:
        order = await self.shipped(stores)
        now = (await stores.orders.save(order)).order

        with pytest.raises(ConcurrentUpdate):
            await data.erase(self.erased(order))

        assert await stores.orders.get(order.id) == now
        assert _NOTE in repr(await data.traces(order.id))

    async def test_whoever_holds_the_order_from_before_cannot_bring_the_data_back(
        self, stores: Stores, data: CustomerData
    ) -> None:
        order = await self.shipped(stores)
        stored = await data.erase(self.erased(order))

        with pytest.raises(ConcurrentUpdate):
            await stores.orders.save(replace(order, status=OrderStatus.DELIVERED))

        assert await stores.orders.get(order.id) == stored

    async def test_a_late_word_about_a_delivery_brings_nothing_back(
        self, stores: Stores, data: CustomerData
    ) -> None:
        order = (
            await stores.orders.save(
                samples.a_placed_order(self.now() - LONG, status=OrderStatus.SHIPPED)
            )
        ).order
        [notice] = await stores.outbox.claim_notices(limit=10, hold=LONG)
        await stores.outbox.told(notice)
        await data.erase(self.erased(order))

        await stores.outbox.give_up(notice, because=_REFUSAL)

        assert _REFUSAL not in repr(await data.traces(order.id))
        assert await stores.outbox.claim_notices(limit=10, hold=LONG) == ()

    async def test_an_old_key_leads_to_the_erased_order(
        self, stores: Stores, data: CustomerData
    ) -> None:
        request = samples.a_request("the-key")
        order = samples.a_placed_order(self.now(), email=None, status=OrderStatus.SHIPPED)
        saved = (await stores.orders.save(order, request=request)).order

        stored = await data.erase(self.erased(saved))

        earlier = await stores.orders.find_request("ann", request.route, "the-key")
        assert earlier is not None
        assert (earlier.record, earlier.order) == (request, stored)

    async def test_nothing_is_compared_with_an_erased_order_any_more(
        self, stores: Stores, data: CustomerData
    ) -> None:
        guard = DuplicateGuard("two mugs to Kiel", timedelta(days=1))
        placed = samples.a_placed_order(self.now(), status=OrderStatus.SHIPPED)
        order = (await stores.orders.save(placed, guard=guard)).order
        await data.erase(self.erased(order))

        again = await stores.orders.save(samples.an_order(self.now()), guard=guard)

        assert again.order.version == 1

    async def test_what_happens_to_an_erased_order_later_is_told_to_nobody(
        self, stores: Stores, data: CustomerData
    ) -> None:
        order = await self.shipped(stores)
        gone = await data.erase(self.erased(order))

        await stores.orders.save(gone.with_news(OrderCancelled("staff"), self.now()))

        assert await stores.outbox.claim_notices(limit=10, hold=LONG) == ()
        [held] = await data.orders("ann", after=None, limit=10)
        assert held.untold_events == 0
