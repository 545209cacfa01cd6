"""What a repository must do about how far the providers' records of events were taken in."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from order_core.ports import EventRecord, OrderRepository
from order_memory.contracts.stores import StoreSuite

_RECORD: Final = EventRecord("stripe", "live:größe", "shop 'ü\"; --")
_DAY: Final = timedelta(days=1)


class EventRecordSuite(StoreSuite):
    """It is noted by whoever saw what stands there, and by nobody else."""

    async def test_nobody_has_said_how_far_a_new_record_was_taken_in(
        self, orders: OrderRepository
    ) -> None:
        assert (await orders.taken_in(_RECORD)).until is None

    async def test_how_far_it_was_taken_in_comes_back_to_the_microsecond(
        self, orders: OrderRepository
    ) -> None:
        until = self.now().replace(microsecond=123457)

        assert await orders.note_taken_in(_RECORD, until=until, before=None)

        found = (await orders.taken_in(_RECORD)).until
        assert found == until
        assert found.utcoffset() == timedelta(0)

    async def test_the_present_moment_is_that_of_the_store(self, orders: OrderRepository) -> None:
        earliest = self.now()

        now = (await orders.taken_in(_RECORD)).now

        # The store may be another machine than the one that asks.
        assert abs(now - earliest) < timedelta(minutes=1)
        assert now.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("days", [7, -7], ids=["forward", "back"])
    async def test_it_moves_from_where_it_was_seen(
        self, orders: OrderRepository, days: int
    ) -> None:
        first = self.now()
        await orders.note_taken_in(_RECORD, until=first, before=None)

        second = first + days * _DAY
        assert await orders.note_taken_in(_RECORD, until=second, before=first)

        assert (await orders.taken_in(_RECORD)).until == second

    async def test_it_does_not_move_from_where_it_does_not_stand(
        self, orders: OrderRepository
    ) -> None:
        first, later = self.now() - 3 * _DAY, self.now()

        unseen = await orders.note_taken_in(_RECORD, until=later, before=first)
        assert (unseen, (await orders.taken_in(_RECORD)).until) == (False, None)

        await orders.note_taken_in(_RECORD, until=first, before=None)
        for before in (None, first - _DAY, first + timedelta(microseconds=1), later):
            assert not await orders.note_taken_in(_RECORD, until=later, before=before)
        assert (await orders.taken_in(_RECORD)).until == first

    async def test_of_many_who_note_it_at_once_one_does(self, orders: OrderRepository) -> None:
        first = self.now()
        for before in (None, first):
            answers = await asyncio.gather(
                *(
                    orders.note_taken_in(
                        _RECORD, until=first if before is None else first + n * _DAY, before=before
                    )
                    for n in range(1, 6)
                )
            )

            assert sorted(answers) == [False, False, False, False, True]

    async def test_each_provider_account_and_installation_has_its_own(
        self, orders: OrderRepository
    ) -> None:
        until = self.now()
        await orders.note_taken_in(_RECORD, until=until, before=None)

        for other in (
            replace(_RECORD, provider="square"),
            replace(_RECORD, account="test:größe"),
            replace(_RECORD, installation="another"),
        ):
            assert (await orders.taken_in(other)).until is None
            assert await orders.note_taken_in(other, until=until - _DAY, before=None)
        assert (await orders.taken_in(_RECORD)).until == until
