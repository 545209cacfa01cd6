"""Money is on record once, and what is told about it is true."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotProcess
from order_core.immutable import replace
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Declined, NotFound, Report, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureLate, CaptureMode
from order_core.reviewing import ReviewDecision
from order_email.wording import money_back, paid_back
from order_memory import Standing, reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups


async def lost_and_accepted(shop: Any) -> Order:
    placed, provider = await shop.place(), Provider(shop)
    parent = placed.charge.provider_reference
    lost = Reversed("dp-1", WHOLE, "dispute_lost")
    await provider.tells(TransactionKind.REVERSAL, lost, parent_reference=parent)
    order = await shop.orders.get(placed.id)
    return await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)


async def test_our_refund_that_failed_is_not_counted_because_its_making_is_told_late(
    shop: Any,
) -> None:
    placed, provider = await shop.place(), Provider(shop)
    shop.gateway.react(reactions.WAIT)
    asked = await shop.core.cancel(placed.id, customer_id="ann")
    refund = asked.transactions[-1]
    reference = refund.provider_reference
    named = {"transaction_id": refund.id, "parent_reference": placed.charge.provider_reference}
    shop.gateway.ledger.end(reference, Standing.DECLINED, reason="refund_failed")
    # The failure is delivered first, the success that came before it last.
    await provider.tells(
        TransactionKind.REFUND, Reversed(reference, WHOLE, "refund_failed"), **named
    )
    shop.gateway.react(*[reactions.decline("account_closed")] * 3)
    await provider.tells(TransactionKind.REFUND, Succeeded(reference, WHOLE, refund.id), **named)
    await shop.work_until()
    order = await shop.orders.get(placed.id)

    assert shop.net_minor_units_at_the_provider() == 2500
    assert order.refunded_minor_units == 0
    assert order.left_of(order.charge) == 2500


async def test_a_look_up_of_a_hold_that_loses_the_race_against_its_captures_event_counts_once(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    provider = Provider(shop)
    placed = await shop.place()
    hold = placed.charge.provider_reference
    # Somebody captures at the dashboard; a worker looks the hold up and sees that ...
    seen = Report(Succeeded("cap-dash", WHOLE, placed.charge.id), shop.clock.now())
    # ... the event of the capture is stored first ...
    await provider.tells(
        TransactionKind.CAPTURE, Succeeded("cap-dash", WHOLE, ""), parent_reference=hold
    )
    # ... and the worker's save meets it.
    order = await shop.core.settle(placed, placed.charge.id, seen)

    assert order.captured_minor_units == 2500


async def test_a_look_up_of_a_hold_that_is_told_after_our_capture_counts_once(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed = await shop.place()
    processing = await shop.core.process(placed.id, by="staff")
    seen = await shop.gateway.look_up(placed.charge)
    order = await shop.core.settle(processing, placed.charge.id, Report(seen, shop.clock.now()))

    assert order.captured_minor_units == 2500
    assert order.payment_status is PaymentStatus.PAID


async def test_what_was_never_sent_and_cannot_be_looked_up_comes_to_rest(shop: Any) -> None:
    shop = without_look_ups(shop)
    shop.gateway.react(*[reactions.NOT_SEND] * 200)
    opened = await shop.place()
    await shop.work_until(passed=timedelta(days=3))
    order = await shop.orders.get(opened.id)

    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.attend_at is None


async def test_news_of_another_try_of_a_payment_that_was_given_up_is_not_asked_about_for_ever(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="pending")

    async def another_account(_transaction: Any, /) -> Any:
        return NotFound(by_id=True)

    shop.gateway.look_up = another_account
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(opened.id)
    assert order.charge.review == "not_in_this_account"
    assert order.attend_at is None
    other = Report(Declined("card_declined", reference="another-try"))
    await shop.core.settle(order, order.charge.id, other)
    await shop.work_until(passed=timedelta(days=3))

    assert (await shop.orders.get(opened.id)).attend_at is None


async def test_nobody_is_promised_money_that_the_bank_gave_back_already(shop: Any) -> None:
    order = await lost_and_accepted(shop)
    cancelled = await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until()

    assert "will pay them back" not in money_back(await shop.orders.get(cancelled.id))


async def test_a_refund_that_came_back_and_was_made_again_is_not_said_to_be_the_banks(
    shop: Any,
) -> None:
    cancelled = await shop.core.cancel((await shop.place()).id, customer_id="ann")
    refund = cancelled.transactions[-1]
    shop.gateway.ledger.end(refund.provider_reference, Standing.DECLINED, reason="returned")
    back = Report(Declined("returned", reference=refund.provider_reference))
    order = await shop.core.settle(cancelled, refund.id, back)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.REFUND)

    assert money_back(order).startswith("25.00 EUR have been paid back to you.")


async def test_an_order_whose_money_the_bank_took_back_is_not_begun(shop: Any) -> None:
    # It could never be shipped then, and never be cancelled.
    order = await lost_and_accepted(shop)

    with pytest.raises(CannotProcess):
        await shop.core.process(order.id, by="staff")


async def test_an_order_whose_money_is_on_its_way_back_is_not_begun(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    await shop.core.refund(placed.id, by="staff")

    with pytest.raises(CannotProcess) as refusal:
        await shop.core.process(placed.id, by="other staff")
    assert refusal.value.reason == "refunded"


async def test_a_refund_of_everything_gives_back_both_payments(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    provider = Provider(shop)
    placed = await shop.place()
    hold = placed.charge
    for part in (1600, 900):
        taken = shop.gateway.ledger.write(
            replace(
                hold,
                kind=TransactionKind.CAPTURE,
                id=f"dashboard-{part}",
                parent_reference=hold.provider_reference,
                provider_reference=None,
                amount=Money(part, "EUR"),
            ),
            Standing.SUCCEEDED,
        )
        await provider.tells(
            TransactionKind.CAPTURE,
            replace(taken, transaction_id=""),
            parent_reference=hold.provider_reference,
        )
    order = await shop.orders.get(placed.id)
    for transaction in order.transactions[1:]:
        order = await decide(shop, order, transaction, ReviewDecision.ACCEPT)
    order = await shop.core.refund(placed.id, by="staff")

    assert order.refund_asked_minor_units == 2500


async def test_processing_beside_the_capture_of_the_last_day_begins_the_order(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=CaptureLate.CAPTURE)
    placed = await shop.place()
    shop.clock.set(placed.charge.capture_before - timedelta(hours=24))
    shop.gateway.react(reactions.LOSE_ANSWER)
    for _ in range(3):
        await shop.core.recover()
    order = await shop.orders.get(placed.id)
    assert order.transactions[-1].kind is TransactionKind.CAPTURE
    await shop.core.process(placed.id, by="staff")
    await shop.work_until(passed=timedelta(hours=1))

    assert (await shop.orders.get(placed.id)).status is OrderStatus.PROCESSING


async def test_no_mail_speaks_of_nothing_that_was_got_back(shop: Any) -> None:
    class Down:
        async def tell(self, _notice: Any) -> None:
            raise OSError

    shop.core = shop.assembled(notifier=Down())
    placed = await shop.place()
    refunded = await shop.core.refund(placed.id, by="staff")
    refund = refunded.transactions[-1]
    await shop.work_until(passed=timedelta(hours=2))
    await shop.core.settle(
        refunded, refund.id, Report(Declined("no_account", reference=refund.provider_reference))
    )
    shop.core = shop.assembled()
    await shop.work_until(passed=timedelta(hours=3))
    mails = [n for n in shop.notifier.told if n.happened.event.name == "payment_refunded"]

    assert mails
    assert all("got back 0.00" not in paid_back(n.order, n.happened.event.amount) for n in mails)


@pytest.mark.parametrize("named", [True, False])
async def test_our_refund_that_came_back_before_we_heard_of_it_is_not_counted_when_that_is_told(
    shop: Any, *, named: bool
) -> None:
    placed, provider = await shop.place(), Provider(shop)
    shop.gateway.react(reactions.LOSE_ANSWER, reactions.WAIT)
    refund = (await shop.core.refund(placed.id, by="staff", amount=PART)).transactions[-1]
    parent = {"parent_reference": placed.charge.provider_reference}
    mark = {"transaction_id": refund.id}
    back = Reversed("re-9", PART, "account_closed")
    await provider.tells(TransactionKind.REFUND, back, **mark, **parent)
    done = Succeeded("re-9", PART, refund.id if named else "")
    await provider.tells(TransactionKind.REFUND, done, **(mark if named else {}), **parent)
    order = await shop.orders.get(placed.id)

    assert order.refunded_minor_units == 0
    # It is made anew, as that part.
    assert order.refund_asked_minor_units == PART.minor_units


async def test_the_return_of_what_went_back_twice_is_that_of_the_one_that_came_back(
    shop: Any,
) -> None:
    placed, provider = await shop.place(), Provider(shop)
    refund = (await shop.core.refund(placed.id, by="staff", amount=PART)).transactions[-1]
    named = {"transaction_id": refund.id, "parent_reference": placed.charge.provider_reference}
    again = Succeeded("re-9", PART, refund.id)
    await provider.tells(TransactionKind.REFUND, again, **named)
    for _ in range(2):
        back = Reversed("re-9", PART, "account_closed")
        await provider.tells(TransactionKind.REFUND, back, **named)
    order = await shop.orders.get(placed.id)

    second = next(t for t in order.transactions if t.provider_reference == "re-9")
    assert (order.returned_of(refund), order.returned_of(second)) == (0, 700)
    assert order.refund_asked_minor_units == order.refunded_minor_units == 700


async def test_the_return_of_our_refund_may_have_a_reference_of_its_own(shop: Any) -> None:
    placed, provider = await shop.place(), Provider(shop)
    refund = (await shop.core.refund(placed.id, by="staff", amount=PART)).transactions[-1]
    back = Reversed("return-9", PART, "account_closed")
    await provider.tells(TransactionKind.REFUND, back, transaction_id=refund.id)
    order = await shop.orders.get(placed.id)

    assert order.refunded_minor_units == 0


async def test_a_refund_that_a_look_up_shows_by_its_reference_without_our_mark_is_ours(
    shop: Any,
) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.refund(placed.id, by="staff", amount=PART)
    refund = order.transactions[-1]
    shown = Report(Succeeded(refund.provider_reference, PART, ""), shop.clock.now())
    order = await shop.core.settle(order, refund.id, shown)

    assert (order.refunded_minor_units, order.attend_at) == (700, None)
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED


async def test_a_refund_that_carries_anothers_mark_is_doubted_whatever_its_reference(
    shop: Any,
) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.refund(placed.id, by="staff", amount=PART)
    refund = order.transactions[-1]
    shown = Report(Succeeded(refund.provider_reference, PART, "another"), shop.clock.now())
    order = await shop.core.settle(order, refund.id, shown)

    assert order.transaction(refund.id).review == "names_another_transaction"
    assert order.refunded_minor_units == 0
