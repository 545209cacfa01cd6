"""Simulated shops in which money often goes back before we know that it came."""

from dataclasses import replace
from typing import Final

from order_core.ports import ReceivedEvent
from order_simulator.knobs import Knobs
from order_simulator.shop import Shop

HASTY: Final = replace(Knobs(), provider_fault=0.4, dashboard=0.9)
SHOPS: Final = 6
CUSTOMERS: Final = 150


def test_events_that_overtake_their_payment_are_matched_before_a_shop_rests() -> None:
    early: list[ReceivedEvent] = []
    for seed in range(SHOPS):
        shop = Shop(seed, 0, CUSTOMERS, HASTY)
        assert shop.run().findings == ()
        early += [
            event
            for event in shop.store.received()
            if event.facts
            and event.facts[0].installation != "elsewhere"
            and not event.event_id.startswith("lost-")
        ]

    assert early
    assert {event.verdict for event in early} == {"settled"}
