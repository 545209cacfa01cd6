"""What a repository must do about the providers' events that were dealt with."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.money import Money
from order_core.outcomes import Declined, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import EventPlace, OrderRepository, ProviderFact, ReceivedEvent
from order_memory.contracts import samples
from order_memory.contracts.stores import StoreSuite

_SECOND = timedelta(seconds=1)
_KEPT = (
    ProviderFact(
        TransactionKind.REFUND,
        Succeeded("re ü'\"; --", Money(1, "EUR"), "t-1"),
        "re ü'\"; --",
        "t-1",
        "größe",
        "pi-1",
    ),
    ProviderFact(
        TransactionKind.REVERSAL,
        Reversed("dp-1", Money(999_999_999, "JPY"), "lost:größe", open=True),
        "dp-1",
        parent_reference="pi-2",
    ),
    ProviderFact(TransactionKind.REVERSAL, Restored("dp-2", Money(7, "EUR"), "won"), "dp-2", "t-2"),
    ProviderFact(
        TransactionKind.REFUND,
        Declined("größe", retryable=True, reference="re-2"),
        "re-2",
        parent_reference="pi-2",
        sequence=2**53,
    ),
)
"""One of each kind that an event is kept with."""


class ReceivedEventSuite(StoreSuite):
    """Each event is remembered once, and those that nobody understands can be read."""

    def unmatched(self, event_id: str, *, seconds_ago: int = 0, **but: Any) -> ReceivedEvent:  # noqa: ANN401
        """An event about a transaction that nobody knows."""
        event = ReceivedEvent(
            provider="scripted",
            event_id=event_id,
            name="payment.succeeded",
            received_at=self.now() - seconds_ago * _SECOND,
            verdict="unknown_transaction",
        )
        return replace(event, **but)

    def since(self, seconds_ago: int) -> EventPlace:
        """Before every event that was received then or later."""
        return (self.now() - seconds_ago * _SECOND, "", "")

    async def test_an_event_is_received_once(self, orders: OrderRepository) -> None:
        event = self.unmatched("evt_1")

        answers = [await orders.receive(event) for _ in range(3)]

        assert answers == [True, False, False]
        assert await orders.unmatched_events(limit=10) == (event,)

    async def test_what_was_received_first_is_kept(self, orders: OrderRepository) -> None:
        first = self.unmatched("evt_1", seconds_ago=1)
        again = self.unmatched("evt_1", name="payment.failed")

        await orders.receive(first)

        assert not await orders.receive(again)
        assert await orders.unmatched_events(limit=10) == (first,)

    async def test_of_one_event_received_many_times_at_once_one_is_new(
        self, orders: OrderRepository
    ) -> None:
        event = self.unmatched("evt_1")

        answers = await asyncio.gather(*(orders.receive(event) for _ in range(5)))

        assert sorted(answers) == [False, False, False, False, True]

    async def test_equal_ids_of_two_providers_are_two_events(self, orders: OrderRepository) -> None:
        await orders.receive(self.unmatched("evt_1"))

        assert await orders.receive(self.unmatched("evt_1", provider="another"))
        assert await orders.receive(self.unmatched("EVT_1"))

    async def test_which_events_are_remembered_can_be_asked(self, orders: OrderRepository) -> None:
        strange = "evt 'ü\"; --"
        for event_id in ("evt_1", strange, "evt_3"):
            await orders.receive(self.unmatched(event_id, verdict="settled"))
        await orders.receive(self.unmatched("evt_4", provider="another"))

        asked = ["evt_1", "evt_2", strange, "evt_4", "EVT_3", *(f"none_{n}" for n in range(95))]

        assert await orders.remembered("scripted", asked) == {"evt_1", strange}
        assert await orders.remembered("scripted", []) == frozenset()

    async def test_an_event_may_belong_to_an_order(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.a_placed_order(self.now()))).order
        event = self.unmatched("evt_1", order_id=order.id)

        assert await orders.receive(event)
        assert await orders.unmatched_events(limit=10) == (event,)
        assert await orders.get(order.id) == order

    async def test_every_field_of_an_event_comes_back(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.an_order(self.now()))).order
        event = ReceivedEvent(
            provider="straße",
            event_id="evt ü'\"; --",
            name="größe.succeeded",
            received_at=self.now().replace(microsecond=123457),
            verdict="unknown_transaction",
            order_id=order.id,
            facts=_KEPT,
        )

        await orders.receive(event)

        (found,) = await orders.unmatched_events(limit=1)
        (matchable,) = await orders.events_to_match(after=self.since(9), limit=1)
        assert found == matchable == event
        assert found.received_at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("verdict", ["settled", "no_news", "no_fact", "other_installation"])
    async def test_an_event_that_was_understood_needs_nobody(
        self, orders: OrderRepository, verdict: str
    ) -> None:
        event = self.unmatched("evt_1", verdict=verdict)

        assert await orders.receive(event)
        assert not await orders.receive(event)
        assert await orders.unmatched_events(limit=10) == ()

    async def test_the_newest_unmatched_events_come_first(self, orders: OrderRepository) -> None:
        middle, newest, oldest = [
            self.unmatched(f"evt_{number}", seconds_ago=ago)
            for number, ago in enumerate((20, 10, 30))
        ]
        for event in (middle, newest, oldest):
            await orders.receive(event)
        await orders.receive(self.unmatched("evt_9", verdict="settled"))

        assert await orders.unmatched_events(limit=10) == (newest, middle, oldest)
        assert await orders.unmatched_events(limit=2) == (newest, middle)

    async def test_events_to_match_come_oldest_first_and_page_by_page(
        self, orders: OrderRepository
    ) -> None:
        middle, newest, oldest, too_old = [
            self.unmatched(f"evt_{number}", seconds_ago=ago, facts=_KEPT[:1])
            for number, ago in enumerate((20, 10, 30, 31))
        ]
        twin = replace(middle, provider="tinsel")
        for event in (middle, newest, oldest, too_old, twin):
            await orders.receive(event)

        first = await orders.events_to_match(after=(oldest.received_at, "", ""), limit=2)
        second = await orders.events_to_match(after=first[-1].place, limit=2)
        assert (first, second) == ((oldest, middle), (twin, newest))
        assert await orders.events_to_match(after=newest.place, limit=2) == ()

    async def test_an_event_without_facts_or_with_another_verdict_has_nothing_to_match(
        self, orders: OrderRepository
    ) -> None:
        await orders.receive(self.unmatched("evt_1"))
        await orders.receive(self.unmatched("evt_2", facts=_KEPT, verdict="settled"))

        assert await orders.events_to_match(after=self.since(9), limit=10) == ()

    async def test_an_event_is_matched_once(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.a_placed_order(self.now()))).order
        event, other = [self.unmatched(name, facts=_KEPT) for name in ("evt_1", "evt_2")]
        for each in (event, other):
            await orders.receive(each)
        matched = replace(event, verdict="settled", order_id=order.id)

        assert [await orders.match(matched), await orders.match(matched)] == [True, False]
        assert await orders.unmatched_events(limit=10) == (other,)
        assert await orders.events_to_match(after=self.since(9), limit=10) == (other,)
        assert not await orders.receive(event)
        assert await orders.unmatched_events(limit=10) == (other,)

    async def test_an_event_that_was_never_received_is_not_matched(
        self, orders: OrderRepository
    ) -> None:
        event = self.unmatched("evt_1", facts=_KEPT)
        await orders.receive(event)

        assert not await orders.match(replace(event, event_id="evt_2", verdict="settled"))
        assert not await orders.match(replace(event, provider="another", verdict="settled"))
        assert await orders.unmatched_events(limit=10) == (event,)
