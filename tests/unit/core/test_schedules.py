"""Schedules that once lost or doubled money, or told a client what was not true."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CommitUnknown, PossibleDuplicate, StoreUnavailable
from order_core.giving_back import voiding
from order_core.immutable import replace
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import (
    ActionRequired,
    Answer,
    Continue,
    Declined,
    NotSent,
    Report,
    Succeeded,
)
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import GatewayProfile
from order_core.ports import Lease
from order_memory import ScriptedGateway, Standing, reactions


class _FailsAtSave:
    """A store whose save number `at` is refused, with nothing kept."""

    def __init__(self, orders: Any, at: int) -> None:
        self._orders = orders
        self._left = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._orders, name)

    async def save(self, *order: Any, **named: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise StoreUnavailable
        return await self._orders.save(*order, **named)


async def test_once_the_order_is_recorded_nobody_says_that_nothing_happened(shop: Any) -> None:
    shop.core = shop.assembled(orders=_FailsAtSave(shop.orders, at=3))
    with pytest.raises(CommitUnknown):
        await shop.place(payment_method="two_step")
    shop.core = shop.assembled()
    await shop.work_until()

    assert [order.status for order in shop.all_orders] == [OrderStatus.PENDING]


async def test_a_refund_never_goes_through_another_account(shop: Any) -> None:
    placed = await shop.place()
    old = shop.gateway
    shop.gateway = ScriptedGateway(shop.clock, profile=GatewayProfile("scripted", "live-2"))
    shop.core = shop.assembled()
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(minutes=10))
    sent_elsewhere = shop.gateway.asked
    shop.gateway = old
    shop.core = shop.assembled()
    await shop.work_until()

    assert sent_elsewhere == ()
    assert shop.net_minor_units_at_the_provider() == 0


async def test_a_look_up_that_shows_a_first_step_makes_no_third_one(shop: Any) -> None:
    shop.gateway.react(reactions.TWO_STEPS, reactions.LOSE_ANSWER)
    opened = await shop.place()
    fact = Report(Continue("another first step"))
    told = await shop.core.settle(opened, opened.charge.id, fact)
    await shop.work_until()

    assert told.charge.key == opened.charge.key
    assert shop.net_minor_units_at_the_provider() == 2500
    shop.assert_order_and_money_agree()


async def test_not_sent_told_twice_does_not_hide_the_send_in_between(shop: Any) -> None:
    shop.gateway.react(*[reactions.NOT_SEND] * 10)
    order = await shop.place()
    charge = order.charge
    sent = await shop.core.place.carry_out.count_send(order, charge.id)
    again = await shop.core.settle(sent, charge.id, Answer(NotSent("told again"), charge.sends))
    echo = Answer(Declined("token_already_used"), again.charge.sends + 1)
    counted = await shop.core.place.carry_out.count_send(again, charge.id)
    order = await shop.core.settle(counted, charge.id, echo)

    assert order.status is OrderStatus.AWAITING_PAYMENT


async def test_the_void_of_an_expiry_is_not_sent_once_the_order_is_placed(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.clock.advance(timedelta(minutes=31))
    to_void = voiding(
        opened,
        opened.charge,
        at=shop.clock.now(),
        new_id=lambda: "void-1",
        terms=shop.core.settle.terms["scripted"],
    )
    stored = (await shop.orders.save(to_void)).order
    reference = opened.charge.provider_reference
    shop.gateway.approve(reference)
    paid = Report(Succeeded(reference, Money(2500, "EUR"), opened.charge.id))
    await shop.core.settle(stored, opened.charge.id, paid)
    await shop.work_until()

    assert [asked.kind for asked in shop.gateway.asked] == [TransactionKind.CHARGE]
    shop.assert_order_and_money_agree()


async def test_a_refund_outlives_an_outage_of_hours(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 60)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=3))

    assert shop.net_minor_units_at_the_provider() == 0
    shop.assert_order_and_money_agree()


async def test_a_payment_found_alive_after_its_order_failed_is_voided(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(minutes=45))
    failed = await shop.orders.get(opened.id)
    shop.gateway.ledger.write(failed.charge, Standing.ACTION_REQUIRED)
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert failed.status is OrderStatus.PAYMENT_FAILED
    assert order.charge.status is TransactionStatus.VOIDED
    shop.assert_order_and_money_agree()


async def test_old_news_of_a_payment_that_was_given_back_changes_nothing(shop: Any) -> None:
    opened = await shop.place(payment_method="late_request")
    await shop.work_until(passed=timedelta(minutes=45))
    failed = await shop.orders.get(opened.id)
    assert failed.charge.status is TransactionStatus.FAILED
    shop.gateway.deliver_late_requests()
    (paid,) = shop.gateway.ledger.entries
    told = Report(Succeeded(paid.reference, paid.amount, failed.charge.id))
    await shop.core.settle(failed, failed.charge.id, told)
    await shop.work_until()

    given_back = await shop.orders.get(opened.id)
    await shop.core.settle(given_back, failed.charge.id, Report(ActionRequired(paid.reference)))
    await shop.work_until()

    shop.assert_order_and_money_agree()
    order = await shop.orders.get(opened.id)
    assert sum(t.kind is TransactionKind.REFUND for t in order.transactions) == 1


async def test_after_the_buyers_approval_the_worker_takes_the_money_once(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.clock.advance(timedelta(minutes=20))
    approved = Report(Continue(opened.charge.provider_reference))
    stored = await shop.core.settle(opened, opened.charge.id, approved)
    again = await shop.core.settle(stored, opened.charge.id, approved)
    await shop.work_until(passed=timedelta(minutes=5))
    order = await shop.orders.get(opened.id)

    assert again.charge.step == 2
    assert order.status is OrderStatus.PENDING
    assert [asked.key for asked in shop.gateway.asked] == [
        opened.charge.id,
        f"{opened.charge.id}-2",
    ]
    shop.assert_order_and_money_agree()


async def test_old_news_of_the_buyers_page_makes_no_third_step(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    reference = opened.charge.provider_reference
    asked, approved = Report(ActionRequired(reference)), Report(Continue(reference))
    taking = await shop.core.settle(opened, opened.charge.id, approved)
    # A worker is about to send the second step, and stands still.
    counted = taking.with_transaction(taking.charge.sending(shop.clock.now()))
    sending = (await shop.orders.save(counted)).order

    told = await shop.core.settle(sending, opened.charge.id, asked)
    told = await shop.core.settle(told, opened.charge.id, approved)

    assert told.charge == sending.charge


async def test_a_buyer_who_agrees_while_the_payment_is_let_go_is_too_late(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    await shop.work_until(passed=timedelta(minutes=31))
    expiring = await shop.orders.get(opened.id)

    approved = Report(Continue(opened.charge.provider_reference))
    shop.gateway.forget_reactions()
    told = await shop.core.settle(expiring, opened.charge.id, approved)
    await shop.work_until(passed=timedelta(hours=1))

    order = await shop.orders.get(opened.id)
    assert [t.kind for t in expiring.transactions if t.is_open] == [
        TransactionKind.CHARGE,
        TransactionKind.VOID,
    ]
    assert told.charge == expiring.charge
    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.payment_status is PaymentStatus.UNPAID
    assert not shop.gateway.ledger.taken(opened.charge.provider_reference)


async def test_a_second_step_that_asks_the_buyer_leads_to_a_third(shop: Any) -> None:
    shop.gateway.react(reactions.TWO_STEPS, reactions.ASK_BUYER)
    opened = await shop.place()
    shop.gateway.ledger.agree(opened.charge.provider_reference)
    await shop.work_until(passed=timedelta(minutes=5))

    order = await shop.orders.get(opened.id)
    assert (opened.charge.status, opened.charge.step) == (TransactionStatus.ACTION_REQUIRED, 2)
    assert (order.status, order.charge.step) == (OrderStatus.PENDING, 3)
    shop.assert_order_and_money_agree()


async def test_a_page_that_a_look_up_shows_is_waited_for_once_no_second_step_can_arrive(
    shop: Any,
) -> None:
    shop.gateway.react(reactions.TWO_STEPS, *[reactions.LOSE_REQUEST] * 100)
    opened = await shop.place()
    (begun,) = shop.gateway.ledger.entries
    shop.gateway.ledger.end(begun.reference, Standing.ACTION_REQUIRED, reason="")
    await shop.work_until(passed=timedelta(minutes=39))
    early = await shop.orders.get(opened.id)
    shop.gateway.forget_reactions()
    await shop.work_until(passed=timedelta(hours=1))

    order = await shop.orders.get(opened.id)
    assert early.charge.status is TransactionStatus.UNKNOWN
    # Nobody agreed in time, so it was voided at the provider.
    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.charge.status is TransactionStatus.VOIDED


async def test_old_news_of_the_buyers_page_makes_no_third_step_of_a_second_that_is_pending(
    shop: Any,
) -> None:
    shop.gateway.react(reactions.ASK_BUYER, reactions.WAIT)
    opened = await shop.place()
    reference = opened.charge.provider_reference
    shop.gateway.ledger.agree(reference)
    approved = Report(Continue(reference))
    await shop.core.settle(opened, opened.charge.id, approved)
    await shop.work_until(passed=timedelta(minutes=1))
    waiting = await shop.orders.get(opened.id)
    assert (waiting.charge.status, waiting.charge.step) == (TransactionStatus.PENDING, 2)

    # By an old event, and by a look-up that is behind.
    for asked in (None, shop.clock.now()):
        told = await shop.core.settle(
            waiting, opened.charge.id, Report(ActionRequired(reference), asked)
        )
        told = await shop.core.settle(told, opened.charge.id, approved)
        assert told.charge == waiting.charge


async def test_the_first_approval_told_again_is_not_taken_for_the_second(shop: Any) -> None:
    shop.gateway.react(reactions.TWO_STEPS, reactions.ASK_BUYER)
    opened = await shop.place()
    reference = opened.charge.provider_reference

    await shop.core.settle(opened, opened.charge.id, Report(Continue(reference)))
    await shop.work_until(passed=timedelta(minutes=1))
    # The buyer completes the page that he was shown.
    shop.gateway.approve(reference)
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 2500


async def test_a_page_beside_money_that_was_given_back_is_closed(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(minutes=45))
    failed = await shop.orders.get(opened.id)
    assert failed.charge.status is TransactionStatus.FAILED
    paid = shop.gateway.ledger.write(failed.charge, Standing.SUCCEEDED)
    order = await shop.core.settle(failed, failed.charge.id, Report(paid))
    page = shop.gateway.ledger.write(failed.charge, Standing.ACTION_REQUIRED)
    await shop.core.settle(order, failed.charge.id, Report(page))
    await shop.work_until(passed=timedelta(days=2))

    order = await shop.orders.get(opened.id)
    assert order.attend_at is None
    assert shop.gateway.ledger.entry(page.reference).standing is Standing.VOIDED


@pytest.mark.parametrize("method", ["lost_answer", "pending"])
async def test_a_try_that_failed_does_not_fail_the_payment_that_is_another(
    shop: Any, method: str
) -> None:
    opened = await shop.place(payment_method=method)
    assert opened.charge.is_open

    other = Report(Declined("card_declined", reference="another-payment"))
    await shop.core.settle(opened, opened.charge.id, other)
    if method == "pending":
        shop.gateway.settle(opened.charge.provider_reference)
    await shop.work_until(passed=timedelta(days=2))

    order = await shop.orders.get(opened.id)
    assert order.status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


async def test_a_try_that_failed_makes_us_ask_at_once(shop: Any) -> None:
    opened = await shop.place(payment_method="pending")

    other = Report(Declined("card_declined", reference="another-payment"))
    told = await shop.core.settle(opened, opened.charge.id, other)

    assert opened.charge.attend_at > shop.clock.now()
    assert told.charge.attend_at == shop.clock.now()


async def test_where_nobody_can_ask_a_failed_try_is_believed_while_ours_has_no_name(
    shop: Any,
) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    shop.gateway = ScriptedGateway(shop.clock, profile=profile)
    shop.core = shop.assembled()
    opened = await shop.place(payment_method="lost_request")

    no = Report(Declined("card_declined", reference="another-payment"))
    told = await shop.core.settle(opened, opened.charge.id, no)

    assert told.status is OrderStatus.PAYMENT_FAILED


@pytest.mark.parametrize("method", ["pending", "action_required"])
async def test_where_nobody_can_ask_a_failed_try_does_not_end_what_has_another_name(
    shop: Any, method: str
) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    shop.gateway = ScriptedGateway(shop.clock, profile=profile)
    shop.core = shop.assembled()
    opened = await shop.place(payment_method=method)
    reference = opened.charge.provider_reference

    no = Report(Declined("card_declined", reference="another-try"))
    told = await shop.core.settle(opened, opened.charge.id, no)
    assert shop.gateway.approve(reference)
    paid = Report(shop.gateway.ledger.entry(reference).outcome)
    order = await shop.core.settle(told, opened.charge.id, paid)

    assert told.status is OrderStatus.AWAITING_PAYMENT
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)
    shop.assert_order_and_money_agree()


async def test_a_refund_that_failed_is_heard_under_whatever_reference(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    refunding = await shop.core.refund(placed.id, by="staff")
    refund = refunding.transactions[-1]

    no = Report(Declined("account_closed", reference="re-9"))
    told = await shop.core.settle(refunding, refund.id, no)

    assert told.transaction(refund.id).status is TransactionStatus.DECLINED


async def test_a_try_that_failed_is_ours_if_a_look_up_says_so(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    refused = shop.gateway.ledger.write(opened.charge, Standing.DECLINED)

    told = await shop.core.settle(opened, opened.charge.id, Report(refused))
    await shop.work_until(passed=timedelta(minutes=1))

    order = await shop.orders.get(opened.id)
    assert told.charge.is_open
    assert order.status is OrderStatus.PAYMENT_FAILED


async def test_a_true_success_settles_what_nobody_could_look_up(shop: Any) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    shop.gateway = ScriptedGateway(shop.clock, profile=profile)
    shop.core = shop.assembled()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    opened = await shop.place()
    await shop.work_until()
    reviewed = await shop.orders.get(opened.id)
    fact = Report(Succeeded("pi_7", Money(2500, "EUR"), opened.charge.id))
    order = await shop.core.settle(reviewed, opened.charge.id, fact)

    assert reviewed.payment_status is PaymentStatus.IN_REVIEW
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)


async def test_a_click_while_the_first_order_is_open_is_a_double_click(shop: Any) -> None:
    await shop.place(payment_method="lost_answer")
    shop.clock.advance(timedelta(seconds=25))

    with pytest.raises(PossibleDuplicate):
        await shop.place(payment_method="lost_answer")


async def test_an_approval_while_a_later_step_waits_for_the_buyer_makes_us_ask_at_once(
    shop: Any,
) -> None:
    shop.gateway.react(reactions.TWO_STEPS, reactions.ASK_BUYER)
    opened = await shop.place()

    told = await shop.core.settle(
        opened, opened.charge.id, Report(Continue(opened.charge.provider_reference))
    )

    assert told.charge.step == 2
    assert told.charge.attend_at == shop.clock.now() < opened.charge.attend_at


async def test_a_second_approval_leads_to_a_third_step_also_without_look_up(shop: Any) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    shop.gateway = ScriptedGateway(shop.clock, profile=profile)
    shop.core = shop.assembled(gateways={"scripted": shop.gateway})
    shop.gateway.react(reactions.TWO_STEPS, reactions.ASK_BUYER)
    opened = await shop.place()
    assert (opened.charge.status, opened.charge.step) == (TransactionStatus.ACTION_REQUIRED, 2)
    reference = opened.charge.provider_reference
    shop.gateway.ledger.agree(reference)
    await shop.core.settle(opened, opened.charge.id, Report(Continue(reference)))
    await shop.work_until(passed=timedelta(hours=2))
    order = await shop.orders.get(opened.id)
    assert order.status is OrderStatus.PENDING, (order.status, order.charge.status)


async def test_a_failed_try_does_not_spare_the_second_look(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(minutes=45))
    failed = await shop.orders.get(opened.id)
    assert failed.charge.status is TransactionStatus.FAILED
    assert failed.charge.attend_at
    shop.gateway.ledger.write(failed.charge, Standing.SUCCEEDED)
    other = Report(Declined("card_declined", reference="another-payment"))
    await shop.core.settle(failed, failed.charge.id, other)
    await shop.work_until(passed=timedelta(days=1))
    shop.assert_order_and_money_agree()


async def test_what_is_stored_beside_a_busy_worker_is_not_said_to_be_nothing(shop: Any) -> None:
    placed = await shop.place()
    busy = Lease(placed.id, "worker", timedelta(minutes=5), by_request=False)
    await shop.orders.save(replace(placed, email="new@example.com"), take=busy)
    core = shop.assembled(orders=_FailsAtSave(shop.orders, at=2))
    asked = await core.refund(placed.id, amount=Money(700, "EUR"), by="staff")
    await shop.work_until()

    # Told that nothing happened, staff would ask once more, for another 7 euro.
    assert asked.refund_asked_minor_units == 700
    assert shop.net_minor_units_at_the_provider() == 2500 - 700
