"""A person says that a hold was let go, which nobody saw, and the provider refused to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.outcomes import Authorized, Declined, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups

D = ReviewDecision
HOLD, VOID = TransactionKind.AUTHORIZATION, TransactionKind.VOID


@pytest.fixture
def holding(make_shop: Callable[..., Any]) -> Any:
    return make_shop(capture=CaptureMode.ON_PROCESSING)


async def accepted_unseen(
    shop: Any, *, named: bool, decision: ReviewDecision = D.ACCEPT
) -> tuple[Order, PaymentTransaction, Provider]:
    """A cancelled order whose hold is let go by a person's word alone."""
    provider = Provider(without_look_ups(shop))
    order = await shop.place()
    shop.gateway.react(reactions.WAIT if named else reactions.LOSE_REQUEST)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=30))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    void = order.transactions[-1]
    assert (void.kind, void.review) == (VOID, "provider_has_no_look_up")
    order = await decide(shop, order, void, decision)
    return order, order.transaction(void.id), provider


async def told(
    shop: Any, provider: Provider, void: PaymentTransaction, outcome: Any, *, marked: bool
) -> Order:
    """Its event says what became of it."""
    mark = {"transaction_id": void.id} if marked else {}
    await provider.tells(VOID, outcome, parent_reference=void.parent_reference, **mark)
    order: Order = await shop.orders.get(void.order_id)
    return order


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("marked", [True, False])
async def test_refused_after_all_it_is_made_again_of_what_is_held_still(
    holding: Any, *, named: bool, marked: bool
) -> None:
    order, void, provider = await accepted_unseen(holding, named=named)
    assert order.charge.status is TransactionStatus.VOIDED
    no = Declined("refused", reference=void.provider_reference or "void-1")
    for _ in range(2):
        order = await told(holding, provider, void, no, marked=marked)

    assert len(order.transactions) == 4
    held, again = order.transactions[2:]
    assert (held.kind, held.status) == (HOLD, TransactionStatus.AUTHORIZED)
    assert held.provider_reference == order.charge.provider_reference
    assert (again.kind, again.parent_id) == (VOID, held.id)
    await holding.work_until(passed=timedelta(days=1))
    order = await holding.orders.get(order.id)
    assert order.transaction(held.id).status is TransactionStatus.VOIDED
    assert order.payment_status is PaymentStatus.UNPAID
    assert order.attend_at is None


async def test_refused_because_it_was_taken_what_was_taken_goes_back(holding: Any) -> None:
    order, void, provider = await accepted_unseen(holding, named=False)
    no = Declined("already_captured", reference="void-1")
    order = await told(holding, provider, void, no, marked=True)
    held = order.charge.provider_reference
    taken = Succeeded("cap-1", WHOLE, "")
    await provider.tells(TransactionKind.CAPTURE, taken, parent_reference=held)
    order = await holding.orders.get(order.id)

    assert (order.captured_minor_units, order.refund_asked_minor_units) == (2500, 2500)


async def test_its_refusal_told_before_it_was_accepted_is_heard_afterwards(holding: Any) -> None:
    provider = Provider(without_look_ups(holding))
    order = await holding.place()
    holding.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(days=30))
    void = (await holding.orders.get(order.id)).transactions[-1]
    no = Declined("refused", reference="void-1")
    about = {"parent_reference": void.parent_reference}
    assert await provider.tells(VOID, no, **about) == "unknown_transaction"
    order = await decide(holding, await holding.orders.get(order.id), void, D.ACCEPT)
    await holding.assembled().match()
    again = (await holding.orders.get(order.id)).transactions

    assert [t.status for t in again if t.kind is HOLD] == [
        TransactionStatus.VOIDED,
        TransactionStatus.AUTHORIZED,
    ]


@pytest.mark.parametrize("amount", [WHOLE, PART])
@pytest.mark.parametrize("marked", [True, False])
async def test_refused_after_its_hold_was_captured_it_is_no_news(
    holding: Any, *, amount: Money, marked: bool
) -> None:
    """It was refused for that, and nothing is held any more that could be let go."""
    order, void, provider = await accepted_unseen(holding, named=not marked)
    taken = Succeeded("cap-1", amount, "")
    held = order.charge.provider_reference
    await provider.tells(TransactionKind.CAPTURE, taken, parent_reference=held)
    captured = await holding.orders.get(order.id)
    assert captured.refund_asked_minor_units == amount.minor_units
    no = Declined("already_captured", reference=void.provider_reference or "void-1")

    assert await told(holding, provider, void, no, marked=marked) == captured


async def test_refused_after_its_hold_was_let_go_by_hand_it_is_no_news(holding: Any) -> None:
    order, void, provider = await accepted_unseen(holding, named=False)
    held = order.charge.provider_reference
    await provider.tells(VOID, Succeeded("by-hand", WHOLE, ""), parent_reference=held)
    let_go = await holding.orders.get(order.id)
    no = Declined("already_voided", reference="void-1")

    assert await told(holding, provider, void, no, marked=True) == let_go


async def refused_and_accepted_again(
    shop: Any, order: Order, void: PaymentTransaction, provider: Provider
) -> tuple[Order, PaymentTransaction]:
    """Its refusal is told, and of the void that follows nobody knows any more than of the first."""
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    no = Declined("refused", reference=f"void-{void.id}")
    await told(shop, provider, void, no, marked=True)
    await shop.work_until(passed=timedelta(days=30))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    again = order.transactions[-1]
    assert (again.kind, again.review) == (VOID, "provider_has_no_look_up")
    order = await decide(shop, order, again, D.ACCEPT)
    return order, order.transaction(again.id)


async def test_each_void_of_a_hold_that_is_refused_leaves_it_standing_once(holding: Any) -> None:
    order, void, provider = await accepted_unseen(holding, named=False)
    voids = [void]
    for _ in range(2):
        order, void = await refused_and_accepted_again(holding, order, void, provider)
        voids.append(void)
    assert order.payment_status is PaymentStatus.UNPAID
    # Those of the first two are told again.
    for told_again in voids[:2]:
        no = Declined("refused", reference=f"void-{told_again.id}")
        assert await told(holding, provider, told_again, no, marked=True) == order
    for _ in range(2):
        no = Declined("refused", reference="void-3")
        order = await told(holding, provider, void, no, marked=True)

    assert [t.kind for t in order.transactions] == [HOLD, VOID] * 4
    assert order.payment_status is PaymentStatus.AUTHORIZED
    await holding.work_until(passed=timedelta(days=1))
    order = await holding.orders.get(order.id)
    assert [t.status for t in order.transactions[::2]] == [TransactionStatus.VOIDED] * 4


async def test_refused_after_an_earlier_copy_of_its_hold_was_captured_it_is_no_news(
    holding: Any,
) -> None:
    order, first, provider = await accepted_unseen(holding, named=False)
    order, second = await refused_and_accepted_again(holding, order, first, provider)
    held = order.charge.provider_reference
    taken = Succeeded("cap-1", WHOLE, "")
    await provider.tells(TransactionKind.CAPTURE, taken, parent_reference=held)
    captured = await holding.orders.get(order.id)
    assert captured.refund_asked_minor_units == 2500
    no = Declined("already_captured", reference="void-2")

    assert await told(holding, provider, second, no, marked=True) == captured


async def test_its_refusal_told_again_without_our_mark_is_not_that_of_the_next_void(
    holding: Any,
) -> None:
    order, first, provider = await accepted_unseen(holding, named=False)
    order, second = await refused_and_accepted_again(holding, order, first, provider)
    no = Declined("refused", reference=f"void-{first.id}")

    assert await told(holding, provider, first, no, marked=False) == order
    other = Declined("refused", reference="void-2")
    after = await told(holding, provider, second, other, marked=False)
    assert after.transaction(second.id).provider_reference == "void-2"
    assert [t.status for t in after.transactions if t.kind is HOLD][-1] is (
        TransactionStatus.AUTHORIZED
    )


@pytest.mark.parametrize("named", [True, False])
async def test_done_as_it_was_accepted_its_refusal_is_no_news(holding: Any, *, named: bool) -> None:
    order, void, provider = await accepted_unseen(holding, named=named)
    reference = void.provider_reference or "void-1"
    done = Succeeded(reference, WHOLE if not named else Money(1, "EUR"), void.id)
    order = await told(holding, provider, void, done, marked=True)
    assert len(order.transactions) == 2
    assert order.payment_status is PaymentStatus.UNPAID
    no = Declined("refused", reference=reference)
    assert await told(holding, provider, void, no, marked=True) == order


async def test_the_refusal_of_another_void_is_no_news(holding: Any) -> None:
    order, void, provider = await accepted_unseen(holding, named=True)
    no = Declined("refused", reference="void-of-somebody")

    assert await told(holding, provider, void, no, marked=True) == order


async def test_of_a_hold_that_had_ended_it_is_no_news(holding: Any) -> None:
    order, void, provider = await accepted_unseen(holding, named=False, decision=D.HOLD_ENDED)
    no = Declined("refused", reference="void-1")

    assert await told(holding, provider, void, no, marked=True) == order


async def test_of_what_waited_for_its_buyer_it_is_no_news(shop: Any) -> None:
    """Whatever he pays yet is told, and goes back."""
    provider = Provider(without_look_ups(shop))
    order = await shop.place(payment_method="action_required")
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=30))
    order = await shop.orders.get(order.id)
    void = order.transactions[-1]
    order = await decide(shop, order, void, D.ACCEPT)
    no = Declined("refused", reference="void-1")

    assert await told(shop, provider, void, no, marked=True) == order


async def test_a_second_hold_of_an_order_that_stands_is_a_persons_again(holding: Any) -> None:
    provider = Provider(without_look_ups(holding))
    order = await holding.place()
    about = {"transaction_id": order.charge.id}
    await provider.tells(HOLD, Authorized("psp-2", WHOLE, order.charge.id), **about)
    order = await holding.orders.get(order.id)
    holding.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    order = await decide(holding, order, order.transactions[-1], D.REFUND)
    await holding.work_until(passed=timedelta(days=1))
    order = await holding.orders.get(order.id)
    order = await decide(holding, order, order.transactions[-1], D.ACCEPT)
    void = order.transactions[-1]
    for _ in range(2):
        no = Declined("refused", reference="void-1")
        order = await told(holding, provider, void, no, marked=True)

    held = order.transactions[-1]
    assert (held.kind, held.review) == (HOLD, "refused_after_all:refused")
    assert len(order.transactions) == 4
    ended = Declined("expired", reference="psp-2")
    await provider.tells(HOLD, ended, parent_reference="psp-2", **about)
    order = await holding.orders.get(order.id)
    assert order.transaction(held.id).status is TransactionStatus.VOIDED
    assert order.charge.status is TransactionStatus.AUTHORIZED
