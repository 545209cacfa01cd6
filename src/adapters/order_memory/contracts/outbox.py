"""What an outbox must do."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

from order_core.events import OrderCancelled, OrderPlaced
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports import Notice
from order_memory.contracts import samples
from order_memory.contracts.stores import LONG, LONGER_THAN_SHORT, SHORT, Stores, StoreSuite

_SECOND: Final = timedelta(seconds=1)


class OutboxContract(StoreSuite):
    """Every told event is delivered at least once, and never again once that is confirmed."""

    async def placed(self, stores: Stores, email: str | None = "ann@example.com") -> Order:
        """A stored order whose owner should hear that it was placed."""
        return (await stores.orders.save(samples.a_placed_order(self.now(), email=email))).order

    async def claim(
        self, stores: Stores, *, limit: int = 10, hold: timedelta = LONG
    ) -> tuple[Notice, ...]:
        """What the outbox gives a worker now."""
        return await stores.outbox.claim_notices(limit=limit, hold=hold)

    async def test_what_the_customer_should_hear_comes_and_nothing_else(
        self, stores: Stores
    ) -> None:
        order = await self.placed(stores)

        (notice,) = await self.claim(stores)

        assert (notice.order, notice.email, notice.attempts) == (order, "ann@example.com", 0)
        assert notice.happened == (await stores.orders.history(order.id)).entries[1]
        assert isinstance(notice.happened.event, OrderPlaced)

    async def test_an_order_that_only_opened_tells_nothing(self, stores: Stores) -> None:
        await stores.orders.save(samples.an_order(self.now()))

        assert await self.claim(stores) == ()

    async def test_a_notice_shows_the_order_as_it_is_now(self, stores: Stores) -> None:
        placed = await self.placed(stores)
        changed = replace(placed, status=OrderStatus.PROCESSING)

        stored = (await stores.orders.save(changed)).order

        assert [notice.order for notice in await self.claim(stores)] == [stored]

    async def test_the_oldest_come_first(self, stores: Stores) -> None:
        at = self.now() - LONG
        made = [samples.a_placed_order(at + n * _SECOND) for n in range(4)]
        for order in made:
            await stores.orders.save(order)

        first = await self.claim(stores, limit=3)
        rest = await self.claim(stores, limit=3)

        assert {notice.order.id for notice in first} == {order.id for order in made[:3]}
        assert [notice.order.id for notice in rest] == [made[3].id]

    async def test_a_claimed_notice_is_kept_from_others(self, stores: Stores) -> None:
        await self.placed(stores)
        await self.claim(stores)

        assert await self.claim(stores) == ()

    async def test_a_notice_nobody_confirmed_comes_again_as_the_same(self, stores: Stores) -> None:
        await self.placed(stores)
        (first,) = await self.claim(stores, hold=SHORT)
        await self.pass_time(LONGER_THAN_SHORT)

        (again,) = await self.claim(stores)

        assert (again.id, again.happened) == (first.id, first.happened)

    async def test_what_was_told_never_comes_again(self, stores: Stores) -> None:
        order = await self.placed(stores)
        (notice,) = await self.claim(stores, hold=SHORT)
        await stores.outbox.told(notice)
        await stores.orders.save(replace(order, status=OrderStatus.PROCESSING))
        await self.pass_time(LONGER_THAN_SHORT)

        assert await self.claim(stores) == ()

    async def test_confirming_twice_does_no_harm(self, stores: Stores) -> None:
        await self.placed(stores)
        (notice,) = await self.claim(stores)

        await stores.outbox.told(notice)
        await stores.outbox.told(notice)

        assert await self.claim(stores) == ()

    async def test_what_failed_comes_again_later_counted(self, stores: Stores) -> None:
        await self.placed(stores)
        (first,) = await self.claim(stores)

        await stores.outbox.tell_later(first, delay=SHORT)
        await self.pass_time(LONGER_THAN_SHORT)

        (again,) = await self.claim(stores)
        assert (again.id, again.attempts) == (first.id, 1)

    async def test_what_failed_does_not_come_before_its_time(self, stores: Stores) -> None:
        await self.placed(stores)
        (notice,) = await self.claim(stores, hold=SHORT)

        await stores.outbox.tell_later(notice, delay=LONG)
        await self.pass_time(LONGER_THAN_SHORT)

        assert await self.claim(stores) == ()

    async def test_what_was_given_up_never_comes_again(self, stores: Stores) -> None:
        await self.placed(stores)
        (notice,) = await self.claim(stores, hold=SHORT)

        await stores.outbox.give_up(notice, because="no such address")
        await self.pass_time(LONGER_THAN_SHORT)

        assert await self.claim(stores) == ()

    async def test_an_order_without_contact_stands_in_nobodys_way(self, stores: Stores) -> None:
        await self.placed(stores, email=None)
        told = await self.placed(stores)

        notices = [notice for _ in range(3) for notice in await self.claim(stores, limit=1)]

        assert [notice.order.id for notice in notices] == [told.id]

    async def test_two_events_of_an_order_are_two_notices(self, stores: Stores) -> None:
        placed = await self.placed(stores)
        cancelled = placed.moved_to(OrderStatus.CANCELLED)
        await stores.orders.save(cancelled.with_news(OrderCancelled("ann"), self.now()))

        notices = await self.claim(stores)
        await stores.outbox.told(notices[0])

        assert len({notice.id for notice in notices}) == 2
        assert {type(notice.happened.event) for notice in notices} == {OrderPlaced, OrderCancelled}

    async def test_two_workers_at_once_never_tell_the_same(self, stores: Stores) -> None:
        made = [await self.placed(stores) for _ in range(6)]

        both = await asyncio.gather(self.claim(stores, limit=4), self.claim(stores, limit=4))
        rest = await self.claim(stores)

        told = [notice.order.id for notices in (*both, rest) for notice in notices]
        assert sorted(told) == sorted(order.id for order in made)
