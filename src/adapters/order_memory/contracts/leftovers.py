"""What whoever forgets leftovers must do."""

from datetime import datetime, timedelta

import pytest

from order_core.errors import PossibleDuplicate
from order_core.order_status import OrderStatus
from order_core.ports import DuplicateGuard, Leftovers, ReceivedEvent
from order_memory.contracts import samples
from order_memory.contracts.stores import Stores, StoreSuite

_DAY = timedelta(days=1)
_GUARD = DuplicateGuard("two mugs to Kiel", 1_000 * _DAY)


class LeftoversContract(StoreSuite):
    """Override `leftovers` too: it looks into the same store as `stores`."""

    @pytest.fixture
    async def leftovers(self, stores: Stores) -> Leftovers:
        """Over the store of `stores`."""
        raise NotImplementedError

    async def received(self, stores: Stores, *, days_ago: int, verdict: str = "settled") -> str:
        """The id of an event that was received then."""
        name = f"{verdict}-{days_ago}"
        at = self.now() - days_ago * _DAY
        await stores.orders.receive(ReceivedEvent("scripted", name, "paid", at, verdict))
        return name

    async def is_forgotten(self, stores: Stores, event_id: str) -> bool:
        """Whether the event would be new."""
        again = ReceivedEvent("scripted", event_id, "paid", self.now(), "settled")
        return await stores.orders.receive(again)

    @property
    def before(self) -> datetime:
        """Ten days ago."""
        return self.now() - 10 * _DAY

    async def test_old_events_that_are_done_with_go_and_no_others(
        self, stores: Stores, leftovers: Leftovers
    ) -> None:
        old = await self.received(stores, days_ago=11)
        young = await self.received(stores, days_ago=9)
        unknown = await self.received(stores, days_ago=11, verdict="unknown_transaction")

        assert await leftovers.forget_events(before=self.before, limit=10) == 1

        forgotten = {each: await self.is_forgotten(stores, each) for each in (old, young, unknown)}
        assert forgotten == {old: True, young: False, unknown: False}

    async def test_the_oldest_events_go_first_and_no_more_than_were_asked_for(
        self, stores: Stores, leftovers: Leftovers
    ) -> None:
        names = [await self.received(stores, days_ago=days) for days in (12, 14, 13)]

        assert await leftovers.forget_events(before=self.before, limit=2) == 2
        assert [await self.is_forgotten(stores, name) for name in names] == [False, True, True]

    async def test_a_placed_order_is_compared_with_new_ones_until_that_is_old(
        self, stores: Stores, leftovers: Leftovers
    ) -> None:
        await stores.orders.save(samples.a_placed_order(self.now()), guard=_GUARD)

        young = await leftovers.forget_contents(before=self.before, limit=5)
        with pytest.raises(PossibleDuplicate):
            await stores.orders.save(samples.an_order(self.now()), guard=_GUARD)
        old = await leftovers.forget_contents(before=self.now() + _DAY, limit=5)

        assert (young, old) == (0, 1)
        again = await stores.orders.save(samples.an_order(self.now()), guard=_GUARD)
        assert again.order.version == 1

    async def test_an_order_that_waits_for_its_payment_is_compared_however_old(
        self, stores: Stores, leftovers: Leftovers
    ) -> None:
        await stores.orders.save(samples.an_order(self.now() - 99 * _DAY), guard=_GUARD)

        assert await leftovers.forget_contents(before=self.now() + _DAY, limit=5) == 0

        with pytest.raises(PossibleDuplicate):
            await stores.orders.save(samples.an_order(self.now()), guard=_GUARD)

    async def test_no_more_contents_go_than_were_asked_for(
        self, stores: Stores, leftovers: Leftovers
    ) -> None:
        for number in range(3):
            order = samples.a_placed_order(self.now(), status=OrderStatus.SHIPPED)
            await stores.orders.save(order, guard=DuplicateGuard(f"content {number}", _DAY))

        old = self.now() + _DAY
        counts = [await leftovers.forget_contents(before=old, limit=2) for _ in range(3)]

        assert counts == [2, 1, 0]
