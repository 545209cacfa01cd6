"""What the worker makes of the charges that a request left open."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Absence, ActionRequired, NotFound, Report, Succeeded
from order_core.payment import Origin, TransactionStatus
from order_core.payment_terms import CaptureMode, GatewayProfile
from order_memory import ScriptedGateway, reactions
from tests.unit.core.telling_and_deciding import without_look_ups


async def test_a_charge_whose_answer_was_lost_is_found_and_places_the_order(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_answer")
    await shop.work_until(passed=timedelta(minutes=2))
    order = await shop.orders.get(opened.id)

    assert order.status is OrderStatus.PENDING
    assert len(shop.gateway.asked) == 1
    assert [notice.happened.event.name for notice in shop.notifier.told] == ["order_placed"]


async def test_a_stored_error_is_seen_through_by_looking_up(shop: Any) -> None:
    opened = await shop.place(payment_method="error_after")
    await shop.work_until(passed=timedelta(minutes=2))

    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING


async def test_a_charge_whose_request_was_lost_is_sent_again_under_its_key(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    shop.gateway.react(reactions.OBEY)
    await shop.work_until(passed=timedelta(minutes=2))

    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING
    assert len({asked.key for asked in shop.gateway.asked}) == 1
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_nobody_asks_before_the_recovery_delay(shop: Any) -> None:
    await shop.place(payment_method="lost_answer")
    await shop.core.recover()

    assert shop.gateway.looked_up == ()


async def test_not_found_proves_nothing_while_a_request_may_still_arrive(shop: Any) -> None:
    opened = await shop.place(payment_method="late_request")
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    await shop.work_until(passed=timedelta(minutes=25))
    waiting = await shop.orders.get(opened.id)
    shop.gateway.deliver_late_requests()
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert waiting.status is OrderStatus.AWAITING_PAYMENT
    assert order.status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


async def test_a_charge_that_is_provably_absent_fails_the_order(shop: Any) -> None:
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    opened = await shop.place()
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.charge.reason == "never_reached_the_provider"
    assert all(asked.last_send_at < asked.send_until for asked in shop.gateway.asked)
    shop.assert_order_and_money_agree()


async def test_a_charge_that_was_only_ever_sent_away_fails_in_the_end(shop: Any) -> None:
    opened = await shop.place(payment_method="rate_limited")
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert order.status is OrderStatus.PAYMENT_FAILED
    shop.assert_order_and_money_agree()


async def test_nothing_is_sent_after_the_charge_window(shop: Any) -> None:
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 2)
    await shop.place()
    shop.clock.advance(timedelta(minutes=10))
    await shop.work_until(passed=timedelta(minutes=5))

    assert len(shop.gateway.asked) == 1


async def test_money_that_turns_up_after_a_proven_no_goes_back(shop: Any) -> None:
    opened = await shop.place(payment_method="late_request")
    await shop.work_until(passed=timedelta(minutes=45))
    failed = await shop.orders.get(opened.id)
    shop.gateway.deliver_late_requests()
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert failed.status is OrderStatus.PAYMENT_FAILED
    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.payment_status is PaymentStatus.REFUNDED
    assert [t.origin for t in order.transactions].count(Origin.PROVIDER) == 1
    shop.assert_order_and_money_agree()


async def test_a_buyer_who_approves_has_his_order_placed(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.gateway.approve(opened.charge.provider_reference)
    await shop.work_until(passed=timedelta(minutes=2))

    assert opened.charge.action_url
    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING


async def test_an_approval_that_never_comes_expires_at_the_provider_first(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.charge.status is TransactionStatus.VOIDED
    assert not shop.gateway.approve(opened.charge.provider_reference)
    shop.assert_order_and_money_agree()


async def test_an_approval_in_the_last_moment_wins_over_the_expiry(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.gateway.fail_look_ups(1)
    shop.clock.advance(timedelta(minutes=31))
    shop.gateway.approve(opened.charge.provider_reference)
    await shop.work_until()

    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


@pytest.mark.parametrize("approved", [True, False])
async def test_an_asynchronous_payment_ends_as_the_provider_says(
    shop: Any, *, approved: bool
) -> None:
    opened = await shop.place(payment_method="pending")
    reference = opened.charge.provider_reference
    assert shop.gateway.settle(reference) if approved else shop.gateway.refuse(reference)
    await shop.work_until()
    status = (await shop.orders.get(opened.id)).status

    assert status is (OrderStatus.PENDING if approved else OrderStatus.PAYMENT_FAILED)
    shop.assert_order_and_money_agree()


async def test_without_a_look_up_nobody_concludes_that_nothing_happened(shop: Any) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    shop.gateway = ScriptedGateway(shop.clock, profile=profile)
    shop.core = shop.assembled()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    opened = await shop.place()
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert shop.gateway.looked_up == ()


@pytest.mark.parametrize("what", ["charge", "capture"])
async def test_without_a_look_up_what_is_pending_goes_before_a_person_once_nobody_tells_its_end(
    make_shop: Callable[..., Any], what: str
) -> None:
    capture = CaptureMode.ON_PROCESSING if what == "capture" else CaptureMode.IMMEDIATE
    shop = without_look_ups(make_shop(capture=capture))
    opened = await shop.place(payment_method="ok" if what == "capture" else "pending")
    if what == "capture":
        shop.gateway.react(reactions.WAIT)
        opened = await shop.core.process(opened.id, by="staff")
    pending = opened.transactions[-1]
    assert pending.status is TransactionStatus.PENDING
    await shop.work_until(passed=timedelta(days=2))
    assert (await shop.orders.get(opened.id)).transaction(pending.id).is_open
    await shop.work_until(passed=timedelta(days=14))
    order = await shop.orders.get(opened.id)

    assert order.transaction(pending.id).review == "provider_has_no_look_up"
    assert order.attend_at is None
    # It is welcome all the same, should it be told after all.
    done = Report(Succeeded(pending.provider_reference, pending.amount, pending.id))
    order = await shop.core.settle(order, pending.id, done)
    begun = OrderStatus.PROCESSING if what == "capture" else OrderStatus.PENDING
    assert (order.status, order.payment_status) == (begun, PaymentStatus.PAID)


async def test_what_only_an_event_can_tell_is_looked_after_once_and_not_all_the_time(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    opened = await shop.place(payment_method="pending")
    await shop.work_until(passed=timedelta(days=13))
    order = await shop.orders.get(opened.id)

    assert order.charge.attempts == 1
    assert order.charge.attend_at <= opened.created_at + timedelta(days=15)


async def test_if_it_waits_for_its_buyer_after_all_that_ends_in_time(shop: Any) -> None:
    shop = without_look_ups(shop)
    opened = await shop.place(payment_method="pending")
    await shop.work_until(passed=timedelta(minutes=5))
    order = await shop.orders.get(opened.id)
    asks = ActionRequired(order.charge.provider_reference or "", url="https://pay.test/1")
    await shop.core.settle(order, order.charge.id, Report(asks))
    await shop.work_until(passed=timedelta(days=1))

    assert (await shop.orders.get(opened.id)).status is OrderStatus.PAYMENT_FAILED


async def test_another_account_is_neither_asked_nor_charged(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    shop.gateway = ScriptedGateway(
        shop.clock, profile=GatewayProfile("scripted", "the other account")
    )
    shop.core = shop.assembled()
    await shop.work_until()

    assert shop.gateway.asked == shop.gateway.looked_up == ()
    assert (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT


async def test_a_provider_that_is_switched_off_leaves_the_order_open(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_answer")
    other = ScriptedGateway(shop.clock, profile=GatewayProfile("other", "test"))
    shop.core = shop.assembled(gateways={"other": other}, default_provider="other")
    await shop.work_until()

    assert (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT


async def test_a_fact_needs_no_lease(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_answer")
    shop.clock.advance(timedelta(minutes=1))
    ((order, held),) = await shop.core.recover.claim(limit=1)
    entry = shop.gateway.ledger.of(opened.charge)
    fact = Report(Succeeded(entry.reference, entry.amount, opened.charge.id))
    settled = await shop.core.settle(opened, opened.charge.id, fact)
    await shop.core.recover.attend(order, held)

    assert settled.status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


async def test_the_worker_waits_longer_each_time_with_jitter(shop: Any) -> None:
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    opened = await shop.place()
    waits = []
    for _ in range(4):
        order = await shop.orders.get(opened.id)
        waits.append(order.attend_at - shop.clock.now())
        shop.clock.set(order.attend_at)
        await shop.core.recover()

    assert waits[0] == timedelta(seconds=30)
    assert waits[1] < waits[2] < waits[3]
    assert timedelta(seconds=15) <= waits[1] <= timedelta(seconds=30)


async def test_an_absence_seen_too_early_changes_nothing(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    unchanged = await shop.core.settle(opened, opened.charge.id, Absence(shop.clock.now()))

    assert unchanged == opened


async def test_a_payment_that_the_provider_does_not_know_by_its_id_ends_with_a_person(
    shop: Any,
) -> None:
    asked_about = []

    class AnotherAccount(type(shop.gateway)):  # type: ignore[misc] # The key was changed.
        async def look_up(self, transaction: Any, /) -> Any:
            asked_about.append(transaction)
            return NotFound(by_id=True)

    shop.gateway = AnotherAccount(shop.clock)
    shop.core = shop.assembled()
    opened = await shop.place(payment_method="pending")
    await shop.work_until(passed=timedelta(minutes=20))
    waiting = await shop.orders.get(opened.id)
    await shop.work_until(passed=timedelta(hours=20))
    order = await shop.orders.get(opened.id)

    assert waiting.charge.status is TransactionStatus.PENDING
    assert (order.charge.status, order.charge.review) == (
        TransactionStatus.IN_REVIEW,
        "not_in_this_account",
    )
    assert order.attend_at is None
    assert len(asked_about) < 20
    # It was not concluded that nothing happened, so the payment is welcome still.
    success = Succeeded(order.charge.provider_reference, order.total, order.charge.id)
    paid = await shop.core.settle(order, order.charge.id, Report(success))
    assert paid.status is OrderStatus.PENDING


async def test_a_second_look_that_the_provider_does_not_understand_ends_with_a_person(
    shop: Any,
) -> None:
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    opened = await shop.place()
    await shop.work_until(passed=timedelta(minutes=45))
    failed = await shop.orders.get(opened.id)
    asked_about = []

    class AnotherAccount(type(shop.gateway)):  # type: ignore[misc] # The key was changed.
        async def look_up(self, transaction: Any, /) -> Any:
            asked_about.append(transaction)
            return NotFound(by_id=True)

    shop.gateway = AnotherAccount(shop.clock)
    shop.core = shop.assembled()
    await shop.work_until(passed=timedelta(days=7))
    order = await shop.orders.get(opened.id)

    assert failed.charge.status is TransactionStatus.FAILED
    assert failed.attend_at is not None
    assert order.attend_at is None
    assert len(asked_about) < 20
    assert (order.charge.status, order.charge.review) == (
        TransactionStatus.FAILED,
        "not_in_this_account",
    )
    assert order.status is OrderStatus.PAYMENT_FAILED
