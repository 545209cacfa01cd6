"""What a notifier must do."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from order_core.errors import NotificationFailed
from order_core.events import (
    TOLD_TO_THE_CUSTOMER,
    Event,
    Happened,
    OrderCancelled,
    OrderPlaced,
    OrderShipped,
    PaymentRefunded,
)
from order_core.ports import Notice, Notifier
from order_memory.contracts import samples

_AT: Final = datetime(2030, 5, 17, 9, 30, tzinfo=UTC)


class NotifierContract:
    """Override the fixture `notifier`, `recipients` and `break_the_channel`."""

    @pytest.fixture
    async def notifier(self) -> Notifier:
        """A notifier whose channel works."""
        raise NotImplementedError

    async def recipients(self) -> tuple[str, ...]:
        """The addresses of the messages that arrived, in the order of arrival."""
        raise NotImplementedError

    async def break_the_channel(self) -> None:
        """From now on nothing can be delivered, for a reason that may pass."""
        raise NotImplementedError

    async def test_a_notice_reaches_its_address(self, notifier: Notifier) -> None:
        await notifier.tell(a_notice(email="ann@example.com"))
        await notifier.tell(a_notice(email="bob@example.com"))

        assert await self.recipients() == ("ann@example.com", "bob@example.com")

    async def test_every_event_that_is_told_can_be_told(self, notifier: Notifier) -> None:
        charge = samples.a_placed_order(_AT).charge
        events: tuple[Event, ...] = (
            OrderPlaced(charge.id, "pay_1"),
            OrderCancelled("ann"),
            OrderShipped("parcel-1", "staff"),
            PaymentRefunded("refund-1", "25.00 EUR", "re_1"),
        )
        assert {type(event) for event in events} == TOLD_TO_THE_CUSTOMER

        for number, event in enumerate(events, start=3):
            await notifier.tell(replace(a_notice(), happened=Happened(number, _AT, event)))

        assert len(await self.recipients()) == len(events)

    async def test_the_fullest_order_can_be_told(self, notifier: Notifier) -> None:
        await notifier.tell(replace(a_notice(), order=samples.the_fullest_order(_AT)))

        assert len(await self.recipients()) == 1

    async def test_a_notice_may_come_twice(self, notifier: Notifier) -> None:
        notice = a_notice()
        await notifier.tell(notice)

        await notifier.tell(replace(notice, attempts=1))

        assert set(await self.recipients()) == {notice.email}

    async def test_a_channel_that_does_not_work_is_no_delivery(self, notifier: Notifier) -> None:
        await self.break_the_channel()

        with pytest.raises(NotificationFailed):
            await notifier.tell(a_notice())

        assert await self.recipients() == ()


def a_notice(*, email: str = "ann@example.com") -> Notice:
    """Tells that an order was placed."""
    order = samples.a_placed_order(_AT)
    return Notice(order, order.news[-1], email)
