"""Simulated shops whose provider cannot be asked: events tell, and people decide the rest."""

from collections.abc import Iterator
from typing import Any, Final

from order_core.events import PutInReview, Reviewed
from order_core.payment import NO_LOOK_UP, TransactionKind
from order_core.payment_terms import ALL_KINDS
from order_core.reviewing import ReviewDecision
from order_core.use_cases.recover import Recover
from order_simulator.faults import Fault
from order_simulator.knobs import ROUGH
from order_simulator.look_ups import looks_up, only_receives
from order_simulator.shop import Shop
from tests.unit.test_simulator import FIXED_SEEDS

CUSTOMERS: Final = 250
SEEDS: Final = range(400)
PAYMENTS: Final = frozenset({TransactionKind.CHARGE, TransactionKind.AUTHORIZATION})


def fixed_shops() -> Iterator[Shop]:
    """Those of the fixed seeds in which something cannot be asked about."""
    for seed in FIXED_SEEDS:
        for index in range(2):
            if looks_up(seed, index) != ALL_KINDS:
                yield Shop(seed, index, CUSTOMERS, ROUGH)


def decisions_about_what_was_given_up(shop: Shop) -> Iterator[str]:
    for row in shop.store.rows():
        events = [happened.event for happened in row.events]
        given_up = {
            event.transaction_id
            for event in events
            if isinstance(event, PutInReview) and event.reason == NO_LOOK_UP
        }
        for event in events:
            if isinstance(event, Reviewed) and event.transaction_id in given_up:
                yield event.decision


def test_in_shops_of_the_fixed_seeds_people_decide_what_nobody_can_ask_about() -> None:
    decided: set[str] = set()
    faults: set[str] = set()
    for shop in fixed_shops():
        report = shop.run()
        assert report.findings == ()
        assert report.faults[Fault.LEFT_TO_A_PERSON] > 0
        faults.update(report.faults)
        decided.update(decisions_about_what_was_given_up(shop))

    assert decided >= {ReviewDecision.ACCEPT, ReviewDecision.NEVER_HAPPENED}
    assert faults >= {Fault.REFUND_OF_ANOTHER_SUM, Fault.UNMARKED_CHANGE}


def test_about_every_fifth_shop_has_such_a_provider_and_not_all_are_alike() -> None:
    kinds = [looks_up(seed, 0) for seed in SEEDS]
    some = [asked for asked in kinds if asked != ALL_KINDS]

    assert len(SEEDS) / 8 < len(some) < len(SEEDS) / 3
    assert set(some) == {frozenset(), PAYMENTS, ALL_KINDS - PAYMENTS}
    assert {only_receives(seed, 0) for seed in SEEDS if not looks_up(seed, 0)} == {True, False}
    assert not any(only_receives(seed, 0) for seed in SEEDS if looks_up(seed, 0) - PAYMENTS)


def test_it_finds_a_worker_that_asks_all_the_same(monkeypatch: Any) -> None:
    async def trusting(self: Recover, order: Any, transaction: Any, _now: Any) -> Any:
        await self.gateways[transaction.provider].look_up(transaction)
        return order

    monkeypatch.setattr(Recover, "_without_look_up", trusting)

    found = [shop.run().findings for shop in fixed_shops()]

    assert {findings[0].rule.name for findings in found} == {"only_what_can_be_asked"}
