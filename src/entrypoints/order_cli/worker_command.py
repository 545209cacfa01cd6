"""`order-core worker`: recovery and e-mail, without HTTP."""

import argparse
import logging
import os

from order_cli.event_loop import run_loop
from order_cli.exit_codes import DONE
from order_cli.stop_signals import stop_signals
from order_cli.work import working
from order_wiring.composition import running
from order_wiring.configuration import read_configuration
from order_wiring.logs import log_to_standard_error
from order_wiring.settings import WORKING, Settings


def run(_arguments: argparse.Namespace) -> int:
    """Work until told to stop."""
    settings = read_configuration(os.environ, WORKING)
    log_to_standard_error(settings.log_level)
    run_loop(_work(settings))
    return DONE


async def _work(settings: Settings) -> None:
    grace = settings.shutdown_grace.total_seconds()
    async with running(settings, places_orders=False) as service, working(service, grace):
        stopping = stop_signals()
        logging.getLogger("order_core.worker").info("working")
        await stopping.wait()
