"""Refunds that somebody made at the provider's dashboard, told late, early or on the hold."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotRefund
from order_core.immutable import replace
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.outcomes import Declined, Outcome, Reversed, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.ports import ProviderFact, WebhookEvent
from order_core.reviewing import ReviewDecision
from order_memory import Standing, reactions
from tests.unit.core.telling_and_deciding import decide, without_look_ups

WHOLE = Money(2500, "EUR")
PART = Money(700, "EUR")
HOLD = "ref-000001"


class Dashboard:
    """Tells what the test has it tell, each time in an event of its own."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.told = 0
        shop.core = shop.assembled(webhooks={"scripted": self})

    async def parse(self, _body: bytes, _headers: Mapping[str, str], /) -> WebhookEvent:
        self.told += 1
        return WebhookEvent(f"e-{self.told}", "refund.changed", (self.fact,))

    async def tells(
        self,
        outcome: Outcome | Reversed,
        *,
        parent: str = HOLD,
        kind: TransactionKind = TransactionKind.REFUND,
        sequence: int | None = None,
        name: str = "re-dash",
    ) -> str:
        self.fact = ProviderFact(kind, outcome, name, parent_reference=parent, sequence=sequence)
        return str((await self.shop.core.receive_webhook("scripted", b"", {})).verdict)


DONE = Succeeded("re-dash", PART, "")
FAILED = Declined("refund_failed", reference="re-dash")
CAME_BACK = Reversed("re-dash", PART, "refund_returned")


async def the_order(shop: Any, order: Order) -> Any:
    return await shop.orders.get(order.id)


@pytest.mark.parametrize("undone", [FAILED, CAME_BACK], ids=["failed", "came back"])
async def test_a_failed_refund_that_is_heard_before_its_creation_is_not_counted(
    shop: Any, undone: Declined | Reversed
) -> None:
    placed, dashboard = await shop.place(), Dashboard(shop)
    await dashboard.tells(undone)
    await dashboard.tells(DONE)
    order = await the_order(shop, placed)

    assert order.refunded_minor_units == 0
    assert order.left_of(order.charge) == 2500
    assert order.taken_back_of(order.charge) == 0


@pytest.mark.parametrize("undone", [FAILED, CAME_BACK], ids=["failed", "came back"])
async def test_a_refund_that_was_counted_and_fails_is_counted_no_longer(
    shop: Any, undone: Declined | Reversed
) -> None:
    placed, dashboard = await shop.place(), Dashboard(shop)
    await dashboard.tells(DONE, sequence=5)
    counted = await the_order(shop, placed)
    verdicts = [await dashboard.tells(undone, sequence=9) for _ in range(2)]
    order = await the_order(shop, placed)

    assert counted.refunded_minor_units == 700
    assert verdicts == ["settled", "no_news"]
    assert order.refunded_minor_units == 0
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def test_a_failed_refund_and_its_creation_that_overtake_the_payment_are_not_counted(
    shop: Any,
) -> None:
    opened, dashboard = await shop.place(payment_method="lost_answer"), Dashboard(shop)
    assert await dashboard.tells(FAILED) == "unknown_transaction"
    shop.clock.advance(timedelta(seconds=1))
    assert await dashboard.tells(DONE) == "unknown_transaction"
    await shop.work_until(passed=timedelta(minutes=5))
    order = await the_order(shop, opened)

    assert (order.captured_minor_units, order.refunded_minor_units) == (2500, 0)
    assert (await shop.core.waiting()).events == ()


async def test_a_dashboards_refusals_do_not_use_up_our_own_attempts(shop: Any) -> None:
    placed, dashboard = await shop.place(), Dashboard(shop)
    for number in range(3):
        no = Declined("refund_declined", reference=f"re-{number}")
        await dashboard.tells(no, name=f"re-{number}")
    shop.gateway.react(reactions.decline("refund_declined", retryable=True))
    order = await shop.core.refund(placed.id, by="staff")

    assert [t.review for t in order.transactions if t.review] == []
    assert order.transactions[-1].status is TransactionStatus.RECORDED


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (Succeeded("ref-000002", WHOLE, ""), TransactionStatus.SUCCEEDED),
        (Declined("refund_failed", reference="ref-000002"), TransactionStatus.DECLINED),
    ],
    ids=["done", "failed"],
)
async def test_a_refund_of_ours_is_known_by_the_reference_that_the_provider_gave_it(
    shop: Any, answer: Outcome, ended: TransactionStatus
) -> None:
    placed, dashboard = await shop.place(), Dashboard(shop)
    shop.gateway.react(reactions.WAIT)
    asked = (await shop.core.refund(placed.id, by="staff")).transactions[-1]
    verdict = await dashboard.tells(answer, name=asked.provider_reference)

    assert (asked.status, asked.provider_reference) == (TransactionStatus.PENDING, "ref-000002")
    assert verdict == "settled"
    assert (await the_order(shop, placed)).transaction(asked.id).status is ended


# On a hold that was captured ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Succeeded("re-dash", WHOLE, ""), TransactionKind.REFUND),
        (Reversed("dp-1", WHOLE, "chargeback", open=True), TransactionKind.REVERSAL),
    ],
    ids=["refund", "dispute"],
)
async def test_what_names_the_hold_is_booked_on_the_capture(
    make_shop: Callable[..., Any], outcome: Succeeded | Reversed, kind: TransactionKind
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed, dashboard = await shop.place(), Dashboard(shop)
    await shop.core.process(placed.id, by="staff")

    assert await dashboard.tells(outcome, kind=kind) == "settled"
    order = await the_order(shop, placed)
    capture = next(t for t in order.transactions if t.kind is TransactionKind.CAPTURE)
    assert capture.provider_reference != HOLD
    assert order.left_of(capture) == 0
    with pytest.raises(CannotRefund):
        await shop.core.refund(placed.id, by="staff")


async def test_a_refund_of_a_hold_waits_until_its_capture_at_the_dashboard_is_known(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed, dashboard = await shop.place(), Dashboard(shop)
    refund = await dashboard.tells(DONE)
    due = (await the_order(shop, placed)).attend_at
    captured = Succeeded("cp-dash", WHOLE, "")
    await dashboard.tells(captured, kind=TransactionKind.CAPTURE, name="cp-dash")
    shop.clock.advance(timedelta(minutes=1))
    await shop.core.match()
    order = await the_order(shop, placed)

    assert refund == "unknown_transaction"
    assert due <= shop.clock.now()
    capture = next(t for t in order.transactions if t.kind is TransactionKind.CAPTURE)
    assert order.left_of(capture) == 1800
    assert (await shop.core.waiting()).events == ()
    assert order.transaction(capture.parent_id).status is TransactionStatus.SUCCEEDED


# Without our mark, while nobody has seen ours --------------------------------------------------


async def _unanswered(shop: Any, *, arrives: bool) -> tuple[Order, Any]:
    """An order, and its refund to which the provider has not answered."""
    placed = await shop.place()
    lost = [reactions.LOSE_REQUEST] * 200
    shop.gateway.react(*([reactions.LOSE_ANSWER] if arrives else []), *lost)
    order = await shop.core.refund(placed.id, amount=PART, by="staff")
    return order, order.transactions[-1]


async def test_a_refund_that_is_told_without_our_mark_is_ours_if_a_look_up_shows_it(
    shop: Any,
) -> None:
    dashboard = Dashboard(shop)
    order, ours = await _unanswered(shop, arrives=True)
    entry = shop.gateway.ledger.entries[-1]
    done = Succeeded(entry.reference, PART, "")
    for _ in range(2):
        assert await dashboard.tells(done, name=entry.reference) == "unknown_transaction"
    await shop.work_until(passed=timedelta(days=1))
    order = await the_order(shop, order)

    assert order.refunded_minor_units == 700
    assert order.transaction(ours.id).provider_reference == entry.reference
    assert (await shop.core.waiting()).events == ()


async def test_a_refund_by_hand_of_the_same_sum_is_booked_once_ours_is_decided(shop: Any) -> None:
    dashboard = Dashboard(shop)
    order, _ = await _unanswered(shop, arrives=True)
    by_hand = replace(order.charge, id="dash", kind=TransactionKind.REFUND, amount=PART)
    by_hand = replace(by_hand, parent_reference=order.charge.provider_reference)
    done = shop.gateway.ledger.write(by_hand, Standing.SUCCEEDED)
    await dashboard.tells(replace(done, transaction_id=""), name=done.reference)
    await shop.work_until(passed=timedelta(days=1))
    order = await the_order(shop, order)

    assert order.refunded_minor_units == 1400
    assert (await shop.core.waiting()).events == ()


@pytest.mark.parametrize("decision", ["accept", "never_happened"])
async def test_a_refund_that_nobody_can_ask_about_is_on_record_as_a_person_says(
    shop: Any, decision: str
) -> None:
    shop = without_look_ups(shop)
    dashboard = Dashboard(shop)
    order, ours = await _unanswered(shop, arrives=decision == "accept")
    await shop.work_until(passed=timedelta(days=1))
    shop.gateway.forget_reactions()
    assert await dashboard.tells(DONE) == "unknown_transaction"
    order = await decide(shop, order, ours, ReviewDecision(decision))
    # Said never to have happened, it is made anew, beside the one by hand.
    await shop.work_until(passed=timedelta(days=1))
    order = await the_order(shop, order)

    assert order.refunded_minor_units == (700 if decision == "accept" else 1400)
    assert (await shop.core.waiting()).events == ()


async def test_a_refund_of_all_that_nobody_can_ask_about_is_the_one_that_is_told(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    placed, dashboard = await shop.place(), Dashboard(shop)
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    await dashboard.tells(Succeeded("re-dash", WHOLE, ""))
    order = await the_order(shop, placed)

    assert (order.refunded_minor_units, order.payment_status) == (2500, PaymentStatus.REFUNDED)


async def test_a_refund_of_all_by_hand_while_ours_is_under_way_asks_no_person(shop: Any) -> None:
    placed, dashboard = await shop.place(), Dashboard(shop)
    shop.gateway.react(reactions.LOSE_REQUEST)
    order = await shop.core.refund(placed.id, by="staff")
    by_hand = replace(order.charge, id="dash", kind=TransactionKind.REFUND)
    by_hand = replace(by_hand, parent_reference=order.charge.provider_reference)
    done = shop.gateway.ledger.write(by_hand, Standing.SUCCEEDED)
    await dashboard.tells(replace(done, transaction_id=""), name=done.reference)
    await shop.work_until(passed=timedelta(days=1))
    order = await the_order(shop, order)

    assert (order.refunded_minor_units, order.payment_status) == (2500, PaymentStatus.REFUNDED)
    assert shop.net_minor_units_at_the_provider() == 0


@pytest.mark.parametrize("accepted_first", [True, False])
async def test_two_refunds_of_one_sum_that_nobody_can_ask_about_are_two(
    shop: Any, *, accepted_first: bool
) -> None:
    shop = without_look_ups(shop)
    order, dashboard = await shop.place(), Dashboard(shop)
    half = Money(1250, "EUR")
    shop.gateway.react(*[reactions.LOSE_ANSWER] * 2, *[reactions.LOSE_REQUEST] * 200)
    for _ in range(2):
        order = await shop.core.refund(order.id, amount=half, by="staff")
    await shop.work_until(passed=timedelta(days=1))
    made = [e.reference for e in shop.gateway.ledger.entries if e.amount == half]
    for accepts in (accepted_first, not accepted_first):
        for ours in order.transactions[1:] if accepts else ():
            await decide(shop, order, ours, ReviewDecision.ACCEPT)
        for reference in () if accepts else made:
            await dashboard.tells(Succeeded(reference, half, ""), name=reference)
    await shop.work_until(passed=timedelta(days=1))
    order = await the_order(shop, order)

    assert order.refunded_minor_units == 2500
    assert sorted(t.provider_reference for t in order.transactions[1:]) == made


@pytest.mark.parametrize("told_as", [Declined, Reversed])
async def test_our_refund_that_is_undone_before_we_heard_of_it_is_ours_though_it_has_no_mark(
    shop: Any, told_as: type[Declined | Reversed]
) -> None:
    order = await shop.place()
    dashboard = Dashboard(shop)
    shop.gateway.react(reactions.LOSE_ANSWER)
    await shop.core.refund(order.id, by="staff", amount=PART)
    made = shop.gateway.ledger.entries[-1].reference
    shop.gateway.ledger.end(made, Standing.DECLINED, reason="returned")
    failed = Declined("returned", reference=made)
    undone = failed if told_as is Declined else Reversed(made, PART, "returned")
    assert await dashboard.tells(undone, name=made) == "unknown_transaction"
    # The provider repeats what it answered before.
    shop.gateway.fail_look_ups(1)
    await shop.work_until(passed=timedelta(hours=1))

    order = await the_order(shop, order)
    assert order.refunded_minor_units == 0
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert [t.kind for t in order.transactions[1:]] == [
        TransactionKind.REFUND,
        TransactionKind.REVERSAL,
    ]
    assert (await shop.core.waiting()).events == ()


async def test_the_return_of_our_refund_that_a_person_accepted_unseen_is_its_return(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    order = await shop.place()
    dashboard = Dashboard(shop)
    shop.gateway.react(*[reactions.LOSE_ANSWER] * 50)
    await shop.core.refund(order.id, by="staff", amount=PART)
    await shop.work_until(passed=timedelta(hours=6))
    order = await the_order(shop, order)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    assert order.refunded_minor_units == 700

    await dashboard.tells(Reversed("re-1", PART, "returned"), name="re-1")

    order = await the_order(shop, order)
    assert order.refunded_minor_units == 0
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.REFUND)
    assert order.refund_asked_minor_units == 700
