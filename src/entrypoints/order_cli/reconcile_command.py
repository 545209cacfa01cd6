"""`order-core reconcile`: take in at once what the providers told and what never came here."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from order_cli.exit_codes import DONE, FAILED, MISTAKE
from order_core.errors import CommitUnknown, EventsUnavailable, StoreUnavailable
from order_core.use_cases.walk_events import WalkEvents
from order_wiring.composition import Service, running
from order_wiring.configuration import read_configuration
from order_wiring.settings import WORKING, Settings

_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class _Reconciled:
    """What came of one provider."""

    provider: str
    read: int = 0
    missed: int = 0
    news: int = 0
    unfinished_because: str | None = None


def run(arguments: argparse.Namespace) -> int:
    """Say what was found; 1 if a provider could not be read to the end."""
    settings = read_configuration(os.environ, WORKING)
    providers = asyncio.run(_reconciled(settings, timedelta(days=arguments.days)))
    if not providers:
        print(
            "order-core reconcile: no provider here has a record of its events that can be read. "
            "Stripe, PayPal and Square have one; are their settings in this environment?",
            file=sys.stderr,
        )
        return MISTAKE
    print(_document(providers) if arguments.json else _lines(providers, arguments.days))
    return FAILED if any(each.unfinished_because for each in providers) else DONE


async def _reconciled(settings: Settings, reach: timedelta) -> Sequence[_Reconciled]:
    async with running(settings, places_orders=False) as service:
        return [await _walked(service, provider, reach) for provider in service.core.reconcile.logs]


async def _walked(service: Service, provider: str, reach: timedelta) -> _Reconciled:
    now = service.clock.now()
    walk = service.core.reconcile.walk(provider, now - reach, now)
    because: str | None = None
    try:
        while not walk.is_over:
            await walk(limit=_AT_ONCE)
            _say_how_far(walk)
    except EventsUnavailable as error:
        because = str(error)
    except (StoreUnavailable, CommitUnknown) as error:
        because = f"the database is away: {error}"
    return _Reconciled(provider, walk.read, walk.missed, walk.news, because)


def _say_how_far(walk: WalkEvents) -> None:
    if not walk.is_over:
        print(f"{walk.provider}: {walk.read:,} events", file=sys.stderr, flush=True)


def _document(providers: Sequence[_Reconciled]) -> str:
    return json.dumps({"providers": [asdict(each) for each in providers]}, indent=2)


def _lines(providers: Sequence[_Reconciled], days: int) -> str:
    lines = []
    for each in providers:
        line = (
            f"{each.provider}: {each.read:,} events of the last {days} days; "
            f"{each.missed:,} had never come, and {each.news:,} of those changed an order"
        )
        if each.unfinished_because:
            line += f"\n{each.provider} was not read to the end: {each.unfinished_because}"
        lines.append(line)
    return "\n".join(lines)
