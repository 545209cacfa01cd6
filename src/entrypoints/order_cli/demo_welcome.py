"""What the demo says when it is ready: lines to copy, and what they show."""

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from order_cli.demo_providers import SANDBOX, Pretence

CLIENT: Final = "demo"
"""The program that may act for customers."""

_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_CUSTOMER_ID: Final = "urn:order-core:oauth:token-type:customer-id"
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
    "email": "ada@example.com",
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who tries it: a customer, and somebody of the shop's staff."""

    buyer: str
    staff: str
    client_secret: str
    """Of the program that asks for tokens by itself."""


def welcome(url: str, tokens: Tokens, folder: Path, pretence: Pretence | None) -> str:
    """The text for the service at `url`."""
    if pretence is None:
        money, pays, tries = f"play money, real code. Data is in {folder}", "ok", _SANDBOX_TRIES
    else:
        name, play = pretence.provider, pretence.playground
        money = f"{name}'s real SDK against a pretended {name} at {pretence.address}"
        pays, tries = play.pays, _tries(pretence)
    provider = pretence.provider if pretence else SANDBOX
    return f"""
order-core demo: {money}; Ctrl-C stops.

Tokens of the customer ada and of the shop's staff, valid for a week:

export TOKEN={tokens.buyer}
export STAFF={tokens.staff}

Place an order (copy and paste):

{_curl(url, tokens.buyer, f"{provider}:{pays}")}

Or ask for tokens as the shop's backend would: for itself, or for the customer bob:

{_ask(url, tokens.client_secret)} \\
  -d grant_type=client_credentials
{_ask(url, tokens.client_secret)} \\
  -d grant_type={_EXCHANGE} \\
  -d subject_token=bob -d subject_token_type={_CUSTOMER_ID}

What to try next:

  the same line once more           refused for ten seconds, as a double click
  after that, as often as you like  with -H 'Idempotency-Key: abc': one order, and the same answer
{tries}
  list your orders                  curl -H "Authorization: Bearer $TOKEN" {url}/api/orders/
  cancel one, and get a refund      curl -X POST -H "Authorization: Bearer $TOKEN" \\
                                      {url}/api/orders/ORDER_ID/cancel
  as staff, give a part back        curl -X POST -H "Authorization: Bearer $STAFF" \\
                                      -H 'Content-Type: application/json' -d '{{"amount": 5}}' \\
                                      {url}/api/orders/ORDER_ID/refunds
  as staff, begin to process one    curl -X POST -H "Authorization: Bearer $STAFF" \\
                                      {url}/api/orders/ORDER_ID/process

All of it is described at {url}/docs
E-mails to the customer appear below.
"""


_SANDBOX_TRIES: Final = """\
  the buyer's card is declined      the same with "sandbox:declined"
  the buyer must approve            the same with "sandbox:action_required"; open the address
                                    under payment.action.url, then look at the order again
  the provider falls silent         the same with "sandbox:timeout_after_charge"; the order is
                                    open, and placed by itself some seconds later"""


def _tries(pretence: Pretence) -> str:
    name, play, emulator = pretence.provider, pretence.playground, pretence.address
    fault = json.dumps([{"on": play.takes_money, "kind": "answer_lost", "times": 1}])
    tries = {
        "the buyer's card is declined": f'the same with "{name}:{play.declined}"',
        play.whose_decision: f'the same with "{name}:{play.waits}"; then\n'
        + play.how_to_decide.replace("@", emulator),
        "the provider falls silent": "first\n"
        f"curl {emulator}/_emulator/faults -d '{fault}'\n"
        "then the same line as above; the order is open, and placed\n"
        "by itself some seconds later",
        "look into the provider's books": f"curl {emulator}/_emulator/ledger",
    }
    return "\n".join(_beside(what, how) for what, how in tries.items())


def _beside(what: str, how: str) -> str:
    block = textwrap.indent(how, " " * 36)
    return f"  {what:<34}{block[36:]}"


def _ask(url: str, client_secret: str) -> str:
    return f"curl -u client-{CLIENT}:{client_secret} {url}/oauth/token"


def _curl(url: str, token: str, payment: str) -> str:
    order = _ORDER | {"payment_method": payment}
    body = json.dumps(order).replace("'", r"\u0027")
    return (
        f"curl -i {url}/api/orders/create "
        f"-H 'Authorization: Bearer {token}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
