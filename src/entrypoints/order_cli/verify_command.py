"""`order-core verify`: compare what is stored with everything that must be true of it."""

import argparse
import asyncio
import os
import sys
from contextlib import aclosing

from order_cli.exit_codes import DONE, FAILED, MISTAKE
from order_cli.verify_progress import Progress
from order_cli.verify_report import Report
from order_core.errors import StoreUnavailable
from order_wiring.auditing import auditing
from order_wiring.configuration import read_configuration
from order_wiring.mistakes import CannotStart
from order_wiring.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 0 if nothing was found, 1 if something was, 2 if it could not look."""
    settings = read_configuration(os.environ)
    report = Report(limit=arguments.limit_violations)
    try:
        asyncio.run(_look(settings, report))
    except CannotStart as error:
        report.cut_short(str(error))
    except StoreUnavailable as error:
        report.cut_short(f"the database could not be read to the end. {error}")
    print(report.as_json() if arguments.json else report.as_text())
    if report.unfinished_because:
        print(f"order-core verify: {report.unfinished_because}", file=sys.stderr)
        # What was found before is a finding all the same.
        return FAILED if report.found else MISTAKE
    return FAILED if report.found else DONE


async def _look(settings: Settings, report: Report) -> None:
    async with auditing(settings) as opened:
        with Progress(sys.stderr, total=await opened.audit.count_orders()) as progress:
            async with aclosing(opened.verify()) as pages:
                async for page in pages:
                    report.add(page)
                    progress.add(page)
    report.complete()
