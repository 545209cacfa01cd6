"""A payment that does not carry our mark: another's, or the buyer's made without us."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotReview
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Pending, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import Provider, decide

SECOND = timedelta(seconds=1)


async def _shown_last(shop: Any, shown: Succeeded | Authorized, **but: Any) -> Any:
    """The order, once so late a look-up that it would prove absence shows `shown`."""
    opened = await shop.place(payment_method="lost_request", **but)
    asked_at = opened.charge.absence_is_proof_from(shop.policy.clock_skew)
    shop.clock.set(asked_at)
    return await shop.core.settle(opened, opened.charge.id, Report(shown, asked_at))


_UNMARKED = Succeeded("ref-9", Money(2500, "EUR"), "")


async def test_a_payment_without_our_mark_waits_for_a_person_and_is_not_asked_about(
    shop: Any,
) -> None:
    order = await _shown_last(shop, _UNMARKED)
    await shop.work_until()
    order = await shop.orders.get(order.id)

    assert (order.status, order.charge.status) == (
        OrderStatus.AWAITING_PAYMENT,
        TransactionStatus.IN_REVIEW,
    )
    assert order.charge.review == "names_another_transaction"
    assert order.charge.provider_reference == "ref-9"
    assert order.attend_at is None


async def test_a_payment_without_our_mark_decides_nothing_while_ours_may_still_arrive(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_request")
    early = opened.charge.absence_is_proof_from(shop.policy.clock_skew) - SECOND

    doubted = await shop.core.settle(opened, opened.charge.id, Report(_UNMARKED, early))

    assert doubted.payment_status is PaymentStatus.IN_REVIEW
    assert doubted.charge.is_open


@pytest.mark.parametrize(
    ("decision", "status", "payment", "kinds"),
    [
        (ReviewDecision.ACCEPT, OrderStatus.PENDING, PaymentStatus.PAID, ["charge"]),
        (
            ReviewDecision.REFUND,
            OrderStatus.PAYMENT_FAILED,
            PaymentStatus.PAID,
            ["charge", "refund"],
        ),
        (
            ReviewDecision.NEVER_HAPPENED,
            OrderStatus.PAYMENT_FAILED,
            PaymentStatus.UNPAID,
            ["charge"],
        ),
    ],
)
async def test_a_person_decides_about_a_payment_without_our_mark(
    shop: Any,
    decision: ReviewDecision,
    status: OrderStatus,
    payment: PaymentStatus,
    kinds: list[str],
) -> None:
    doubted = await _shown_last(shop, _UNMARKED)
    shop.gateway.react(reactions.LOSE_REQUEST)

    order = await shop.core.review(
        doubted.id,
        transaction_id=doubted.charge.id,
        decision=decision,
        note="the page took it",
        by="staff",
    )

    assert (order.status, order.payment_status) == (status, payment)
    assert [t.kind for t in order.transactions] == kinds
    assert {t.parent_reference for t in order.transactions[1:]} <= {"ref-9"}


async def _shows_anothers(_transaction: Any, /) -> Succeeded:
    return Succeeded("ref-9", Money(9900, "EUR"), "another")


async def test_a_person_ends_what_is_asked_about_while_anothers_payment_is_shown(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_request")
    shop.gateway.look_up = _shows_anothers
    await shop.work_until(passed=timedelta(hours=12))
    order = await shop.orders.get(opened.id)
    assert (order.charge.is_open, order.charge.review) == (True, "names_another_transaction")

    order = await decide(shop, order, order.charge, ReviewDecision.NEVER_HAPPENED)

    assert (order.status, order.payment_status) == (
        OrderStatus.PAYMENT_FAILED,
        PaymentStatus.UNPAID,
    )
    assert order.attend_at is None


async def test_a_refund_of_anothers_payment_is_not_on_record_once_a_person_called_it_that(
    shop: Any,
) -> None:
    provider = Provider(shop)
    order = await _shown_last(shop, _UNMARKED)
    order = await decide(shop, order, order.charge, ReviewDecision.NEVER_HAPPENED)
    back = Succeeded("re-9", Money(2500, "EUR"), "")
    told = await provider.tells(TransactionKind.REFUND, back, parent_reference="ref-9")
    order = await shop.orders.get(order.id)

    assert told == "unknown_transaction"
    assert order.refunded_minor_units == order.captured_minor_units == 0


async def test_nobody_says_of_a_payment_that_was_given_back_that_it_never_happened(
    shop: Any,
) -> None:
    provider = Provider(shop)
    order = await _shown_last(shop, _UNMARKED)
    back = Succeeded("re-9", Money(2500, "EUR"), "")
    await provider.tells(TransactionKind.REFUND, back, parent_reference="ref-9")
    order = await shop.orders.get(order.id)
    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, order.charge, ReviewDecision.NEVER_HAPPENED)
    assert refusal.value.reason == "known_to_the_provider"
    order = await decide(shop, order, order.charge, ReviewDecision.REFUND)

    assert (order.status, order.payment_status) == (
        OrderStatus.PAYMENT_FAILED,
        PaymentStatus.REFUNDED,
    )


async def test_a_second_look_that_shows_anothers_payment_once_is_taken_again(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(minutes=50))
    order = await shop.orders.get(opened.id)
    assert order.charge.status is TransactionStatus.FAILED
    shop.gateway.ledger.carry_out(opened.charge)

    await shop.core.settle(
        order,
        order.charge.id,
        Report(Succeeded("ref-9", Money(2500, "EUR"), "another"), order.charge.attend_at),
    )
    await shop.work_until(passed=timedelta(hours=2))

    order = await shop.orders.get(opened.id)
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert order.refunded_minor_units == order.captured_minor_units == 2500


@pytest.mark.parametrize("reference", [None, "ref-1"])
@pytest.mark.parametrize("mark", ["another", ""])
async def test_a_second_look_that_shows_anothers_payment_for_a_day_is_the_last(
    shop: Any, mark: str, reference: str | None
) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(minutes=50))
    order = await shop.orders.get(opened.id)
    assert order.charge.status is TransactionStatus.FAILED
    # The first of several steps may have had a name.
    named = replace(order.charge, provider_reference=reference)
    await shop.orders.save(order.with_transaction(named))

    async def shown(_transaction: Any, /) -> Succeeded:
        return Succeeded("ref-9", Money(2500, "EUR"), mark)

    shop.gateway.look_up = shown
    await shop.work_until(passed=timedelta(days=2))
    order = await shop.orders.get(opened.id)
    assert order.charge.review == "names_another_transaction"
    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)

    assert (order.attend_at, order.payment_status) == (None, PaymentStatus.UNPAID)


@pytest.mark.parametrize("method", ["lost_request", "pending"])
async def test_nobody_ends_what_may_arrive_yet_because_anothers_payment_is_shown(
    shop: Any, method: str
) -> None:
    opened = await shop.place(payment_method=method)
    shop.gateway.look_up = _shows_anothers
    passed = timedelta(minutes=5) if method == "lost_request" else timedelta(hours=12)
    await shop.work_until(passed=passed)
    order = await shop.orders.get(opened.id)

    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, order.charge, ReviewDecision.NEVER_HAPPENED)
    assert refusal.value.reason == "still_open"


async def _shown_for_long(shop: Any, method: str) -> Any:
    """An order whose charge waits at the provider, which shows another's in its place."""
    opened = await shop.place(payment_method=method)
    shop.gateway.look_up = _shows_anothers
    shop.gateway.react(*[reactions.decline("not_possible")] * 20)
    await shop.work_until(passed=timedelta(days=2 if method == "lost_request" else 15))
    shop.gateway.forget_reactions()
    return await shop.orders.get(opened.id)


@pytest.mark.parametrize("method", ["lost_request", "pending", "action_required"])
async def test_what_shows_anothers_payment_for_long_is_asked_about_no_more(
    shop: Any, method: str
) -> None:
    order = await _shown_for_long(shop, method)

    assert (order.charge.status, order.charge.review) == (
        TransactionStatus.IN_REVIEW,
        "anothers_payment_is_shown",
    )
    assert order.attend_at is None
    order = await decide(shop, order, order.charge, ReviewDecision.NEVER_HAPPENED)
    assert (order.status, order.attend_at) == (OrderStatus.PAYMENT_FAILED, None)


async def test_another_payment_that_is_shown_once_after_days_ends_nothing(shop: Any) -> None:
    opened = await shop.place(payment_method="pending")
    await shop.work_until(passed=timedelta(days=3))
    order = await shop.orders.get(opened.id)

    seen = Report(await _shows_anothers(order.charge), shop.clock.now())
    order = await shop.core.settle(order, order.charge.id, seen)
    shop.gateway.settle(order.charge.provider_reference)
    await shop.work_until(passed=timedelta(hours=1))

    order = await shop.orders.get(opened.id)
    assert (order.status, order.captured_minor_units) == (OrderStatus.PENDING, 2500)


async def test_two_mistakes_in_a_row_end_nothing_that_the_provider_has_shown_before(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="pending")
    await shop.work_until(passed=timedelta(days=3))
    order = await shop.orders.get(opened.id)

    for _ in range(2):
        seen = Report(await _shows_anothers(order.charge), shop.clock.now())
        order = await shop.core.settle(order, order.charge.id, seen)

    assert (order.charge.is_open, order.charge.review) == (True, "names_another_transaction")


@pytest.mark.parametrize("method", ["pending", "action_required"])
async def test_another_payment_that_is_shown_now_and_then_between_ours_ends_nothing(
    shop: Any, method: str
) -> None:
    opened = await shop.place(payment_method=method)
    shop.gateway.react(*[reactions.decline("not_possible")] * 20)
    reviews = []
    for _ in range(3):
        await shop.work_until(passed=timedelta(days=1))
        order = await shop.orders.get(opened.id)
        reviews.append(order.charge.review)
        seen = Report(await _shows_anothers(order.charge), shop.clock.now())
        order = await shop.core.settle(order, order.charge.id, seen)
        assert order.charge.review == "names_another_transaction"

    await shop.work_until(passed=timedelta(days=1))

    order = await shop.orders.get(opened.id)
    assert order.charge.is_open
    assert [*reviews, order.charge.review] == [None] * 4


async def test_old_news_of_a_payment_ends_no_doubt_about_it(shop: Any) -> None:
    opened = await shop.place(payment_method="pending")
    reference = opened.charge.provider_reference
    seen = Report(await _shows_anothers(opened.charge), shop.clock.now())
    order = await shop.core.settle(opened, opened.charge.id, seen)

    order = await shop.core.settle(order, order.charge.id, Report(Pending(reference)))

    assert order.charge.review == "names_another_transaction"


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_payment_that_shows_up_after_anothers_was_shown_for_long_counts(
    shop: Any, *, cancelled: bool
) -> None:
    order = await _shown_for_long(shop, "pending")
    if cancelled:
        order = await shop.core.cancel(order.id, customer_id="ann")
    shop.gateway.settle(order.charge.provider_reference)

    paid = shop.gateway.ledger.entry(order.charge.provider_reference).outcome
    order = await shop.core.settle(order, order.charge.id, Report(paid))
    await shop.work_until(passed=timedelta(hours=1))

    order = await shop.orders.get(order.id)
    assert order.status is (OrderStatus.CANCELLED if cancelled else OrderStatus.PENDING)
    assert order.captured_minor_units - order.refunded_minor_units == (0 if cancelled else 2500)
    assert order.payment_status is not PaymentStatus.IN_REVIEW


async def test_a_hold_without_our_mark_that_a_person_accepted_is_doubted_no_more(
    make_shop: Any,
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    shown = Authorized("ref-9", Money(2500, "EUR"), "")
    order = await _shown_last(shop, shown)
    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)

    ends = shop.clock.now() + timedelta(days=6)
    seen = Report(replace(shown, capture_before=ends), shop.clock.now())
    order = await shop.core.settle(order, order.charge.id, seen)

    assert order.payment_status is PaymentStatus.AUTHORIZED
    assert order.charge.capture_before == ends


@pytest.mark.parametrize("kind", [TransactionKind.CHARGE, TransactionKind.AUTHORIZATION])
@pytest.mark.parametrize("amount", [Money(2400, "EUR"), Money(2500, "EUR")])
async def test_of_a_payment_without_our_mark_what_was_done_is_what_a_person_decides_about(
    make_shop: Any, kind: TransactionKind, amount: Money
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    held = kind is TransactionKind.AUTHORIZATION
    shown = Authorized("ref-9", amount, "") if held else Succeeded("ref-9", amount, "")

    order = await _shown_last(shop, shown)

    assert (order.charge.kind, order.charge.amount) == (kind, amount)
    same = amount == Money(2500, "EUR")
    assert order.charge.review == (
        "names_another_transaction" if same else "amount_differs:24.00 EUR"
    )


async def test_a_payment_without_our_mark_that_another_order_has_pays_this_one_never(
    shop: Any,
) -> None:
    await _shown_last(shop, _UNMARKED)

    order = await _shown_last(shop, _UNMARKED, customer_id="bob")

    assert (order.status, order.charge.status) == (
        OrderStatus.PAYMENT_FAILED,
        TransactionStatus.DECLINED,
    )
