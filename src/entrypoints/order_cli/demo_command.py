"""`order-core demo`: the whole service with play money, and something to try at once."""

import argparse
import os
import secrets
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Final

from order_cli.demo_providers import PLAYGROUNDS, SANDBOX, Playground, Pretence
from order_cli.demo_welcome import CLIENT, Tokens, welcome
from order_cli.exit_codes import DONE
from order_cli.listening import free_port, refuse_taken_port
from order_wiring.configuration import read_configuration
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import CannotStart
from order_wiring.settings import SERVING, Settings
from order_wiring.tokens import token_for

_HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 8000
_FIRST_PORT_OF_EMULATORS: Final = 8100
_TOKEN_LIFETIME: Final = timedelta(days=7)
_OF_CUSTOMERS: Final = "orders:read orders:write"


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    playground = _playground(arguments.provider)
    port = _port(arguments.port)
    folder = Path(arguments.dir)
    common = _common(port, _secret_in(folder, "jwt-secret"), _secret_in(folder, "oauth-key-secret"))
    if playground is None:
        _play(common | _sandbox(folder), folder, None)
        return DONE
    # An emulator's books end with it, so the orders that stand in them do too.
    with tempfile.TemporaryDirectory(prefix="order-core-demo-") as passing:
        pretence = Pretence(
            arguments.provider,
            playground,
            host=_HOST,
            port=free_port(_HOST, _FIRST_PORT_OF_EMULATORS),
            events=f"http://{_HOST}:{port}/api/webhooks/{arguments.provider}",
            folder=Path(passing),
        )
        books = {"DATABASE_URL": f"sqlite:///{passing}/orders.sqlite3"}
        _play(common | books | dict(playground.settings(pretence)), folder, pretence)
    return DONE


def _port(asked: int | None) -> int:
    # Of all that serves are set by, this is what somebody sets because a port is taken.
    name = f"{PREFIX}PORT"
    if asked is None and not os.environ.get(name):
        return free_port(_HOST, _FIRST_PORT)
    chosen_with = "--port" if asked else name
    port = asked or read_configuration({name: os.environ[name]}).port
    refuse_taken_port(_HOST, port, chosen_with=chosen_with)
    return port


def _playground(provider: str) -> Playground | None:
    if provider == SANDBOX:
        return None
    try:
        return PLAYGROUNDS[provider]
    except KeyError:
        known = ", ".join([SANDBOX, *sorted(PLAYGROUNDS)])
        raise CannotStart(f"--provider must be one of {known}") from None


def _play(texts: Mapping[str, str], folder: Path, pretence: Pretence | None) -> None:
    environment = {f"{PREFIX}{name}": text for name, text in texts.items()}
    settings = read_configuration(environment, SERVING)
    tokens = Tokens(
        buyer=_token(settings, "ada", _OF_CUSTOMERS),
        staff=_token(settings, "grace", "orders:manage"),
        client_secret=_secret_in(folder, "oauth-client-secret"),
    )
    from order_cli import one_process
    from order_cli.event_loop import run_loop
    from order_wiring.clients import client_book
    from order_wiring.logs import log_to_standard_error

    log_to_standard_error(settings.log_level)

    def say() -> None:
        url = f"http://{_HOST}:{settings.port}"
        print(welcome(url, tokens, folder, pretence), flush=True)

    async def play() -> None:
        async with client_book(settings) as book:
            await book.ensure(
                CLIENT, _OF_CUSTOMERS, may_act_for_customers=True, secret=tokens.client_secret
            )
        async with _emulator_of(pretence) if pretence else nullcontext():
            await one_process.serve(settings, with_worker=True, when_listening=say)

    run_loop(play())


@asynccontextmanager
async def _emulator_of(pretence: Pretence) -> AsyncGenerator[None]:
    import httpx

    from order_cli.emulation import emulating

    play = pretence.playground
    async with emulating(
        pretence.provider,
        host=pretence.host,
        port=pretence.port,
        webhook_url=pretence.events,
        secrets=play.secrets,
    ):
        if play.root_certificate:
            # The emulator makes its keys when they are first asked for.
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                answer = await client.get(pretence.address + play.root_certificate)
            answer.raise_for_status()
            pretence.root_certificate_file.write_bytes(answer.content)
        yield


def _token(settings: Settings, subject: str, scope: str) -> str:
    return token_for(
        settings,
        subject=subject,
        scope=scope,
        lifetime=_TOKEN_LIFETIME,
        email=f"{subject}@example.com",
    )


def _common(port: int, secret: str, key_secret: str) -> dict[str, str]:
    return {
        "HOST": _HOST,
        "PORT": str(port),
        "PRICES": "trust",
        "JWT_SECRET": secret,
        "OAUTH": "1",
        "OAUTH_KEY_SECRET": key_secret,
        "MAIL_URL": "console:",
        "MAIL_FROM": "Demo Shop <orders@shop.example>",
        "RECOVERY_DELAY": "5",
        "LOG_LEVEL": "warning",
        # Limits can be seen, but are not in the way of whoever tries the demo out with a loop.
        "RATE_LIMIT": "60000/minute",
        "RATE_LIMIT_ADDRESS": "600000/minute",
        "RATE_LIMIT_FAILURES": "6000/minute",
        "RATE_LIMIT_DECLINES": "6000/hour",
    }


def _sandbox(folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder.absolute() / 'orders.sqlite3'}",
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(folder.absolute() / "sandbox.sqlite3"),
    }


def _secret_in(folder: Path, name: str) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _kept_secret(folder / name)
    except OSError as error:
        raise CannotStart(f"{folder} cannot be used: {error.strerror}; see --dir") from None


def _kept_secret(file: Path) -> str:
    try:
        # Only its owner may read it, from the first moment on.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return file.read_text(encoding="ascii").strip()
