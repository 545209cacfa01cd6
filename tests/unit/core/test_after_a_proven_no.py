"""What is told of a payment that was proven never to have happened, more than once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.outcomes import Authorized, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_memory import reactions
from tests.unit.core.telling_and_deciding import WHOLE, Provider


async def test_what_was_taken_instead_of_held_after_a_proven_no_is_on_record_once(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    opened = await shop.place(payment_method="lost_request")
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.work_until()
    order = await shop.orders.get(opened.id)
    assert order.charge.status is TransactionStatus.FAILED
    # An event tells it while a look-up that shows it is on its way back.
    for asked_at in (None, shop.clock.now()):
        taken = Report(Succeeded("ref-9", WHOLE, order.charge.id), asked_at)
        order = await shop.core.settle(order, order.charge.id, taken)

    assert order.captured_minor_units == 2500
    assert order.refund_asked_minor_units == 2500


@pytest.mark.parametrize("event_first", [False, True])
async def test_what_was_taken_instead_of_held_is_on_record_once_whatever_its_event_calls_it(
    make_shop: Callable[..., Any], *, event_first: bool
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    opened, provider = await shop.place(payment_method="lost_request"), Provider(shop)
    await shop.work_until(passed=timedelta(minutes=50))
    order = await shop.orders.get(opened.id)
    assert order.charge.status is TransactionStatus.FAILED
    shop.gateway.react(*[reactions.WAIT] * 9)
    # As Stripe tells that somebody captured it: by the id of the payment, which is all there is.
    named = {"parent_reference": "pi-9"}
    if event_first:
        await provider.tells(TransactionKind.CAPTURE, Succeeded("pi-9", WHOLE, ""), **named)
    shown = Report(Succeeded("pi-9", WHOLE, order.charge.id), shop.clock.now())
    await shop.core.settle(order, order.charge.id, shown)
    if not event_first:
        await provider.tells(TransactionKind.CAPTURE, Succeeded("pi-9", WHOLE, ""), **named)
    await shop.work_until(passed=timedelta(hours=1))

    order = await shop.orders.get(opened.id)
    assert order.captured_minor_units == order.refund_asked_minor_units == 2500


async def test_what_was_held_instead_of_taken_after_a_proven_no_is_a_hold(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(hours=3))
    order = await shop.orders.get(opened.id)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    held = Report(Authorized("ref-8", WHOLE, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, held)
    hold = order.transactions[1]
    taken = Report(Succeeded("cap-8", WHOLE, order.charge.id), shop.clock.now())
    order = await shop.core.settle(order, hold.id, taken)

    assert hold.kind is TransactionKind.AUTHORIZATION
    assert order.captured_minor_units == order.refund_asked_minor_units == 2500
