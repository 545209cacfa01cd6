"""Payments that are stuck: nobody knows, nobody asks, or somebody concludes too early."""

from datetime import timedelta

import pytest

from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import ActionRequired, Continue, Outcome, Pending
from order_core.payment import PaymentTransaction, TransactionStatus
from order_memory import ScriptedGateway, reactions
from tests.unit.incidents.meanwhile import Meanwhile
from tests.unit.incidents.shop import Shop, fact


# juspay/hyperswitch #10285
async def test_incident_39_a_payment_that_is_not_found_yet_has_not_failed(shop: Shop) -> None:
    await shop.place(payment_method="late_request")
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    await shop.work_until(passed=timedelta(minutes=30))
    asked_too_early = await shop.order()
    shop.gateway.deliver_late_requests()
    await shop.work_until(passed=timedelta(minutes=16))

    assert len(shop.gateway.looked_up) > 2
    assert asked_too_early.status is OrderStatus.AWAITING_PAYMENT
    assert (await shop.order()).status is OrderStatus.PENDING


# juspay/hyperswitch #1475
@pytest.mark.parametrize(
    ("approved", "status"),
    [(True, OrderStatus.PENDING), (False, OrderStatus.PAYMENT_FAILED)],
)
async def test_incident_39_asking_the_provider_changes_what_is_stored(
    shop: Shop, approved: bool, status: OrderStatus
) -> None:
    opened = await shop.place(payment_method="pending")
    shop.gateway.ledger.resolve(opened.charge.provider_reference or "", approved=approved)
    await shop.work_until(passed=timedelta(minutes=2))

    assert (await shop.order()).status is status


class HangsUp(ScriptedGateway):
    """Breaks the connection with a time-out, before or after the money moved."""

    def __init__(self, shop: Shop, *, money_moves: bool) -> None:
        super().__init__(shop.clock)
        self._money_moves = money_moves
        self._first = True

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        if not self._first:
            return await super().send(transaction)
        self._first = False
        if self._money_moves:
            await super().send(transaction)
        raise TimeoutError


# killbill/killbill #338 and #229
@pytest.mark.parametrize("money_moves", [True, False])
async def test_incident_40_a_gateway_that_times_out_leaves_a_question_that_gets_answered(
    shop: Shop, money_moves: bool
) -> None:
    shop.gateway = HangsUp(shop, money_moves=money_moves)
    shop.core = shop.assembled()
    opened = await shop.place()
    await shop.work_until()

    assert opened.status is OrderStatus.AWAITING_PAYMENT
    assert opened.charge.status is TransactionStatus.UNKNOWN
    assert (await shop.order()).status is OrderStatus.PENDING
    assert shop.charges == [2500]


# killbill/killbill #660
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("call", range(1, 8))
async def test_incident_41_a_customer_who_completes_beside_the_janitor_has_one_payment(
    shop: Shop, call: int, heard: bool
) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.clock.advance(timedelta(minutes=30))
    paid = False

    async def the_customer_completes() -> None:
        nonlocal paid
        paid = shop.gateway.approve(opened.charge.provider_reference or "")
        if heard:
            await shop.hear_everything()

    meanwhile = Meanwhile(the_customer_completes, number=call, after=True)
    await meanwhile.core_of(shop).recover()
    await shop.work_until()
    order = await shop.order()

    assert meanwhile.happened
    # Once the void was carried out there is nothing to complete.
    assert paid is ("send" not in meanwhile.calls[:call])
    assert order.status is (OrderStatus.PENDING if paid else OrderStatus.PAYMENT_FAILED)
    assert [t.is_live for t in order.transactions if t.takes_money] == [paid]
    shop.assert_order_and_money_agree()


# koala73/worldmonitor #4436
@pytest.mark.parametrize(
    ("told", "status"),
    [
        (ActionRequired("ref-000001", url="https://bank.test/3ds"), "action_required"),
        (Pending("ref-000001"), "pending"),
    ],
)
async def test_incident_42_an_event_that_says_not_yet_is_kept_and_acted_on(
    shop: Shop, told: ActionRequired | Pending, status: str
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    received = await shop.hear(fact(opened.charge, told, told.reference))
    charge = (await shop.order()).charge

    assert received.verdict == "settled"
    assert charge.status == status
    assert charge.action_url == getattr(told, "url", None)
    assert charge.attend_at is not None


# the-events-calendar/event-tickets PR #4466
async def test_incident_43_a_capture_after_the_approval_does_not_leave_the_order_waiting(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="action_required")
    reference = opened.charge.provider_reference or ""
    await shop.hear(fact(opened.charge, Continue(reference), reference))
    shop.gateway.react(reactions.LOSE_ANSWER)
    await shop.work_until(passed=timedelta(minutes=5))
    order = await shop.order()

    assert order.status is OrderStatus.PENDING
    assert order.payment_status is PaymentStatus.PAID
    assert shop.charges == [2500]


# medusajs/medusa #12481
@pytest.mark.parametrize("token", ["declined", "insufficient_funds"])
async def test_incident_44_after_a_failed_payment_the_same_cart_can_be_paid_at_once(
    shop: Shop, token: str
) -> None:
    failed = await shop.place(payment_method=token, key="try-1")
    shop.gateway.react(reactions.OBEY)
    placed = await shop.place(payment_method=token, key="try-2")

    assert failed.status is OrderStatus.PAYMENT_FAILED
    assert placed.status is OrderStatus.PENDING
    assert shop.charges == [2500]
