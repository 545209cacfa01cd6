"""A person says of a void that was refused that the hold has ended: its provider did not tell."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotReview
from order_core.events import AuthorizationEnded
from order_core.immutable import replace
from order_core.invariants import Evidence, violations
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Outcome, Report, Succeeded
from order_core.payment import NO_LOOK_UP, TransactionKind, TransactionStatus
from order_core.reviewing import ReviewDecision
from order_memory import Standing, reactions
from tests.unit.core.telling_and_deciding import WHOLE, Provider, decide, without_look_ups

D = ReviewDecision
Scene = Callable[[Any], Awaitable[Any]]
GONE = reactions.decline("original_payment_is_gone")
REFUSED = "reversal_refused:original_payment_is_gone"


async def held_and_gone(shop: Any, **but: Any) -> Any:
    """A placed order whose hold has ended at a provider that cannot be asked and did not tell."""
    placed = await without_look_ups(shop).place(**but)
    hold = placed.charge.provider_reference
    shop.gateway.ledger.end(hold, Standing.VOIDED, reason="expired")
    return placed


async def void_refused(shop: Any) -> Any:
    """It was cancelled, and its void is refused for good."""
    placed = await held_and_gone(shop)
    shop.gateway.react(*[GONE] * 50)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(hours=3))
    return await in_review(shop, placed, REFUSED)


async def void_given_up(shop: Any) -> Any:
    """It was cancelled, and nobody could ask what became of its void."""
    placed = await held_and_gone(shop)
    shop.gateway.react(*[reactions.LOSE_ANSWER] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=2))
    return await in_review(shop, placed, NO_LOOK_UP)


async def in_review(shop: Any, placed: Any, doubt: str) -> Any:
    order = await shop.orders.get(placed.id)
    assert (order.transactions[-1].kind, order.transactions[-1].review) == (_K.VOID, doubt)
    assert order.charge.is_held
    return order


async def held_again(shop: Any, order: Any) -> tuple[Any, Any]:
    """The order with a second hold, which its provider made beside its own."""
    told = Authorized("ref-2", order.charge.amount, order.charge.id)
    order = await shop.core.settle(order, order.charge.id, Report(told))
    return order, order.transactions[-1]


async def at_rest(shop: Any, order: Any) -> Any:
    """The order a month later, when nobody has to look after it any more."""
    await shop.work_until(passed=timedelta(days=30))
    order = await shop.orders.get(order.id)
    assert order.attend_at is None
    return order


def voids_sent(shop: Any) -> int:
    return sum(t.kind is _K.VOID for t in shop.gateway.asked)


def doubts(order: Any) -> list[str | None]:
    return [t.review for t in order.transactions if t.review]


_K = TransactionKind
_T = TransactionStatus
IN_REVIEW = pytest.mark.parametrize("scene", [void_refused, void_given_up])


# What it ends -------------------------------------------------------------------------------------


async def test_to_accept_the_refusal_has_no_end(holding: Any) -> None:
    """What the decision is for."""
    order = await void_refused(holding)
    before = voids_sent(holding)
    await decide(holding, order, order.transactions[-1], D.ACCEPT)
    await holding.work_until(passed=timedelta(hours=3))

    order = await holding.orders.get(order.id)
    assert voids_sent(holding) > before
    assert order.payment_status is PaymentStatus.IN_REVIEW


@IN_REVIEW
async def test_the_hold_is_over_and_nothing_is_asked_of_it_any_more(
    holding: Any, scene: Scene
) -> None:
    order = await scene(holding)
    void, sent = order.transactions[-1], voids_sent(holding)
    await decide(holding, order, void, D.HOLD_ENDED)
    order = await at_rest(holding, order)

    assert (order.charge.status, order.charge.reason) == (_T.VOIDED, "ended_by_review")
    assert (order.status, order.payment_status) == (OrderStatus.CANCELLED, PaymentStatus.UNPAID)
    assert voids_sent(holding) == sent
    history = tuple(await holding.core.history(order.id, customer_id="ann"))
    ends = [each.event for each in history if isinstance(each.event, AuthorizationEnded)]
    assert ends == [AuthorizationEnded(order.charge.id, "ended_by_review")]
    rested = Evidence(
        order, history=history, held_at_provider=0, had_all_time=True, people_decided=True
    )
    assert violations(rested) == ()


async def test_it_is_decided_once(holding: Any) -> None:
    order = await void_refused(holding)
    void = order.transactions[-1]
    wish = {"transaction_id": void.id, "decision": D.HOLD_ENDED, "note": "seen", "by": "staff"}
    first = await holding.core.review(order.id, **wish, key="key-1")
    again = await holding.core.review(order.id, **wish, key="key-1")

    assert (again.version, again.transactions) == (first.version, first.transactions)
    with pytest.raises(CannotReview) as refusal:
        await decide(holding, first, void, D.HOLD_ENDED)
    assert refusal.value.reason == "not_in_review"


async def test_of_several_holds_the_others_stand(holding: Any) -> None:
    order, second = await held_again(holding, await held_and_gone(holding))
    holding.gateway.react(*[GONE] * 50)
    await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=3))
    order = await holding.orders.get(order.id)
    of_second = next(t for t in order.transactions if t.parent_id == second.id and t.review)
    await decide(holding, order, of_second, D.HOLD_ENDED)
    await holding.work_until(passed=timedelta(days=1))

    order = await holding.orders.get(order.id)
    assert order.transaction(second.id).status is _T.VOIDED
    assert (order.charge.status, doubts(order)) == (_T.AUTHORIZED, [REFUSED])


async def test_a_second_hold_that_has_ended_is_no_matter_of_an_order_that_stands(
    holding: Any,
) -> None:
    without_look_ups(holding)
    order, second = await held_again(holding, await holding.place())
    holding.gateway.react(GONE)
    order = await decide(holding, order, second, D.REFUND)
    await holding.work_until(passed=timedelta(hours=1))
    order = await in_review(holding, order, REFUSED)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)

    assert order.transaction(second.id).status is _T.VOIDED
    assert order.lives_on(order.charge)
    order = await holding.core.process(order.id, by="staff")
    assert (order.status, order.payment_status) == (OrderStatus.PROCESSING, PaymentStatus.PAID)


async def test_an_order_that_stands_with_the_hold_is_unpaid_and_can_be_cancelled(
    holding: Any,
) -> None:
    provider = Provider(without_look_ups(holding))
    order, second = await held_again(holding, await holding.place())
    by_hand = Succeeded("cap-2", WHOLE, "")
    await provider.tells(_K.CAPTURE, by_hand, parent_reference=second.provider_reference)
    order = await holding.orders.get(order.id)
    holding.gateway.react(GONE)
    # Another payment pays it, so its own hold is let go; and then that one goes back.
    await decide(holding, order, order.transactions[-1], D.ACCEPT)
    await holding.work_until(passed=timedelta(hours=1))
    order = await in_review(holding, order, REFUSED)
    back = Succeeded("re-2", WHOLE, "")
    await provider.tells(_K.REFUND, back, parent_reference="cap-2")
    order = await holding.orders.get(order.id)
    assert not any(order.left_of(paid) for paid in order.payments)
    void = next(t for t in order.transactions if t.review)
    order = await decide(holding, order, void, D.HOLD_ENDED)

    assert (order.status, order.charge.status) == (OrderStatus.PENDING, _T.VOIDED)
    assert (order.hold, order.cancel_refusal, doubts(order)) == (None, None, [])


@pytest.mark.parametrize("end", [OrderStatus.PAYMENT_FAILED, OrderStatus.CANCELLED])
async def test_of_a_payment_that_waits_for_its_buyer_it_ends_the_order(
    holding: Any, end: OrderStatus
) -> None:
    without_look_ups(holding)
    order = await holding.place(payment_method="action_required")
    holding.gateway.react(*[GONE] * 50)
    if end is OrderStatus.CANCELLED:
        await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=3))
    order = await in_review(holding, order, REFUSED)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)

    assert (order.status, order.charge.status) == (end, _T.DECLINED)
    assert (order.charge.action_url, order.attend_at, doubts(order)) == (None, None, [])
    history = await holding.core.history(order.id, customer_id="ann")
    assert violations(Evidence(order, history=tuple(history), people_decided=True)) == ()
    # The person was wrong, and the buyer agreed.
    held = Authorized(order.charge.provider_reference or "", WHOLE, order.charge.id)
    order = await holding.core.settle(order, order.charge.id, Report(held))
    assert (order.status, order.transactions[-1].kind) == (end, _K.VOID)


# Other voids of the same hold ---------------------------------------------------------------------


async def with_a_second_void(shop: Any) -> tuple[Any, Any, Any]:
    """A hold of which a void was refused while its order stood, and one is under way since."""
    without_look_ups(shop)
    order, second = await held_again(shop, await shop.place())
    shop.gateway.react(GONE)
    order = await decide(shop, order, second, D.REFUND)
    await shop.work_until(passed=timedelta(hours=1))
    order = await in_review(shop, order, REFUSED)
    shop.gateway.react(*[reactions.LOSE_ANSWER] * 200)
    order = await shop.core.cancel(order.id, customer_id="ann")
    first, another = [t for t in order.transactions if t.parent_id == second.id]
    assert another.is_open
    return order, first, another


@pytest.mark.parametrize("end", ["done", "refused", "in vain", "told by event alone"])
async def test_one_that_is_under_way_meanwhile_is_no_contradiction(holding: Any, end: str) -> None:
    order, first, another = await with_a_second_void(holding)
    order = await decide(holding, order, first, D.HOLD_ENDED)
    if end == "done":
        told = Report(Succeeded("vo-2", WHOLE, another.id))
        order = await holding.core.settle(order, another.id, told)
    if end == "refused":
        told = Report(Declined("original_payment_is_gone", reference="vo-2"))
        order = await holding.core.settle(order, another.id, told)
    if end == "told by event alone":
        provider = Provider(holding)
        done = Succeeded("vo-2", WHOLE, another.id)
        await provider.tells(_K.VOID, done, transaction_id=another.id)
    holding.gateway.forget_reactions()
    await holding.work_until(passed=timedelta(days=2))
    order = await holding.orders.get(order.id)

    assert order.transaction(first.parent_id).reason == "ended_by_review"
    # What nobody could ask about is told to a person, as always; to accept it ends it.
    assert doubts(order) == ([NO_LOOK_UP] if end == "in vain" else [])
    if end == "in vain":
        with pytest.raises(CannotReview) as refusal:
            await decide(holding, order, order.transaction(another.id), D.HOLD_ENDED)
        assert refusal.value.reason == "not_held"
        order = await decide(holding, order, order.transaction(another.id), D.ACCEPT)
    order = await at_rest(holding, order)
    assert order.payment_status is PaymentStatus.UNPAID


@pytest.mark.parametrize("about", [0, 1])
async def test_all_that_are_in_review_for_that_are_answered_at_once(
    holding: Any, about: int
) -> None:
    order, first, another = await with_a_second_void(holding)
    await holding.work_until(passed=timedelta(days=2))
    order = await holding.orders.get(order.id)
    assert len(doubts(order)) == 3
    asked = (first, another)[about]
    order = await decide(holding, order, order.transaction(asked.id), D.HOLD_ENDED)

    # The third one is of its own hold, and that one stands.
    (left,) = [t for t in order.transactions if t.review]
    assert (left.parent_id, order.charge.status) == (order.charge.id, _T.AUTHORIZED)


async def test_what_is_doubted_of_another_for_another_reason_is_a_persons_still(
    holding: Any,
) -> None:
    order, first, another = await with_a_second_void(holding)
    stray = Report(Succeeded("vo-9", WHOLE, "of-another-order"))
    order = await holding.core.settle(order, another.id, stray)
    assert order.transaction(another.id).review == "names_another_transaction"
    order = await decide(holding, order, first, D.HOLD_ENDED)

    assert order.transaction(another.id).review == "names_another_transaction"


# If the person was wrong --------------------------------------------------------------------------


@IN_REVIEW
async def test_a_capture_that_is_told_later_is_booked_and_given_back(
    holding: Any, scene: Scene
) -> None:
    order = await scene(holding)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)
    holding.gateway.forget_reactions()
    hold = order.charge.provider_reference
    holding.gateway.ledger.end(hold, Standing.AUTHORIZED, reason="it stood")
    taken = replace(
        order.charge, id="by-hand", kind=_K.CAPTURE, parent_reference=hold, provider_reference=None
    )
    done = holding.gateway.ledger.carry_out(taken)
    provider = Provider(holding)
    for _ in range(2):
        by_hand = Succeeded(done.reference, WHOLE, "")
        await provider.tells(_K.CAPTURE, by_hand, parent_reference=hold)
    order = await at_rest(holding, order)

    assert (order.captured_minor_units, order.refunded_minor_units) == (2500, 2500)
    assert order.payment_status is PaymentStatus.REFUNDED
    ledger = holding.gateway.ledger
    assert (ledger.taken(done.reference), ledger.given_back(done.reference)) == (2500, 2500)


async def test_a_capture_that_is_told_later_of_an_order_that_stands_goes_before_a_person(
    holding: Any,
) -> None:
    without_look_ups(holding)
    order, second = await held_again(holding, await holding.place())
    holding.gateway.react(GONE)
    order = await decide(holding, order, second, D.REFUND)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)
    by_hand = Succeeded("cap-2", WHOLE, "")
    await Provider(holding).tells(_K.CAPTURE, by_hand, parent_reference=second.provider_reference)
    order = await holding.orders.get(order.id)

    assert (order.status, order.captured_minor_units) == (OrderStatus.PENDING, 2500)
    assert doubts(order) == ["not_asked_for"]


@IN_REVIEW
async def test_a_look_that_shows_it_taken_later_gives_it_back(holding: Any, scene: Scene) -> None:
    order = await scene(holding)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)
    hold = order.charge
    taken = Report(Succeeded(hold.provider_reference or "", WHOLE, hold.id), holding.clock.now())
    order = await holding.core.settle(order, hold.id, taken)

    refund = order.transactions[-1]
    assert (refund.kind, refund.amount, refund.is_open) == (_K.REFUND, WHOLE, True)
    assert (order.captured_minor_units, doubts(order)) == (2500, [])


@IN_REVIEW
@pytest.mark.parametrize("news", ["expired", "held", "not there"])
async def test_what_is_told_of_the_hold_itself_later_changes_nothing(
    holding: Any, scene: Scene, news: str
) -> None:
    order = await scene(holding)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)
    hold = order.charge
    reference = hold.provider_reference or ""
    told: dict[str, Outcome] = {
        "expired": Declined("expired", reference=reference),
        "not there": Declined("expired"),
        "held": Authorized(reference, WHOLE, hold.id),
    }
    after = await holding.core.settle(order, hold.id, Report(told[news]))

    assert after == order


async def test_its_own_void_that_is_told_as_done_after_all_is_no_contradiction(
    holding: Any,
) -> None:
    order = await void_given_up(holding)
    void = order.transactions[-1]
    order = await decide(holding, order, void, D.HOLD_ENDED)
    done = Report(Succeeded("vo-1", WHOLE, void.id))
    order = await holding.core.settle(order, void.id, done)

    assert (order.payment_status, len(order.transactions)) == (PaymentStatus.UNPAID, 2)


async def test_its_own_void_that_is_told_as_refused_after_all_is_not_made_anew(
    holding: Any,
) -> None:
    order = await void_given_up(holding)
    void = order.transactions[-1]
    order = await decide(holding, order, void, D.HOLD_ENDED)
    no = Report(Declined("original_payment_is_gone", reference="vo-1"))
    order = await holding.core.settle(order, void.id, no)

    assert (order.payment_status, len(order.transactions)) == (PaymentStatus.UNPAID, 2)


# Of what it cannot be said ------------------------------------------------------------------------


async def refusal_of(shop: Any, order: Any, transaction: Any) -> str:
    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, transaction, D.HOLD_ENDED)
    assert await shop.orders.get(order.id) == order
    return str(refusal.value.reason)


async def test_not_of_a_hold_or_a_payment(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())

    assert await refusal_of(holding, order, second) == "no_void"


async def test_not_of_a_refund_that_was_refused(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("account_closed"))
    order = await shop.core.cancel(placed.id, customer_id="ann")

    assert await refusal_of(shop, order, order.transactions[-1]) == "no_void"


async def test_not_of_a_void_that_somebody_else_made(holding: Any) -> None:
    placed = await without_look_ups(holding).place()
    hold = placed.charge.provider_reference
    voided = Succeeded("vo-1", WHOLE, "")
    await Provider(holding).tells(_K.VOID, voided, parent_reference=hold)
    order = await holding.orders.get(placed.id)

    assert await refusal_of(holding, order, order.transactions[-1]) == "not_refused"


async def test_not_of_a_void_that_is_open_and_doubted(holding: Any) -> None:
    order, _, another = await with_a_second_void(holding)
    stray = Report(Succeeded("vo-9", WHOLE, "of-another-order"))
    order = await holding.core.settle(order, another.id, stray)

    assert await refusal_of(holding, order, order.transaction(another.id)) == "still_open"


async def test_not_once_the_provider_has_told_it(holding: Any) -> None:
    order = await void_refused(holding)
    end = Report(Declined("expired", reference=order.charge.provider_reference))
    order = await holding.core.settle(order, order.charge.id, end)

    assert await refusal_of(holding, order, order.transactions[-1]) == "not_held"
    order = await decide(holding, order, order.transactions[-1], D.ACCEPT)
    assert (order.payment_status, order.attend_at) == (PaymentStatus.UNPAID, None)


async def test_not_once_it_was_taken(holding: Any) -> None:
    order = await void_refused(holding)
    by_hand = Succeeded("cap-1", WHOLE, "")
    hold = order.charge.provider_reference
    await Provider(holding).tells(_K.CAPTURE, by_hand, parent_reference=hold)
    order = await holding.orders.get(order.id)
    void = next(t for t in order.transactions if t.review)

    assert await refusal_of(holding, order, void) == "not_held"


@pytest.mark.parametrize(
    ("capture", "because"),
    [
        ({"status": _T.RECORDED}, "capture_in_progress"),
        ({"status": _T.UNKNOWN}, "capture_in_progress"),
        ({"status": _T.PENDING}, "capture_in_progress"),
        ({"status": _T.IN_REVIEW, "review": NO_LOOK_UP}, "capture_in_review"),
    ],
)
async def test_not_while_it_may_be_taken(
    holding: Any, capture: dict[str, Any], because: str
) -> None:
    order = await void_refused(holding)
    void = order.transactions[-1]
    taking = replace(
        void, **({"id": "capture-1", "kind": _K.CAPTURE, "review": None, "reason": None} | capture)
    )
    stored = await holding.orders.save(order.with_transaction(taking))

    assert await refusal_of(holding, stored.order, void) == because


async def test_that_another_hold_is_being_taken_is_no_matter(holding: Any) -> None:
    placed = await without_look_ups(holding).place()
    holding.gateway.react(reactions.LOSE_ANSWER, GONE)
    order = await holding.core.process(placed.id, by="staff")
    assert (order.transactions[-1].kind, order.transactions[-1].is_open) == (_K.CAPTURE, True)
    order, second = await held_again(holding, order)
    order = await decide(holding, order, second, D.REFUND)
    order = await in_review(holding, order, REFUSED)
    order = await decide(holding, order, order.transactions[-1], D.HOLD_ENDED)

    assert order.transaction(second.id).status is _T.VOIDED


async def test_not_while_its_hold_is_doubted_itself(holding: Any) -> None:
    without_look_ups(holding)
    order = await holding.place(payment_method="action_required")
    holding.gateway.react(*[reactions.LOSE_ANSWER] * 200)
    order = await holding.core.cancel(order.id, customer_id="ann")
    less = Authorized(
        order.charge.provider_reference, replace(WHOLE, minor_units=2400), order.charge.id
    )
    await holding.core.settle(order, order.charge.id, Report(less))
    await holding.work_until(passed=timedelta(days=2))
    order = await holding.orders.get(order.id)
    assert order.charge.status is _T.IN_REVIEW
    assert order.transactions[-1].review == NO_LOOK_UP

    assert await refusal_of(holding, order, order.transactions[-1]) == "hold_in_review"
