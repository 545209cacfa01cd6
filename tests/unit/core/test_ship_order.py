"""An order leaves only when its money is here, and arrives only when it left."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.erasure import erased
from order_core.errors import (
    CannotCancel,
    CannotDeliver,
    CannotShip,
    IdempotencyKeyReused,
    InvalidValue,
)
from order_core.invariants import Evidence, violations
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Reversed
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact
from order_core.shipment import MAX_SHIPMENTS
from order_memory import reactions

PARCEL = {"carrier": "DHL", "tracking_number": "JD014600000000000007"}


async def processing(shop: Any) -> Any:
    placed = await shop.place()
    return await shop.core.process(placed.id, by="staff-mia")


async def ship(shop: Any, order: Order, **but: str) -> Any:
    return await shop.core.ship(order.id, by="staff-mia", **(PARCEL | but))


async def events(shop: Any, order: Order) -> list[str]:
    history = await shop.core.history(order.id, customer_id="ann")
    return [entry.event.name for entry in history]


async def test_a_processed_order_is_shipped_and_delivered_and_its_customer_is_told_once(
    shop: Any,
) -> None:
    order = await processing(shop)
    shipped = await ship(shop, order)
    delivered = await shop.core.deliver(order.id, by="staff-mia")
    await shop.work_until(passed=timedelta(minutes=5))

    assert (shipped.status, delivered.status) == (OrderStatus.SHIPPED, OrderStatus.DELIVERED)
    assert [(p.carrier, p.tracking_number, p.shipped_at) for p in delivered.shipments] == [
        ("DHL", "JD014600000000000007", shop.clock.now() - timedelta(minutes=5))
    ]
    assert (await events(shop, order))[-2:] == ["order_shipped", "order_delivered"]
    told = [notice.happened.event.name for notice in shop.notifier.told]
    assert told.count("order_shipped") == 1
    history = await shop.core.history(order.id, customer_id="ann")
    stored = await shop.orders.get(order.id)
    assert violations(Evidence(stored, history=history)) == ()


async def test_the_same_parcel_again_changes_nothing_even_after_its_delivery(shop: Any) -> None:
    shipped = await ship(shop, await processing(shop))
    again = await ship(shop, shipped)
    delivered = await shop.core.deliver(shipped.id, by="staff-mia")

    assert again == shipped
    assert await ship(shop, shipped) == delivered
    assert await shop.core.deliver(shipped.id, by="staff-mia") == delivered


async def test_a_second_parcel_is_added_and_told(shop: Any) -> None:
    shipped = await ship(shop, await processing(shop))
    both = await ship(shop, shipped, tracking_number="JD014600000000000008")

    assert [parcel.tracking_number[-1] for parcel in both.shipments] == ["7", "8"]
    assert both.status is OrderStatus.SHIPPED
    assert (await events(shop, both)).count("order_shipped") == 2


async def test_an_order_has_so_many_parcels_and_no_more(shop: Any) -> None:
    order = await processing(shop)
    for number in range(MAX_SHIPMENTS):
        await ship(shop, order, tracking_number=f"P{number}")

    with pytest.raises(CannotShip) as refusal:
        await ship(shop, order, tracking_number="one more")
    assert refusal.value.reason == "too_many_shipments"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (OrderStatus.AWAITING_PAYMENT, "unpaid"),
        (OrderStatus.PAYMENT_FAILED, "unpaid"),
        (OrderStatus.PENDING, "not_processing"),
        (OrderStatus.CANCELLED, "already_cancelled"),
        (OrderStatus.DELIVERED, "already_delivered"),
    ],
)
async def test_only_what_is_being_processed_is_shipped(
    shop: Any, status: OrderStatus, reason: str
) -> None:
    placed = await shop.place()
    stored = (await shop.orders.save(replace(placed, status=status))).order

    with pytest.raises(CannotShip) as refusal:
        await ship(shop, stored)
    assert refusal.value.reason == reason
    assert await shop.orders.get(placed.id) == stored


async def test_nothing_leaves_whose_money_went_back_or_is_about_to(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(request_deadline=timedelta(0))
    order = await processing(shop)
    shop.gateway.react(reactions.NOT_SEND)
    await shop.core.refund(order.id, by="staff-mia")

    with pytest.raises(CannotShip) as refusal:
        await ship(shop, order)
    assert refusal.value.reason == "refunded"


async def test_what_is_left_after_a_part_went_back_is_shipped(shop: Any) -> None:
    order = await processing(shop)
    await shop.core.refund(order.id, amount=Money(1250, "EUR"), by="staff-mia")

    assert (await ship(shop, order)).status is OrderStatus.SHIPPED


async def test_disputed_goods_stay_here(shop: Any) -> None:
    order = await processing(shop)
    lost = Reversed("dp-1", Money(2500, "EUR"), "fraudulent", open=True)
    fact = ProviderFact(
        TransactionKind.REVERSAL,
        lost,
        "dp-1",
        parent_reference=order.charge.provider_reference,
    )
    await shop.core.receive_webhook.take_in_event.take_in("scripted", fact)

    with pytest.raises(CannotShip) as refusal:
        await ship(shop, order)
    assert refusal.value.reason == "in_review"


async def test_what_left_cannot_be_cancelled(shop: Any) -> None:
    shipped = await ship(shop, await processing(shop))

    with pytest.raises(CannotCancel) as refusal:
        await shop.core.cancel(shipped.id, customer_id="ann")
    assert refusal.value.reason == "already_shipped"


async def test_what_did_not_leave_does_not_arrive(shop: Any) -> None:
    order = await processing(shop)

    with pytest.raises(CannotDeliver) as refusal:
        await shop.core.deliver(order.id, by="staff-mia")
    assert refusal.value.reason == "not_shipped"


async def test_one_key_ships_one_parcel(shop: Any) -> None:
    order = await processing(shop)
    twice = [await shop.core.ship(order.id, by="staff-mia", key="k-1", **PARCEL) for _ in range(2)]

    assert [len(shipped.shipments) for shipped in twice] == [1, 1]
    with pytest.raises(IdempotencyKeyReused):
        await shop.core.ship(
            order.id, carrier="DHL", tracking_number="other", by="staff-mia", key="k-1"
        )


@pytest.mark.parametrize(
    "wrong", [{"carrier": ""}, {"carrier": "D" * 101}, {"tracking_number": "a\nb"}]
)
async def test_a_parcel_without_a_usable_carrier_or_number_is_refused(
    shop: Any, wrong: dict[str, str]
) -> None:
    order = await processing(shop)

    with pytest.raises(InvalidValue) as refusal:
        await ship(shop, order, **wrong)
    assert refusal.value.field == tuple(wrong)


async def test_an_order_whose_provider_is_switched_off_can_be_shipped(shop: Any) -> None:
    order = await processing(shop)
    other = shop.assembled(gateways={"another": shop.gateway}, default_provider="another")

    shipped = await other.ship(order.id, by="staff-mia", **PARCEL)
    assert shipped.status is OrderStatus.SHIPPED


async def test_of_an_erased_order_no_parcel_can_be_followed_and_none_leaves(shop: Any) -> None:
    shipped = await ship(shop, await processing(shop))
    gone = (await shop.orders.save(erased(shipped, at=shop.clock.now()))).order

    assert [(p.carrier, p.tracking_number) for p in gone.shipments] == [("DHL", "erased")]
    with pytest.raises(CannotShip) as refusal:
        await ship(shop, gone)
    assert refusal.value.reason == "erased"
