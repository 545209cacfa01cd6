"""`order-core serve`: the HTTP service."""

import argparse
import os

from order_cli.event_loop import run_loop
from order_cli.exit_codes import DONE
from order_cli.listening import refuse_taken_port
from order_wiring.certificates import mistakes_of_certificate, warn_of_expiry
from order_wiring.configuration import read_configuration
from order_wiring.logs import log_to_standard_error
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.prices import warn_of_trusted_prices
from order_wiring.settings import SERVING, Settings


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = read_configuration(os.environ, SERVING)
    return serve(settings, with_worker=not arguments.no_worker)


def serve(settings: Settings, *, with_worker: bool) -> int:
    """Serve with these settings until told to stop.

    Raises:
        ConfigurationInvalid: the certificate cannot be used, or what `serve` of the server raises.
    """
    log_to_standard_error(settings.log_level)
    if mistakes := mistakes_of_certificate(settings):
        raise ConfigurationInvalid(mistakes)
    refuse_taken_port(settings.host, settings.port)
    warn_of_expiry(settings)
    warn_of_trusted_prices(settings)
    if settings.workers == 1:
        from order_cli import one_process

        run_loop(one_process.serve(settings, with_worker=with_worker))
    else:
        from order_cli import many_processes

        many_processes.serve(settings, with_worker=with_worker)
    return DONE
