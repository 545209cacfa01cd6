"""Every cell of the table of late money, driven through the use cases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from order_core.late_money import LATE_MONEY, MoneyEvent, Verdict, cell
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_memory import reactions
from tests.unit.core.late_money_scenes import (
    SCENES,
    NextEvent,
    charge_open,
    declined,
    deliver,
    paid,
    taken,
)

_K = TransactionKind
_T = TransactionStatus
_E = MoneyEvent


@pytest.fixture
def make_listening(make_shop: Callable[..., Any]) -> Callable[..., Any]:
    def listening(**policy: Any) -> Any:
        shop = make_shop(**policy)
        shop.parser = NextEvent()
        shop.core = shop.assembled(webhooks={"scripted": shop.parser})
        return shop

    return listening


WORDS: Final = {
    "P": Verdict.PLACE,
    "B": Verdict.PROCESS,
    "F": Verdict.FAIL,
    "k": Verdict.KEEP,
    "R": Verdict.REFUND,
    "?": Verdict.REVIEW,
    ".": Verdict.IGNORE,
}
# Written down a second time, so that a slip in the table does not become the truth. The
# columns: awaiting payment, pending, processing, shipped, delivered, payment failed, cancelled.
EXPECTED: Final = {
    _E.CHARGED: "P k k k k R R",
    _E.HELD: "P k k k k R R",
    _E.CAPTURED: "k B k k k R R",
    _E.CAPTURED_BEGINNING_NOTHING: "k k k k k R R",
    _E.CAPTURED_UNASKED: "? ? ? ? ? R R",
    _E.SECOND_DEBIT: "? ? ? ? ? R R",
    _E.PAID_AFTER_A_NO: "? ? ? ? ? R R",
    _E.DONE_AGAIN: "? ? ? ? ? ? ?",
    _E.SAME_AGAIN: ". . . . . . .",
    _E.HELD_BEFORE_ITS_END: ". . . . . . .",
    _E.ANOTHER_AMOUNT: "? ? ? ? ? ? ?",
    _E.ANOTHER_TRANSACTION: "? ? ? ? ? ? ?",
    _E.ANOTHER_KIND: "? ? ? ? ? ? ?",
    _E.DECLINED: "F k k k k k k",
    _E.ALREADY_USED: "F . . . . . k",
    _E.NEVER_HAPPENED: "F k k k k k k",
    _E.DECLINED_AFTERWARDS: ". . . . . . .",
    _E.REFUSED_AFTER_ALL: "? ? ? ? ? ? ?",
    _E.HOLD_ENDED: "k k k k k k k",
    _E.VOIDED: "F k k k k k k",
    _E.VOIDED_AFTER_SUCCESS: "? ? ? ? ? ? ?",
    _E.VOIDED_UNASKED: "? ? ? ? ? ? ?",
    _E.NOT_LET_GO: "? ? ? ? ? R R",
    _E.REFUNDED: "k k k k k k k",
    _E.REFUNDED_UNASKED: "k k k k k k k",
    _E.REFUNDED_BEYOND: "? ? ? ? ? ? ?",
    _E.REFUND_FAILED_UNASKED: "k k k k k k k",
    _E.REFUND_RETURNED: "? ? ? ? ? ? ?",
    _E.DISPUTE_OPENED: "? ? ? ? ? ? ?",
    _E.DISPUTE_LOST: "? ? ? ? ? ? ?",
    _E.DISPUTE_WON: "k k k k k R R",
    _E.UNKNOWN_TRANSACTION: "? ? ? ? ? ? ?",
    _E.OTHER_INSTALLATION: ". . . . . . .",
}


def expected(event: MoneyEvent, status: OrderStatus) -> Verdict:
    return WORDS[EXPECTED[event].split()[list(OrderStatus).index(status)]]


ALL_BUT_ONE: Final = [(event, status) for event in SCENES for status in OrderStatus]


async def brought_to(shop: Any, order: Order, status: OrderStatus, *, cancels: bool) -> Any:
    """The stored order in this status, with its transactions as they are."""
    if order.status is status:
        return order
    if status is OrderStatus.CANCELLED and cancels:
        shop.gateway.react(reactions.LOSE_REQUEST)
        return await shop.core.cancel(order.id, customer_id="ann")
    return (await shop.orders.save(replace(order, status=status))).order


async def time_goes_by(shop: Any) -> None:
    shop.clock.set(shop.clock.now() + timedelta(hours=2))
    await shop.core.recover()


def added_to(before: Order, after: Order) -> list[PaymentTransaction]:
    known = {t.id for t in before.transactions}
    return [t for t in after.transactions if t.id not in known]


def in_doubt(order: Order) -> int:
    return sum(bool(t.review) or t.status is _T.IN_REVIEW for t in order.transactions)


def assert_it_follows(verdict: Verdict, before: Order, after: Order, *, was_told: int) -> None:
    """The order's status, its doubts and what goes back are what the verdict says."""
    moves = {
        Verdict.PLACE: OrderStatus.PENDING,
        Verdict.PROCESS: OrderStatus.PROCESSING,
        Verdict.FAIL: OrderStatus.PAYMENT_FAILED,
    }
    assert after.status is moves.get(verdict, before.status)
    assert in_doubt(after) - in_doubt(before) == (verdict is Verdict.REVIEW)
    assert was_told == (verdict is Verdict.PLACE)
    ours = [t for t in added_to(before, after) if t.origin is Origin.OURS]
    if verdict is Verdict.REFUND:
        assert ours
        assert {t.kind for t in ours} <= {_K.REFUND, _K.VOID}
        assert all(t.attend_at is not None for t in ours)
        assert owed(after) == 0
    else:
        assert ours == []
    if verdict is Verdict.IGNORE:
        assert after == before


def owed(order: Order) -> int:
    """Minor units, taken or held, that nobody gives back."""
    refunds = sum(t.amount.minor_units for t in order.transactions if t.kind is _K.REFUND)
    returned = sum(order.returned_of(t) for t in order.transactions if t.kind is _K.REFUND)
    voided = {t.parent_id for t in order.transactions if t.kind is _K.VOID and t.is_live}
    held = [t for t in order.transactions if t.status is _T.AUTHORIZED and t.id not in voided]
    return order.captured_minor_units - refunds + returned + len(held)


@pytest.mark.parametrize(("event", "status"), ALL_BUT_ONE)
async def test_an_order_does_what_the_table_says(
    event: MoneyEvent, status: OrderStatus, make_listening: Callable[..., Any]
) -> None:
    scene, verdict = SCENES[event], expected(event, status)
    shop = make_listening(**(scene.policy or {}))
    before = await brought_to(shop, await scene.before(shop), status, cancels=scene.cancels)
    placed_before = await times_placed(shop, before)
    if scene.news is None:
        await time_goes_by(shop)
    else:
        await deliver(shop, scene.news(before))
    after = await shop.orders.get(before.id)

    events = (await shop.core.waiting()).events
    if event is _E.UNKNOWN_TRANSACTION:
        # No order is reviewed, for none knows it: the event is.
        assert (verdict, after) == (Verdict.REVIEW, before)
        assert [e.event_id for e in events] == ["e-news"]
        return
    assert events == ()
    told = await times_placed(shop, after) - placed_before
    assert_it_follows(verdict, before, after, was_told=told)
    unasked = [(t.kind, t.status) for t in added_to(before, after) if t.origin is Origin.PROVIDER]
    assert unasked == list(scene.adds)
    assert [t.status for t in after.transactions if t.kind is scene.about][-1] is scene.becomes


async def times_placed(shop: Any, order: Order) -> int:
    history = await shop.core.history(order.id, customer_id="ann")
    return [entry.event.name for entry in history].count("order_placed")


@pytest.mark.parametrize("status", list(OrderStatus))
async def test_a_payment_of_another_order_does_what_the_table_says(
    status: OrderStatus, make_listening: Callable[..., Any]
) -> None:
    shop = make_listening()
    first = await shop.place()
    before = {
        OrderStatus.AWAITING_PAYMENT: charge_open,
        OrderStatus.CANCELLED: charge_open,
        OrderStatus.PAYMENT_FAILED: declined,
    }.get(status, paid)
    shop.clock.set(shop.clock.now() + timedelta(minutes=1))
    second = await brought_to(shop, await before(shop), status, cancels=True)
    await deliver(shop, taken(second, reference=first.charge.provider_reference))
    after = await shop.orders.get(second.id)

    verdict = expected(_E.ALREADY_USED, status)
    assert_it_follows(verdict, second, after, was_told=0)
    assert added_to(second, after) == []
    assert await shop.orders.get(first.id) == first


@pytest.mark.parametrize("event", list(MoneyEvent))
def test_the_table_says_what_is_expected_in_every_status(event: MoneyEvent) -> None:
    assert list(LATE_MONEY[event]) == list(OrderStatus)
    verdicts = {status: cell(event, status).verdict for status in OrderStatus}
    assert verdicts == {status: expected(event, status) for status in OrderStatus}


def test_every_event_is_brought_about() -> None:
    assert set(LATE_MONEY) == set(MoneyEvent) == {*SCENES, _E.ALREADY_USED}
