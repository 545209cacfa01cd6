"""`order-core simulate`: whole shops on virtual time, with everything going wrong."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from random import SystemRandom
from typing import Final

from order_cli.exit_codes import DONE, FAILED
from order_simulator.faults import Fault
from order_simulator.knobs import ROUGH, Knobs
from order_simulator.simulation import Failure, Report, simulate
from order_simulator.virtual_time import as_datetime
from order_wiring.mistakes import CannotStart

_LARGEST_SEED: Final = 10**9
_LAST_LINES: Final = 400


def run(arguments: argparse.Namespace) -> int:
    """Simulate, and say what it came to; failed if an invariant was broken."""
    seed = arguments.seed or SystemRandom().randint(1, _LARGEST_SEED - 1)
    processes = arguments.processes or min(os.cpu_count() or 1, 8)
    print(f"seed {seed}, {arguments.orders} orders, {processes} processes", file=sys.stderr)
    try:
        report = simulate(
            seed=seed,
            customers=arguments.orders,
            processes=processes,
            knobs=ROUGH if arguments.rough else None,
            only_shop=arguments.shop,
            progress=_progress,
        )
    except ValueError as error:
        raise CannotStart(str(error)) from None
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(_as_json(report, arguments) if arguments.json else _as_text(report, arguments))
    return FAILED if report.failures else DONE


def _progress(come: int, of: int) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"{come} of {of}", end=end, file=sys.stderr, flush=True)


def _replay(report: Report, failure: Failure, arguments: argparse.Namespace) -> str:
    rough = " --rough" if arguments.rough else ""
    return (
        f"order-core simulate --seed {report.seed} --orders {report.customers} "
        f"--shop {failure.shop}{rough}"
    )


def _as_json(report: Report, arguments: argparse.Namespace) -> str:
    document = asdict(report) | {
        "orders_per_second": round(report.orders_per_second, 1),
        "shop_size": Knobs().shop_size,
        "replay": [_replay(report, failure, arguments) for failure in report.failures],
    }
    return json.dumps(document, indent=2)


def _as_text(report: Report, arguments: argparse.Namespace) -> str:
    days = report.virtual_seconds / 86_400
    lines = [
        f"{report.orders} orders in {report.shops} shops, {days:.1f} days of virtual time",
        f"{report.seconds:.1f} s: {report.orders_per_second:.0f} orders/s",
        f"{report.webhooks} webhooks taken, {report.restarts} crashes and restarts",
        "",
        "orders",
        *_table(report.statuses),
        "",
        "what went wrong on purpose",
        *_table({fault.value: report.faults.get(fault.value, 0) for fault in Fault}),
        "",
    ]
    for failure in report.failures:
        left_out = max(len(failure.story) - _LAST_LINES, 0)
        lines += [
            f"VIOLATION in shop {failure.shop}: {failure.finding}",
            *(["  ...", f"  ({left_out} earlier lines)"] if left_out else []),
            *(f"  {line}" for line in failure.story[-_LAST_LINES:]),
            f"  found at {as_datetime(failure.finding.time).isoformat()} of the virtual calendar",
            f"again: {_replay(report, failure, arguments)}",
            "",
        ]
    broken = f"{len(report.failures)} shops broke an invariant"
    return "\n".join([*lines, broken if report.failures else "No invariant was broken."])


def _table(counts: dict[str, int]) -> list[str]:
    return [f"  {name:<34} {times:>9}" for name, times in counts.items()]
