"""`order-core open`: what waits for an answer or for a human, and why."""

import argparse
import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from order_cli.exit_codes import DONE
from order_cli.waiting import (
    UnmatchedEvent,
    WaitingMovement,
    unmatched_events,
    waiting_movements,
)
from order_wiring.composition import running
from order_wiring.configuration import read_configuration
from order_wiring.settings import WORKING, Settings

_HEADINGS: Final = ("waits for", "since", "order", "movement", "amount", "provider", "why")
_EVENT_HEADINGS: Final = ("waits for", "received", "provider", "event", "name", "why")


def run(arguments: argparse.Namespace) -> int:
    """Print it and end; nothing is asked or changed."""
    settings = read_configuration(os.environ, WORKING)
    movements, events = asyncio.run(_look(settings, arguments.limit))
    print(_document(movements, events) if arguments.json else _tables(movements, events))
    return DONE


async def _look(
    settings: Settings, limit: int
) -> tuple[Sequence[WaitingMovement], Sequence[UnmatchedEvent]]:
    async with running(settings, places_orders=False) as service:
        waiting = await service.core.waiting(limit=limit)
    return waiting_movements(waiting.orders), unmatched_events(waiting.events)


def _document(movements: Sequence[WaitingMovement], events: Sequence[UnmatchedEvent]) -> str:
    found = {
        "transactions": [asdict(movement) for movement in movements],
        "events": [asdict(event) for event in events],
    }
    return json.dumps(found, indent=2, default=_written)


def _written(value: Any) -> str:  # noqa: ANN401 - whatever JSON does not know
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value).__name__)


def _tables(movements: Sequence[WaitingMovement], events: Sequence[UnmatchedEvent]) -> str:
    if not movements and not events:
        return "Nothing waits: every payment is final, and no event is unexplained."
    parts = []
    if movements:
        rows = [
            (
                each.waits_for,
                _minute(each.since),
                each.order_id,
                f"{each.kind} {each.transaction_id}",
                each.amount,
                each.provider,
                each.because,
            )
            for each in movements
        ]
        parts.append(_table(_HEADINGS, rows))
    if events:
        told = [
            (
                each.waits_for,
                _minute(each.received_at),
                each.provider,
                each.event_id,
                each.name,
                each.because,
            )
            for each in events
        ]
        parts.append(_table(_EVENT_HEADINGS, told))
    return "\n\n".join(parts)


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    # What stands in a cell may have come from a provider: no control codes to the terminal.
    lines = [headings, *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
