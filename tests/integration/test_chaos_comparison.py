"""The comparison after a chaos run finds each kind of lie, and nothing where there is none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus
from order_memory.contracts.samples import a_placed_order, a_refund, an_order
from tests.chaos.books import Books, Movement, at_providers
from tests.chaos.comparing import offences
from tests.chaos.heard import Answer, Heard, Refunding, Wish

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
KEY = "key-of-the-mugs"


def a_movement(order: Order, kind: str = "charge", amount: int = 2500, **but: object) -> Movement:
    movement = Movement(
        provider="stripe",
        kind=kind,
        reference=f"ref-{order.id}" if kind == "charge" else f"{kind}-{order.id}",
        amount=amount,
        currency="EUR",
        status="succeeded",
        moved=True,
        transaction_id=order.charge.id if kind == "charge" else None,
        parent_reference=None if kind == "charge" else f"ref-{order.id}",
    )
    return replace(movement, **but)  # type: ignore[arg-type]


def an_answer(order_id: str | None, http_status: int = 201, **but: object) -> Answer:
    status = {201: OrderStatus.PENDING, 402: OrderStatus.PAYMENT_FAILED}.get(http_status)
    answer = Answer(4.2, "place", http_status, key=KEY, order_id=order_id, order_status=status)
    return replace(answer, **but)  # type: ignore[arg-type]


class Scene:
    """Ann's mugs: one wish, one key, one order, one charge."""

    def __init__(self) -> None:
        self.order = a_placed_order(NOON, order_id="order-of-mugs", event_count=0)
        self.movements = [a_movement(self.order)]
        self.heard = Heard(wishes={KEY: Wish(KEY, "ann", {}, is_settled=True)})
        self.heard.take(an_answer(self.order.id))
        self.keys = {("ann", KEY): self.order.id}
        self.nobodys: list[Movement] = []

    def books(self) -> Books:
        evidence = replace(
            at_providers(self.order, self.movements),
            told=tuple(self.heard.told().get(self.order.id, ())),
            refund_wishes=self.heard.refund_wishes(self.order.id),
        )
        movements = {self.order.id: self.movements}
        return Books({self.order.id: evidence}, movements, self.nobodys, self.keys)

    def says(self) -> str:
        return "\n".join(offence.says for offence in offences(self.books(), self.heard))


def charge_twice(scene: Scene) -> None:
    scene.movements.append(a_movement(scene.order, reference="second"))


def lose_the_order(scene: Scene) -> None:
    scene.heard.take(an_answer("order-that-nobody-has", key=None))


def give_two_orders(scene: Scene) -> None:
    scene.heard.take(an_answer("order-of-more-mugs"))


def store_another(scene: Scene) -> None:
    scene.keys["ann", KEY] = "order-of-cups"


def forget_the_key(scene: Scene) -> None:
    scene.keys.clear()


def share_the_order(scene: Scene) -> None:
    scene.keys["ann", "another-key"] = scene.order.id
    scene.heard.wishes["another-key"] = Wish("another-key", "ann", {}, is_settled=True)


def invent_a_key(scene: Scene) -> None:
    scene.keys["ann", "key-of-nobody"] = scene.order.id


def lose_what_was_stored(scene: Scene) -> None:
    scene.keys["ann", "another-key"] = "order-of-cups"
    scene.heard.wishes["another-key"] = Wish("another-key", "ann", {}, is_settled=True)


def keep_a_hold(scene: Scene) -> None:
    hold = a_movement(scene.order, "authorization", reference="hold", parent_reference=None)
    scene.movements.append(hold)


def charge_for_nothing(scene: Scene) -> None:
    scene.nobodys.append(a_movement(scene.order, transaction_id="somebody"))


def tell_a_failure(scene: Scene) -> None:
    scene.heard.take(an_answer(scene.order.id, 402))


def answer_500(scene: Scene) -> None:
    scene.heard.take(an_answer(None, 500, code="internal_error"))


def never_rest(scene: Scene) -> None:
    charge = replace(scene.order.charge, attend_at=NOON + timedelta(hours=1))
    scene.order = scene.order.with_transaction(charge)


def give_back_unasked(scene: Scene) -> None:
    refund = a_refund(scene.order.charge, status=TransactionStatus.SUCCEEDED)
    scene.order = scene.order.with_transaction(refund)
    scene.movements.append(a_movement(scene.order, "refund"))


def forget_a_refund(scene: Scene) -> None:
    scene.heard.refunds["r"] = Refunding("r", scene.order.id, 700, is_accepted=True)


def leave_the_buyer_waiting(scene: Scene) -> None:
    failed = an_order(NOON, order_id=scene.order.id, status=OrderStatus.PAYMENT_FAILED)
    declined = failed.charge.finished(TransactionStatus.DECLINED, reason="expired")
    scene.order = failed.with_transaction(declined)
    scene.heard.answers.clear()
    scene.movements = [a_movement(scene.order, status="requires_action", moved=False)]


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (
            charge_twice,
            "books_agree: our books have taken 2500; the provider has taken 2500, taken",
        ),
        (charge_twice, "kept_within_total: 5000 minor units are kept, and its total is 25.00 EUR"),
        (
            lose_the_order,
            "answered_order_exists: request key a client's belongs to order order-that",
        ),
        (
            give_two_orders,
            "one_order_a_key: request key ann POST /api/orders/create key-of-the-mugs",
        ),
        (store_another, "answered ['order-of-mugs'], and stored order-of-cups"),
        (forget_the_key, "answered ['order-of-mugs'], and stored None"),
        (forget_the_key, "one_request_an_order: it belongs to 0 requests"),
        (share_the_order, "one_request_an_order: it belongs to 2 requests"),
        (invent_a_key, "one_request_an_order: it belongs to 0 requests"),
        (lose_what_was_stored, "orders_stay: order order-of-cups belongs to order order-of-cups"),
        (charge_for_nothing, "no_unknown_money: money stripe"),
        (tell_a_failure, "told_stays_true: a client was told payment_failed, and it is pending"),
        (answer_500, "no_bug:     4.20 s  place: 500 internal_error"),
        (keep_a_hold, "holds_agree: our books have 0 holds; the provider has 1"),
        (never_rest, "rest_is_reachable: it never comes to rest: somebody looks after it at 2031"),
        (give_back_unasked, "2500 was given back; accepted were 0, and at most 0 was asked"),
        (forget_a_refund, "0 was given back; accepted were 700, and at most 700 was asked"),
        (leave_the_buyer_waiting, "dead_means_dead: "),
    ],
)
def test_each_lie_is_found(lie: Callable[[Scene], None], found: str) -> None:
    scene = Scene()
    lie(scene)

    assert found in scene.says()


def test_where_all_agree_nothing_is_found() -> None:
    assert not Scene().says()


def test_a_refund_whose_answer_never_came_may_have_happened_or_not() -> None:
    scene = Scene()
    scene.heard.refunds["r"] = Refunding("r", scene.order.id, None)
    assert not scene.says()

    give_back_unasked(scene)
    assert not scene.says()


def test_a_refund_that_was_refused_must_not_have_happened() -> None:
    scene = Scene()
    scene.heard.refunds["r"] = Refunding("r", scene.order.id, None, is_refused=True)
    give_back_unasked(scene)

    assert "2500 was given back; accepted were 0, and at most 0 was asked" in scene.says()
