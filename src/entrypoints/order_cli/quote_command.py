"""`order-core quote`: the shop's signed word for a price, for trying things out and for scripts."""

import argparse
import os
from datetime import timedelta

from order_cli.exit_codes import DONE
from order_core.errors import InvalidValue
from order_wiring.configuration import read_configuration
from order_wiring.mistakes import CannotStart
from order_wiring.quotes import quote_for


def run(arguments: argparse.Namespace) -> int:
    """Print the quote and nothing else, so that `$(order-core quote ...)` is one."""
    settings = read_configuration(os.environ)
    try:
        quote = quote_for(
            settings,
            product_id=arguments.product,
            price=arguments.price,
            currency=arguments.currency,
            lifetime=timedelta(seconds=arguments.expires_in),
            customer_id=arguments.customer,
            min_quantity=arguments.min_quantity,
            max_quantity=arguments.max_quantity,
        )
    except (InvalidValue, ValueError) as error:
        raise CannotStart(str(error)) from None
    print(quote)
    return DONE
