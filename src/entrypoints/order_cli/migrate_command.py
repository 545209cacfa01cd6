"""`order-core migrate`: bring the database to the schema of this version."""

import argparse
import asyncio
import os

from order_cli.exit_codes import DONE
from order_wiring.configuration import read_configuration
from order_wiring.given_variables import PREFIX
from order_wiring.schema import migrate


def run(_arguments: argparse.Namespace) -> int:
    """Do it; harmless if it was done."""
    settings = read_configuration(os.environ)
    asyncio.run(migrate(settings))
    print(f"The database is ready: {settings.shown()[f'{PREFIX}DATABASE_URL']}")
    return DONE
