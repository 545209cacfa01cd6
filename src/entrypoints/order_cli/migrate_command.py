"""`order-core migrate`: bring the database to the schema of this version."""

import argparse
import asyncio
import os

from order_cli.exit_codes import DONE
from order_sqlalchemy.rights import grants
from order_wiring.configuration import read_configuration
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import CannotStart
from order_wiring.schema import migrate


def run(arguments: argparse.Namespace) -> int:
    """Do it; harmless if it was done."""
    if arguments.grants is not None:
        return _print_grants(arguments.grants)
    settings = read_configuration(os.environ)
    asyncio.run(migrate(settings))
    print(f"The database is ready: {settings.shown()[f'{PREFIX}DATABASE_URL']}")
    return DONE


def _print_grants(role: str) -> int:
    try:
        print(grants(role))
    except ValueError as error:
        raise CannotStart(str(error)) from None
    return DONE
