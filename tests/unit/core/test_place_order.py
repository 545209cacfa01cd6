"""Placing an order, with every port in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import (
    IdempotencyKeyReused,
    InvalidValue,
    PaymentMethodInUse,
    PossibleDuplicate,
    PriceMismatch,
    RequestInProgress,
    UnknownProvider,
)
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_item import MAX_ITEMS, OrderItem
from order_core.order_request import OrderRequest
from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus
from order_memory import CataloguePrices, TrustedPrices, reactions


async def test_a_good_card_places_the_order_with_one_charge(shop: Any) -> None:
    order = await shop.place()

    assert order.status is OrderStatus.PENDING
    assert order.payment_status is PaymentStatus.PAID
    assert [asked.amount for asked in shop.gateway.asked] == [Money(2500, "EUR")]
    assert order.attend_at is None


async def test_the_charge_is_stored_before_the_gateway_is_called(shop: Any) -> None:
    stored = []

    class Watching(type(shop.gateway)):  # type: ignore[misc] # Only `send` is watched.
        async def send(self, transaction: Any, /) -> Any:
            stored.append((await shop.orders.get(transaction.order_id)).charge)
            return await super().send(transaction)

    shop.gateway = Watching(shop.clock)
    shop.core = shop.assembled()
    await shop.place()

    assert [(charge.status, charge.sends) for charge in stored] == [(TransactionStatus.RECORDED, 1)]


@pytest.mark.parametrize("token", ["declined", "insufficient_funds"])
async def test_a_declined_card_fails_the_order_and_moves_nothing(shop: Any, token: str) -> None:
    order = await shop.place(payment_method=token)

    assert order.status is OrderStatus.PAYMENT_FAILED
    assert order.charge.reason == token
    assert shop.net_minor_units_at_the_provider() == 0
    assert order.attend_at is None


@pytest.mark.parametrize("token", ["lost_request", "lost_answer", "error_before", "error_after"])
async def test_silence_is_never_a_decline(shop: Any, token: str) -> None:
    order = await shop.place(payment_method=token)

    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert order.charge.status is TransactionStatus.UNKNOWN


async def test_a_gateway_that_raises_leaves_the_outcome_unknown(shop: Any) -> None:
    class Raising(type(shop.gateway)):  # type: ignore[misc] # Only `send` misbehaves.
        async def send(self, transaction: Any, /) -> Any:
            raise RuntimeError("secret of the provider's SDK")

    shop.gateway = Raising(shop.clock)
    shop.core = shop.assembled()
    order = await shop.place()

    assert order.charge.status is TransactionStatus.UNKNOWN
    assert order.charge.reason == "gateway_raised:RuntimeError"


async def test_what_was_certainly_not_sent_is_sent_again_under_the_same_key(shop: Any) -> None:
    shop.gateway.react(reactions.NOT_SEND, reactions.LIMIT_RATE)
    order = await shop.place()

    assert order.status is OrderStatus.PENDING
    assert len({asked.key for asked in shop.gateway.asked}) == 1
    assert len(shop.gateway.asked) == 3


async def test_a_decline_after_sends_that_never_ran_is_believed(shop: Any) -> None:
    shop.gateway.react(reactions.NOT_SEND, reactions.decline("expired_card"))
    order = await shop.place()

    assert order.status is OrderStatus.PAYMENT_FAILED


async def test_a_decline_after_a_send_that_may_have_run_is_a_question(shop: Any) -> None:
    shop.gateway.react(reactions.SAY_IN_PROGRESS, reactions.decline("token_already_used"))
    order = await shop.place()

    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert order.charge.status is TransactionStatus.UNKNOWN


async def test_a_provider_that_limits_the_rate_for_long_leaves_the_order_open(shop: Any) -> None:
    order = await shop.place(payment_method="rate_limited")

    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert len(shop.gateway.asked) <= 10


async def test_two_requests_of_one_movement_are_one_charge(shop: Any) -> None:
    order = await shop.place(payment_method="two_step")

    assert order.status is OrderStatus.PENDING
    first, second = shop.gateway.asked
    assert second.key == f"{first.key}-2"
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_another_amount_than_ours_is_reviewed_and_never_a_success(shop: Any) -> None:
    order = await shop.place(payment_method="wrong_amount")

    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def test_the_payment_token_is_forgotten_once_the_charge_is_final(shop: Any) -> None:
    assert (await shop.place()).charge.token is None
    assert (await shop.place(payment_method="declined", allow_duplicate=True)).charge.token is None


async def test_the_same_outcome_is_applied_again_after_a_lost_version_race(shop: Any) -> None:
    class Overtaken(type(shop.gateway)):  # type: ignore[misc] # Somebody saves during the call.
        async def send(self, transaction: Any, /) -> Any:
            outcome = await super().send(transaction)
            order = await shop.orders.get(transaction.order_id)
            await shop.orders.save(order)
            return outcome

    shop.gateway = Overtaken(shop.clock)
    shop.core = shop.assembled()
    order = await shop.place()

    assert order.status is OrderStatus.PENDING
    assert len(shop.gateway.asked) == 1


# The same request twice -------------------------------------------------------------------


async def test_a_repeated_key_answers_with_the_first_order(shop: Any) -> None:
    first = await shop.place(key="k-7")
    again = await shop.place(key="k-7")

    assert again.id == first.id
    assert len(shop.gateway.asked) == 1


async def test_a_repeated_key_tells_what_the_order_became_since(shop: Any) -> None:
    opened = await shop.place(key="k-8", payment_method="lost_answer")
    await shop.work_until(passed=timedelta(minutes=2))
    again = await shop.place(key="k-8", payment_method="lost_answer")

    assert opened.status is OrderStatus.AWAITING_PAYMENT
    assert again.status is OrderStatus.PENDING
    assert again.id == opened.id


async def test_a_repeated_key_with_another_body_is_refused(shop: Any) -> None:
    await shop.place(key="k-9")

    with pytest.raises(IdempotencyKeyReused):
        await shop.place(key="k-9", payment_method="declined")


async def test_a_repeated_key_is_answered_though_the_price_changed_since(shop: Any) -> None:
    first = await shop.place(key="k-10")
    shop.core = shop.assembled(prices=CataloguePrices({"mug": Money(1300, "EUR")}))

    assert (await shop.place(key="k-10")).id == first.id
    with pytest.raises(PriceMismatch):
        await shop.place(key="k-11")


async def test_a_repeat_whose_token_names_another_address_is_the_same_request(shop: Any) -> None:
    first = await shop.place(key="k-14", email=None, fallback_email="ann@old.example")
    again = await shop.place(key="k-14", email=None, fallback_email="ann@new.example")

    assert (again.id, again.email) == (first.id, "ann@old.example")


async def test_the_keys_of_two_customers_do_not_meet(shop: Any) -> None:
    ann = await shop.place(key="k-12", customer_id="ann")
    bob = await shop.place(key="k-12", customer_id="bob")

    assert ann.id != bob.id


async def test_a_repeat_waits_for_the_first_and_then_says_that_it_still_runs(shop: Any) -> None:
    class Slow(type(shop.gateway)):  # type: ignore[misc] # Only `send` is slow.
        async def send(self, transaction: Any, /) -> Any:
            with pytest.raises(RequestInProgress) as still_running:
                await shop.place(key="k-13")
            assert still_running.value.order_id == transaction.order_id
            return await super().send(transaction)

    shop.gateway = Slow(shop.clock)
    shop.core = shop.assembled()
    before = shop.clock.now()
    order = await shop.place(key="k-13")

    assert order.status is OrderStatus.PENDING
    assert shop.clock.now() - before >= shop.policy.wait_for_first
    assert len(shop.gateway.asked) == 1


async def test_a_double_click_without_a_key_is_refused(shop: Any) -> None:
    await shop.place()

    with pytest.raises(PossibleDuplicate):
        await shop.place()
    assert len(shop.gateway.asked) == 1


async def test_whoever_has_waited_less_than_nothing_has_not_waited(shop: Any) -> None:
    """As two clocks may tell it, one of which was set back."""
    first = await shop.place()
    again = OrderRequest(
        first.customer_id, first.items, first.shipping_address, "ok", email=first.email
    )

    with pytest.raises(PossibleDuplicate):
        await shop.core.place(again, waited=timedelta(hours=-1))
    assert len(shop.gateway.asked) == 1


async def test_a_double_click_is_one_though_its_prices_were_checked_slowly(shop: Any) -> None:
    class SlowPrices(TrustedPrices):
        async def verify(self, *_: Any, **__: Any) -> None:
            shop.clock.advance(timedelta(seconds=1))
            shop.core = quick
            await shop.place()
            shop.clock.advance(2 * shop.policy.duplicate_window)

    quick, shop.core = shop.core, shop.assembled(prices=SlowPrices())
    with pytest.raises(PossibleDuplicate):
        await shop.place()
    assert len(shop.gateway.asked) == 1


async def test_a_double_click_is_one_though_the_page_makes_a_fresh_token_for_each(
    shop: Any,
) -> None:
    await shop.place(payment_method="once_a", key="click-1")

    with pytest.raises(PossibleDuplicate):
        await shop.place(payment_method="scripted:once_b", key="click-2")
    assert len(shop.gateway.asked) == 1


async def test_two_payment_methods_that_are_kept_make_two_orders(shop: Any) -> None:
    first = await shop.place(payment_method="ok")
    second = await shop.place(payment_method="two_step")

    assert [first.status, second.status] == [OrderStatus.PENDING] * 2


async def test_a_buyer_may_try_another_card_while_the_first_one_asks_him_to_approve(
    shop: Any,
) -> None:
    shop.gateway.react(reactions.ASK_BUYER)
    waiting = await shop.place(payment_method="once_a", key="card-1")
    shop.clock.advance(timedelta(seconds=11))
    paid = await shop.place(payment_method="once_b", key="card-2")
    await shop.work_until()

    assert waiting.status is OrderStatus.AWAITING_PAYMENT
    assert paid.status is OrderStatus.PENDING
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_an_equal_order_is_welcome_when_it_is_meant(shop: Any) -> None:
    first = await shop.place()
    second = await shop.place(allow_duplicate=True)
    shop.clock.advance(timedelta(seconds=11))
    third = await shop.place()

    assert len({first.id, second.id, third.id}) == 3


async def test_a_declined_order_does_not_stand_in_the_way_of_the_next_try(shop: Any) -> None:
    shop.gateway.react(reactions.decline("insufficient_funds"))
    declined = await shop.place()
    placed = await shop.place()

    assert (declined.status, placed.status) == (OrderStatus.PAYMENT_FAILED, OrderStatus.PENDING)


async def test_a_single_use_payment_pays_one_order(shop: Any) -> None:
    await shop.place(payment_method="once_5O190127TN364715T")

    with pytest.raises(PaymentMethodInUse):
        await shop.place(payment_method="once_5O190127TN364715T", customer_id="bob", key="other")


async def test_incident_18_one_payment_at_the_provider_never_pays_two_orders(shop: Any) -> None:
    class Echo(type(shop.gateway)):  # type: ignore[misc] # It gives every payment one reference.
        async def send(self, transaction: Any, /) -> Any:
            outcome = await super().send(transaction)
            return replace(outcome, reference="the-one-payment")

    shop.gateway = Echo(shop.clock)
    shop.core = shop.assembled()
    first = await shop.place()
    second = await shop.place(customer_id="bob")

    assert first.status is OrderStatus.PENDING
    assert second.status is OrderStatus.PAYMENT_FAILED
    assert second.charge.reason == "payment_already_used"


# Requests that are refused before anything is stored --------------------------------------


@pytest.mark.parametrize(
    ("payment_method", "refusal"),
    [("nosuch:token", UnknownProvider), ("scripted:", InvalidValue), ("unheard_of", InvalidValue)],
)
async def test_a_payment_that_could_never_work_is_refused_before_the_record(
    shop: Any, payment_method: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await shop.place(payment_method=payment_method)

    assert shop.all_orders == []


async def test_the_provider_can_be_named(shop: Any) -> None:
    assert (await shop.place(payment_method="scripted:ok")).charge.provider == "scripted"


@pytest.mark.parametrize(
    "items",
    [
        (),
        (OrderItem("mug", 1, Money(1, "EUR")),) * (MAX_ITEMS + 1),
        (OrderItem("mug", 1, Money(1, "EUR")), OrderItem("cup", 1, Money(1, "USD"))),
        (OrderItem("gift", 1, Money(0, "EUR")),),
        (OrderItem("yacht", 1_000_000, Money(2**53 - 1, "EUR")),),
    ],
    ids=["no items", "too many", "two currencies", "nothing to pay", "beyond the largest amount"],
)
async def test_items_that_make_no_order_are_refused(shop: Any, items: Any) -> None:
    with pytest.raises(InvalidValue) as refusal:
        await shop.place(items=items)

    assert refusal.value.field[0] == "items"


@pytest.mark.parametrize("quantity", [0, -1, 10**12])
def test_a_quantity_outside_its_bounds_is_refused(quantity: int) -> None:
    with pytest.raises(InvalidValue) as refusal:
        OrderItem("mug", quantity, Money(1, "EUR"))

    assert refusal.value.field == ("quantity",)


@pytest.mark.parametrize("price", [12.5, "12.50", 12])
def test_a_price_that_is_no_money_is_refused_where_it_is_given(price: Any) -> None:
    with pytest.raises(TypeError, match=f"price must be Money, not {type(price).__name__}"):
        OrderItem("mug", 1, price)


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\ud800b", "x" * 201])
def test_a_product_id_that_no_store_can_keep_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        OrderItem(text, 1, Money(1, "EUR"))
