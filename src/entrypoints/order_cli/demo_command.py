"""`order-core demo`: the whole service with play money, and something to try at once."""

import argparse
import json
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Final

from order_cli.exit_codes import DONE
from order_cli.listening import free_port, refuse_taken_port
from order_wiring.configuration import read_configuration
from order_wiring.mistakes import CannotStart
from order_wiring.settings import PREFIX, SERVING, Settings
from order_wiring.tokens import token_for

_HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 8000
_TOKEN_LIFETIME: Final = timedelta(days=7)
_ORDER: Final = {
    "items": [
        {"product_id": "mug-blue", "quantity": 2, "price": 12.5},
        {"product_id": "tea-assam", "quantity": 1, "price": 8.9},
    ],
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    },
    "payment_method": "sandbox:ok",
    "email": "ada@example.com",
}


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    if arguments.port is None:
        port = free_port(_HOST, _FIRST_PORT)
    else:
        refuse_taken_port(_HOST, port := arguments.port)
    settings = read_configuration(_environment(Path(arguments.dir), port), SERVING)
    token = token_for(
        settings,
        subject="ada",
        scope="orders:read orders:write",
        lifetime=_TOKEN_LIFETIME,
        email="ada@example.com",
    )
    from order_cli import one_process
    from order_cli.event_loop import run_loop
    from order_wiring.logs import log_to_standard_error

    log_to_standard_error(settings.log_level)

    def say() -> None:
        print(_welcome(settings, token, Path(arguments.dir)), flush=True)

    run_loop(one_process.serve(settings, with_worker=True, when_listening=say))
    return DONE


def _environment(folder: Path, port: int) -> dict[str, str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        secret = _kept_secret(folder / "jwt-secret")
    except OSError as error:
        raise CannotStart(f"{folder} cannot be used: {error.strerror}; see --dir") from None
    return {
        f"{PREFIX}{name}": text
        for name, text in {
            "DATABASE_URL": f"sqlite:///{folder.absolute() / 'orders.sqlite3'}",
            "HOST": _HOST,
            "PORT": str(port),
            "PRICES": "trust",
            "SANDBOX": "1",
            "SANDBOX_LEDGER": str(folder.absolute() / "sandbox.sqlite3"),
            "JWT_SECRET": secret,
            "MAIL_URL": "console:",
            "MAIL_FROM": "Demo Shop <orders@shop.example>",
            "RECOVERY_DELAY": "5",
            "LOG_LEVEL": "warning",
        }.items()
    }


def _kept_secret(file: Path) -> str:
    try:
        # Only its owner may read it, from the first moment on.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return file.read_text(encoding="ascii").strip()


def _welcome(settings: Settings, token: str, folder: Path) -> str:
    url = f"http://{_HOST}:{settings.port}"
    return f"""
order-core demo: play money, real code. Data is in {folder}; Ctrl-C stops.

A token of the customer ada, valid for a week:

export TOKEN={token}

Place an order (copy and paste):

{_curl(url, token, "ok")}

What to try next:

  the same line once more           refused for ten seconds, as a double click; with
                                    -H 'Idempotency-Key: abc' it is answered, not repeated
  the buyer's card is declined      the same with "sandbox:declined"
  the buyer must approve            the same with "sandbox:action_required"; open the address
                                    under payment.action.url, then look at the order again
  the provider falls silent         the same with "sandbox:timeout_after_charge"; the order is
                                    open, and placed by itself some seconds later
  list your orders                  curl -H "Authorization: Bearer $TOKEN" {url}/api/orders/
  cancel one, and get a refund      curl -X POST -H "Authorization: Bearer $TOKEN" \\
                                      {url}/api/orders/ORDER_ID/cancel

All of it is described at {url}/docs
E-mails to the customer appear below.
"""


def _curl(url: str, token: str, payment: str) -> str:
    body = json.dumps(_ORDER | {"payment_method": f"sandbox:{payment}"}).replace("'", r"\u0027")
    return (
        f"curl -i {url}/api/orders/create "
        f"-H 'Authorization: Bearer {token}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
