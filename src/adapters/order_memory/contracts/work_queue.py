"""What a work queue must do."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from order_core.order import Order
from order_core.payment import TransactionStatus
from order_core.ports import Claim, Lease
from order_memory.contracts import samples
from order_memory.contracts.stores import (
    LONG,
    LONGER_THAN_SHORT,
    SHORT,
    Stores,
    StoreSuite,
    a_lease,
)

_SECOND: Final = timedelta(seconds=1)
_TOKENS: Final = tuple(f"token-{n}" for n in range(10))


class WorkQueueContract(StoreSuite):
    """Every order that is due comes, to one worker at a time, until it is at rest."""

    async def due(self, stores: Stores, *since: timedelta) -> tuple[Order, ...]:
        """Stored orders that are due for so long."""
        orders = [self.attended_at(self.now() - each) for each in since]
        return tuple([(await stores.orders.save(order)).order for order in orders])

    def attended_at(self, at: datetime | None) -> Order:
        """An order that somebody must look after then."""
        return samples.an_order(self.now(), charge={"attend_at": at})

    async def claim(
        self,
        stores: Stores,
        *,
        limit: int = 10,
        hold: timedelta = LONG,
        tokens: tuple[str, ...] = _TOKENS,
    ) -> tuple[Claim, ...]:
        """What the queue gives a worker now."""
        return await stores.work.claim(limit=limit, hold=hold, tokens=tokens)

    async def test_an_order_that_is_due_comes_with_a_lease(self, stores: Stores) -> None:
        (order,) = await self.due(stores, _SECOND)

        claims = await self.claim(stores, tokens=("t-1", *_TOKENS))

        assert [claim.order for claim in claims] == [order]
        assert claims[0].lease.order_id == order.id
        assert claims[0].lease.token in {"t-1", *_TOKENS}
        assert not claims[0].lease.by_request

    async def test_an_order_at_rest_or_not_due_yet_does_not_come(self, stores: Stores) -> None:
        await stores.orders.save(self.attended_at(None))
        await stores.orders.save(self.attended_at(self.now() + LONG))

        assert await self.claim(stores) == ()

    async def test_an_order_comes_when_its_time_has_come(self, stores: Stores) -> None:
        order = self.attended_at(self.now() + SHORT)
        await stores.orders.save(order)
        await self.pass_time(LONGER_THAN_SHORT)

        assert ids(await self.claim(stores)) == [order.id]

    async def test_the_earliest_of_several_times_counts(self, stores: Stores) -> None:
        placed = samples.a_placed_order(self.now())
        later = samples.a_refund(placed.charge, attend_at=self.now() + LONG)
        charge = replace(placed.charge, attend_at=self.now() - _SECOND)
        await stores.orders.save(placed.with_transaction(charge).with_transaction(later))

        assert ids(await self.claim(stores)) == [placed.id]

    async def test_the_longest_waiting_come_first(self, stores: Stores) -> None:
        short, longest, middle = await self.due(stores, 1 * _SECOND, 9 * _SECOND, 5 * _SECOND)

        first = await self.claim(stores, limit=2)
        rest = await self.claim(stores, limit=2)

        assert set(ids(first)) == {longest.id, middle.id}
        assert ids(rest) == [short.id]

    async def test_claims_have_different_tokens(self, stores: Stores) -> None:
        await self.due(stores, _SECOND, _SECOND, _SECOND)

        claims = await self.claim(stores, tokens=("a", "b", "c"), limit=3)

        assert {claim.lease.token for claim in claims} == {"a", "b", "c"}

    async def test_a_held_order_does_not_come_again(self, stores: Stores) -> None:
        await self.due(stores, _SECOND)
        await self.claim(stores)

        assert await self.claim(stores, tokens=_other_tokens()) == ()

    async def test_a_held_order_comes_again_when_its_lease_ended(self, stores: Stores) -> None:
        (order,) = await self.due(stores, _SECOND)
        await self.claim(stores, hold=SHORT)
        await self.pass_time(LONGER_THAN_SHORT)

        assert ids(await self.claim(stores, tokens=_other_tokens())) == [order.id]

    async def test_two_workers_at_once_never_hold_one_order(self, stores: Stores) -> None:
        made = await self.due(stores, *(n * _SECOND for n in range(1, 9)))

        both = await asyncio.gather(
            self.claim(stores, limit=5, tokens=_TOKENS),
            self.claim(stores, limit=5, tokens=_other_tokens()),
        )
        rest = await self.claim(stores, tokens=tuple(f"third-{n}" for n in range(10)))

        claimed = [order_id for claims in (*both, rest) for order_id in ids(claims)]
        assert sorted(claimed) == sorted(order.id for order in made)

    async def test_a_released_order_comes_again(self, stores: Stores) -> None:
        (order,) = await self.due(stores, _SECOND)
        (claim,) = await self.claim(stores)

        await stores.work.release(claim.lease)

        assert ids(await self.claim(stores)) == [order.id]

    async def test_only_its_own_lease_can_be_released(self, stores: Stores) -> None:
        await self.due(stores, _SECOND)
        (claim,) = await self.claim(stores)

        await stores.work.release(replace(claim.lease, token="another's"))  # noqa: S106

        assert await self.claim(stores, tokens=_other_tokens()) == ()

    async def test_a_lease_that_ended_does_not_release_the_next(self, stores: Stores) -> None:
        await self.due(stores, _SECOND)
        (old,) = await self.claim(stores, hold=SHORT)
        await self.pass_time(LONGER_THAN_SHORT)
        await self.claim(stores, tokens=_other_tokens())

        await stores.work.release(old.lease)

        assert await self.claim(stores) == ()

    async def test_releasing_what_is_not_there_does_nothing(self, stores: Stores) -> None:
        await stores.work.release(Lease("order-of-nobody", "t", LONG, by_request=False))

    async def test_an_order_that_a_request_holds_does_not_come(self, stores: Stores) -> None:
        order = self.attended_at(self.now() - _SECOND)
        await stores.orders.save(order, take=a_lease(order, "request"))

        assert await self.claim(stores) == ()

    async def test_a_request_cannot_take_what_a_worker_holds(self, stores: Stores) -> None:
        (order,) = await self.due(stores, _SECOND)
        await self.claim(stores)

        saved = await stores.orders.save(order, take=a_lease(order, "request"))

        assert not saved.holds_lease

    async def test_a_worker_gives_the_order_back_with_a_save(self, stores: Stores) -> None:
        await self.due(stores, _SECOND)
        (claim,) = await self.claim(stores)

        await stores.orders.save(claim.order, release=claim.lease)

        assert ids(await self.claim(stores)) == [claim.order.id]

    async def test_an_order_brought_to_rest_does_not_come_again(self, stores: Stores) -> None:
        await self.due(stores, _SECOND)
        (claim,) = await self.claim(stores)
        declined = claim.order.charge.finished(TransactionStatus.DECLINED, reason="expired")
        rested = claim.order.with_transaction(declined)

        await stores.orders.save(rested, release=claim.lease)

        assert await self.claim(stores) == ()


def ids(claims: Sequence[Claim]) -> list[str]:
    """Which orders were claimed."""
    return [claim.order.id for claim in claims]


def _other_tokens() -> tuple[str, ...]:
    return tuple(f"other-{n}" for n in range(10))
