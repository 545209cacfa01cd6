"""Each invariant sees the order that breaks it, and is silent about a sound one."""

from dataclasses import replace

import pytest

from order_core.invariants import INVARIANTS, Evidence, Scope, violations
from order_core.invariants.promises import PROMISES
from order_core.invariants_across import ACROSS, Claim, ClaimKind, collisions
from tests.unit.core.broken_orders import BROKEN, HEALTHY, OPEN, Break


def _broken(evidence: Evidence) -> set[str]:
    return {violation.invariant.name for violation in violations(evidence)}


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_a_sound_order_breaks_nothing(name: str) -> None:
    assert violations(HEALTHY[name]) == ()


@pytest.mark.parametrize(
    ("name", "breaks"),
    [
        pytest.param(name, breaks, id=f"{name}-{number}")
        for name, ways in BROKEN.items()
        for number, breaks in enumerate(ways, start=1)
    ],
)
def test_an_order_that_breaks_an_invariant_is_reported_by_its_name(
    name: str, breaks: Break
) -> None:
    evidence = breaks()

    found = [v for v in violations(evidence) if v.invariant.name == name]

    assert found
    assert str(found[0]).startswith(f"{name}: order {evidence.order.id}: ")


def test_every_invariant_has_an_order_that_breaks_it() -> None:
    assert set(BROKEN) == {invariant.name for invariant in INVARIANTS}


@pytest.mark.parametrize("name", sorted(i.name for i in INVARIANTS if i.scope is Scope.AT_REST))
def test_what_holds_at_rest_is_not_asked_of_an_order_in_flight(name: str) -> None:
    for breaks in BROKEN[name]:
        evidence = breaks()
        order = evidence.order
        moving = replace(order, transactions=(*order.transactions, replace(OPEN, id="t-99")))
        assert name not in _broken(replace(evidence, order=moving))


def test_names_and_sentences_are_told_apart() -> None:
    every = [(i.name, i.says) for i in (*INVARIANTS, *ACROSS, *PROMISES)]

    assert len(dict(every)) == len(set(dict(every).values())) == len(every)
    assert all(says.endswith(".") for _, says in every)


# Across orders ------------------------------------------------------------------------------

_SOUND = {
    ClaimKind.REQUEST_KEY: Claim(
        ClaimKind.REQUEST_KEY, ("ann", "POST /api/orders/create", "k-1"), 1, "o-1", "o-1"
    ),
    ClaimKind.PAYMENT: Claim(ClaimKind.PAYMENT, ("stripe", "acct_1", "pi_1"), 1, "o-1", "o-1"),
    ClaimKind.SINGLE_USE_TOKEN: Claim(ClaimKind.SINGLE_USE_TOKEN, ("f00d",), 1, "o-1", "o-1"),
    ClaimKind.TRANSACTION: Claim(ClaimKind.TRANSACTION, ("t-1",), 1, "o-1", "o-1"),
    ClaimKind.HISTORY: Claim(ClaimKind.HISTORY, ("o-1",), 9, "o-1", "o-1"),
    ClaimKind.RECEIVED_EVENT: Claim(ClaimKind.RECEIVED_EVENT, ("stripe", "e-1"), 1, "o-1", "o-1"),
    ClaimKind.MONEY: Claim(ClaimKind.MONEY, ("stripe", "pi_1"), 1, "o-1", "o-1"),
    ClaimKind.ORDER: Claim(ClaimKind.ORDER, ("o-1",), 1, "o-1", "o-1"),
}
_ONE_HOLDER = {
    ClaimKind.REQUEST_KEY: "one_order_a_key",
    ClaimKind.PAYMENT: "one_payment_one_order",
    ClaimKind.SINGLE_USE_TOKEN: "single_use_token_once",
    ClaimKind.TRANSACTION: "transaction_ids_unique",
}
_HAS_ITS_ORDER = {
    ClaimKind.REQUEST_KEY: "answered_order_exists",
    ClaimKind.TRANSACTION: "nothing_without_its_order",
    ClaimKind.HISTORY: "nothing_without_its_order",
    ClaimKind.RECEIVED_EVENT: "nothing_without_its_order",
    ClaimKind.MONEY: "no_unknown_money",
    ClaimKind.ORDER: "orders_stay",
}


@pytest.mark.parametrize("kind", ClaimKind)
def test_a_sound_claim_collides_with_nothing(kind: ClaimKind) -> None:
    assert collisions(_SOUND[kind]) == ()


@pytest.mark.parametrize(("kind", "name"), _ONE_HOLDER.items())
def test_what_one_may_have_is_reported_when_two_have_it(kind: ClaimKind, name: str) -> None:
    sound = _SOUND[kind]

    (collision,) = collisions(Claim(kind, sound.key, 2, "o-1", "o-5"))

    assert (collision.invariant.name, collision.order_id) == (name, "o-1")
    assert collision.detail.endswith("stands 2 times, in orders o-1 and o-5")
    assert sound.key[-1] in collision.detail


def test_a_payment_that_pays_one_order_twice_is_reported_too() -> None:
    (collision,) = collisions(Claim(ClaimKind.PAYMENT, ("stripe", "a", "pi_1"), 2, "o-1", "o-1"))

    assert collision.detail == "payment stripe a pi_1 stands 2 times, in order o-1"


@pytest.mark.parametrize(("kind", "name"), _HAS_ITS_ORDER.items())
def test_what_belongs_to_an_order_is_reported_when_that_is_gone(kind: ClaimKind, name: str) -> None:
    key = _SOUND[kind].key

    (collision,) = collisions(Claim(kind, key, 1, "o-1", "o-1", missing_orders=("o-1",)))

    assert str(collision).startswith(f"{name}: order o-1: ")
    assert collision.detail.endswith("belongs to order o-1, which does not exist")


@pytest.mark.parametrize("requests", [0, 2])
def test_an_order_that_nobody_or_everybody_asked_for_is_reported(requests: int) -> None:
    (collision,) = collisions(Claim(ClaimKind.ORDER, ("o-1",), requests, "o-1", "o-1"))

    assert collision.invariant.name == "one_request_an_order"


def test_every_rule_across_orders_was_broken_above() -> None:
    broken = {*_ONE_HOLDER.values(), *_HAS_ITS_ORDER.values(), "one_request_an_order"}

    assert broken == {i.name for i in ACROSS}
