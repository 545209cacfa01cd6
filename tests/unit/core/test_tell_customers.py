"""Customers hear of what happened, at least once, and a lost mail harms no order."""

from datetime import timedelta
from typing import Any

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.order_status import OrderStatus
from order_core.use_cases.tell_customers import MAX_DELIVERIES


async def test_the_customer_hears_of_the_order_its_end_and_the_refund(shop: Any) -> None:
    placed = await shop.place()
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(minutes=1))

    assert [notice.happened.event.name for notice in shop.notifier.told] == [
        "order_placed",
        "order_cancelled",
        "payment_refunded",
    ]
    assert {notice.email for notice in shop.notifier.told} == {"ann@example.com"}


async def test_an_order_without_an_address_tells_nobody_and_waits_for_nobody(shop: Any) -> None:
    await shop.place(email=None)
    await shop.work_until(passed=timedelta(minutes=1))

    assert shop.notifier.told == ()
    assert await shop.core.tell() == 0


async def test_incident_24_a_failing_mail_leaves_the_order_placed_and_comes_later(
    shop: Any,
) -> None:
    shop.notifier.fail_next(NotificationFailed("451"), NotificationFailed("451"))
    placed = await shop.place()
    await shop.core.tell()
    order = await shop.orders.get(placed.id)
    for _ in range(3):
        shop.clock.advance(timedelta(minutes=1))
        await shop.core.tell()

    assert order.status is OrderStatus.PENDING
    assert [notice.attempts for notice in shop.notifier.told] == [2]


async def test_a_channel_that_raises_anything_else_does_not_stop_the_other_mails(
    shop: Any,
) -> None:
    shop.notifier.fail_next(KeyError("a fault of the channel"))
    await shop.place()
    await shop.place(customer_id="bob", email="bob@example.com")
    await shop.core.tell()
    shop.clock.advance(timedelta(minutes=1))
    await shop.core.tell()

    assert [n.email for n in shop.notifier.told] == ["bob@example.com", "ann@example.com"]


async def test_a_mail_that_can_never_be_delivered_is_given_up_with_its_reason(shop: Any) -> None:
    shop.notifier.fail_next(NotificationRefused("550 no such user"))
    await shop.place()
    await shop.core.tell()
    shop.clock.advance(timedelta(days=2))

    assert await shop.core.tell() == 0
    assert shop.core.tell.outbox.given_up[0][1] == "550 no such user"


async def test_a_mail_that_fails_for_ever_is_given_up_in_the_end(shop: Any) -> None:
    shop.notifier.fail_next(*[NotificationFailed("451")] * MAX_DELIVERIES)
    await shop.place()
    for _ in range(MAX_DELIVERIES):
        await shop.core.tell()
        shop.clock.advance(timedelta(hours=5))

    assert shop.notifier.told == ()
    assert shop.core.tell.outbox.given_up[0][1] == "451"
