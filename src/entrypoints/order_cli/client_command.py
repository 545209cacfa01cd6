"""`order-core client`: the programs that the embedded issuer gives tokens to."""

import argparse
import asyncio
import os
import sys
from datetime import UTC, timedelta

from order_cli.exit_codes import DONE
from order_core.errors import StoreUnavailable
from order_oauth import ClientBook, ClientRefused
from order_sqlalchemy.oauth_clients import scope_text
from order_wiring.clients import client_book
from order_wiring.configuration import read_configuration
from order_wiring.mistakes import CannotStart
from order_wiring.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    """Do it, and print what came of it. A secret is shown this once."""
    settings = read_configuration(os.environ)
    try:
        asyncio.run(_do(settings, arguments))
    except ClientRefused as refusal:
        raise CannotStart(str(refusal)) from None
    except StoreUnavailable as error:
        raise CannotStart(f"it may or may not have happened; look at the list: {error}") from error
    if not settings.oauth:
        print(
            "The issuer is off; the service gives them tokens once ORDER_CORE_OAUTH=1.",
            file=sys.stderr,
        )
    return DONE


async def _do(settings: Settings, arguments: argparse.Namespace) -> None:
    async with client_book(settings) as book:
        match arguments.action:
            case "add":
                client, secret = await book.add(
                    arguments.name,
                    arguments.scope,
                    may_act_for_customers=arguments.may_act_for_customers,
                )
                _show(client.id, secret)
            case "list":
                await _list(book)
            case "rotate":
                overlap = timedelta(seconds=arguments.overlap)
                _show(*await book.rotate(arguments.name, old_is_good_for=overlap))
            case _:
                print(f"{await book.remove(arguments.name)} is removed.")


def _show(client_id: str, secret: str) -> None:
    print(f"client_id={client_id}\nclient_secret={secret}")
    print("The secret is stored nowhere: this is the one time that it is shown.", file=sys.stderr)


async def _list(book: ClientBook) -> None:
    clients = await book.all()
    if not clients:
        print("There are no clients.", file=sys.stderr)
    width = max((len(client.id) for client in clients), default=0)
    for client in clients:
        added = client.created_at.astimezone(UTC).strftime("%Y-%m-%d")
        acts = "  acts for customers" if client.may_act_for_customers else ""
        print(f"{client.id:<{width}}  {added}  {scope_text(client.scope)}{acts}")
