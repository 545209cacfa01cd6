"""`order-core token`: a bearer token for trying things out, and for scripts."""

import argparse
import os
from datetime import timedelta

from order_cli.exit_codes import DONE
from order_wiring.configuration import read_configuration
from order_wiring.mistakes import CannotStart
from order_wiring.tokens import token_for


def run(arguments: argparse.Namespace) -> int:
    """Print the token and nothing else, so that `$(order-core token ...)` is one."""
    settings = read_configuration(os.environ)
    try:
        token = token_for(
            settings,
            subject=arguments.sub,
            scope=arguments.scope,
            lifetime=timedelta(seconds=arguments.expires_in),
            email=arguments.email,
        )
    except ValueError as error:
        raise CannotStart(str(error)) from None
    print(token)
    return DONE
