"""`order-core emulate`: a pretended payment provider over HTTP, for development and tests."""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from order_cli.emulation import emulating
from order_cli.event_loop import run_loop
from order_cli.exit_codes import DONE, FAILED
from order_cli.listening import address, free_port, refuse_taken_port
from order_cli.stop_signals import stop_signals
from order_wiring.logs import log_to_standard_error
from order_wiring.mistakes import CannotStart
from order_wiring.setting_values import ip_address

FIRST_PORT: Final = 8100


def run(arguments: argparse.Namespace) -> int:
    """Pretend until told to stop."""
    log_to_standard_error("warning")
    host, port = _address(arguments)
    journal = Path(arguments.journal) if arguments.journal else None
    return run_loop(_pretend(arguments.provider, host, port, _webhook_url(arguments), journal))


def _address(arguments: argparse.Namespace) -> tuple[str, int]:
    try:
        host = ip_address(arguments.host)
    except ValueError as error:
        raise CannotStart(f"--host {error}") from None
    if arguments.port is None:
        return host, free_port(host, FIRST_PORT)
    refuse_taken_port(host, arguments.port, chosen_with="--host and --port")
    return host, arguments.port


def _webhook_url(arguments: argparse.Namespace) -> str | None:
    url: str | None = arguments.webhook_url
    if url and not url.startswith(("http://", "https://")):
        raise CannotStart("--webhook-url must begin with http:// or https://")
    return url


async def _pretend(
    provider: str, host: str, port: int, webhook_url: str | None, journal: Path | None
) -> int:
    stopping = stop_signals()
    async with emulating(
        provider, host=host, port=port, webhook_url=webhook_url, journal=journal
    ) as answering:
        url = f"http://{address(host, port)}"
        print(
            f"{provider}, pretended, at {url}\n"
            f"its books: {url}/_emulator/ledger\n"
            f"its events go to: {webhook_url or 'nobody (see --webhook-url)'}",
            flush=True,
        )
        asked = asyncio.create_task(stopping.wait(), name="stop-signal")
        await asyncio.wait({answering, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        return DONE if stopping.is_set() else FAILED
