"""`order-core customer`: what is kept of one customer, shown or forgotten."""

import argparse
import asyncio
import os
import sys
from contextlib import aclosing
from datetime import UTC, datetime

from order_cli.customer_document import write_document
from order_cli.exit_codes import DONE, FAILED, MISTAKE
from order_core.errors import CommitUnknown, StoreUnavailable
from order_wiring.configuration import read_configuration
from order_wiring.customers import customers
from order_wiring.mistakes import CannotStart
from order_wiring.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    """Do it; 0 if it is done, 1 if something is left."""
    settings = read_configuration(os.environ)
    if arguments.action == "export":
        return _exported(settings, arguments.customer_id)
    if not (arguments.yes or _agreed(arguments.customer_id)):
        print("order-core customer: nothing was erased.", file=sys.stderr)
        return MISTAKE
    try:
        return asyncio.run(_erase(settings, arguments.customer_id))
    except (StoreUnavailable, CommitUnknown) as error:
        raise CannotStart(
            f"it broke off; what is named above is done. Run it again: it goes on. {error}"
        ) from error


def _exported(settings: Settings, customer_id: str) -> int:
    try:
        asyncio.run(_export(settings, customer_id))
    except StoreUnavailable as error:
        raise CannotStart(f"the document is not whole: {error}") from error
    return DONE


async def _export(settings: Settings, customer_id: str) -> None:
    async with customers(settings, read_only=True) as opened:
        await write_document(opened.export, customer_id, at=datetime.now(UTC), to=sys.stdout)


def _agreed(customer_id: str) -> bool:
    question = (
        f"Address, e-mail and whatever else is personal in all orders of {customer_id!r} goes,\n"
        "and nobody can bring it back. Type the customer's id to go on: "
    )
    try:
        return sys.stdin.isatty() and input(question) == customer_id
    except EOFError:
        return False


async def _erase(settings: Settings, customer_id: str) -> int:
    erased = before = left = 0
    async with (
        customers(settings, read_only=False) as opened,
        aclosing(opened.erase(customer_id)) as orders,
    ):
        async for order in orders:
            if order.refusal:
                left += 1
                word, because = order.refusal
                print(f"{order.order_id}  left: {because} ({word})")
            elif order.was_erased_before:
                before += 1
            else:
                erased += 1
                print(f"{order.order_id}  erased")
    if not erased + before + left:
        print(f"There are no orders of {customer_id!r}.")
        return DONE
    told = f"{erased} erased, {before} were erased before"
    if left:
        print(f"{told}, {left} left as they are. Run it again once they are no longer needed.")
        return FAILED
    print(f"{told}. Nothing personal is left.")
    return DONE
