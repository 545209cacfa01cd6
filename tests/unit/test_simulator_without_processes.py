"""Simulated shops of which nothing runs for days, while events get lost that nobody else tells."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from order_core.ports import TakenIn
from order_core.use_cases.reconcile import REACH
from order_simulator.faults import Fault
from order_simulator.knobs import Knobs
from order_simulator.shop import Shop

FORSAKEN: Final = replace(Knobs(), nobody_there=1.0, dashboard=0.2)
SHOPS: Final = 8
CUSTOMERS: Final = 150


def with_records() -> Iterator[Shop]:
    """About half of them."""
    for seed in range(SHOPS):
        shop = Shop(seed, 0, CUSTOMERS, FORSAKEN)
        if shop.has_record:
            yield shop
        else:
            shop.scheduler.close()


def test_what_was_told_while_nothing_ran_is_found_however_long_ago_it_was() -> None:
    longest = timedelta(0)
    for shop in with_records():
        report = shop.run()
        assert report.findings == ()
        assert report.faults[Fault.NOBODY_THERE] == 1
        record = shop.provider.post.record
        longest = max(
            longest,
            *(
                event.received_at - record.told_at(event.event_id)
                for event in shop.store.received()
            ),
        )

    assert longest > REACH


def test_it_finds_a_walk_that_begins_two_days_back_whatever_was_not_read(monkeypatch: Any) -> None:
    def two_days(taken_in: TakenIn) -> Any:
        return taken_in.now - REACH

    monkeypatch.setattr("order_core.use_cases.reconcile._begin", two_days)

    found = [shop.run().findings for shop in with_records()]

    assert any(findings[0].rule.name == "everything_ends" for findings in found if findings)
