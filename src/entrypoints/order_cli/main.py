"""`order-core`: the one command. It says what it can do without importing what it does."""

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Final

from order_cli.exit_codes import INTERRUPTED, MISTAKE

_COMMANDS: Final = {
    "serve": "run the HTTP service, with the worker inside",
    "worker": "run only the worker that finishes what was left open and sends e-mail",
    "migrate": "bring the database to the schema of this version",
    "token": "print a bearer token signed with ORDER_CORE_JWT_SECRET",
    "quote": "print a quote, the proof of a price, signed with ORDER_CORE_QUOTE_SECRET",
    "client": "add, list, rotate and remove the clients of the embedded issuer",
    "check": "print the effective configuration, and say what is wrong with it",
    "open": "list the payments that wait for an answer or for a human, and why",
    "verify": "compare every stored order with what must be true of it; changes nothing",
    "reconcile": "ask the providers what they told, and take in what never came here",
    "customer": "show or erase what is kept of one customer",
    "simulate": "try whole shops on virtual time, with everything going wrong, from a seed",
    "emulate": "pretend to be a payment provider: stripe, paypal, square or adyen",
    "demo": "run the service with play money, and print a request to start with",
}
_EPILOG: Final = """\
Configuration is read from environment variables named ORDER_CORE_*; `order-core check`
prints all of them with their effective values.

Exit codes: 0 done, 1 not done, for the reason that is printed, 2 the command is none, or
the configuration cannot be used (of `check`, which looks at it, that is 1).
"""


class _Version(argparse.Action):
    """Ask for the version only when it is wanted: the question takes as long as the help."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"order-core {version('order-core')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="order-core",
        description="An order service whose orders and money never disagree.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    of = {
        name: commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        for name, text in _COMMANDS.items()
    }
    of["migrate"].add_argument(
        "--grants",
        metavar="ROLE",
        help="change nothing; print what the owner has to grant to a role that serves",
    )
    of["serve"].add_argument(
        "--no-worker", action="store_true", help="leave recovery and e-mail to `order-core worker`"
    )
    of["token"].add_argument("--sub", required=True, help="the customer that the token speaks for")
    of["token"].add_argument(
        "--scope",
        default="orders:read orders:write",
        help="what it allows, separated by blanks (default: %(default)s)",
    )
    of["token"].add_argument(
        "--expires-in",
        type=_from_1_to(366 * 86_400),
        default=3_600,
        metavar="SECONDS",
        help="how long it is valid (default: %(default)s)",
    )
    of["token"].add_argument("--email", help="the customer's address, told as verified")
    _add_quote(of["quote"])
    of["open"].add_argument("--json", action="store_true", help="for programs, one document")
    of["open"].add_argument(
        "--limit",
        type=_from_1_to(1_000),
        default=100,
        metavar="N",
        help="how many orders and events at most (default: %(default)s)",
    )
    of["verify"].add_argument("--json", action="store_true", help="for programs, one document")
    of["verify"].add_argument(
        "--limit-violations",
        type=_from_1_to(100_000),
        default=100,
        metavar="N",
        help="how many violations are printed; all are counted (default: %(default)s)",
    )
    of["reconcile"].add_argument(
        "--days",
        type=_from_1_to(28),
        default=2,
        metavar="N",
        help="how far to look back (default: %(default)s, as the worker does at least)",
    )
    of["reconcile"].add_argument("--json", action="store_true", help="for programs, one document")
    _add_client(of["client"])
    _add_customer(of["customer"])
    of["simulate"].add_argument(
        "--seed", type=_from_1_to(999_999_999), metavar="N", help="default: a new one, told"
    )
    of["simulate"].add_argument(
        "--orders",
        type=_from_1_to(100_000_000),
        default=10_000,
        metavar="K",
        help="how many customers come (default: %(default)s)",
    )
    of["simulate"].add_argument(
        "--shop", type=_number, metavar="I", help="only this one of the seed's shops"
    )
    of["simulate"].add_argument(
        "--processes",
        type=_from_1_to(64),
        metavar="N",
        help="how many processes share the work; the result is the same (default: one a core)",
    )
    of["simulate"].add_argument(
        "--rough", action="store_true", help="several times as much going wrong as usual"
    )
    of["simulate"].add_argument("--json", action="store_true", help="for programs, one document")
    of["emulate"].add_argument("provider", help="stripe, paypal, square or adyen")
    of["emulate"].add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    of["emulate"].add_argument(
        "--port",
        type=_from_1_to(65_535),
        help="the port to listen on (default: 8100 or the next free one)",
    )
    of["emulate"].add_argument(
        "--webhook-url",
        metavar="URL",
        help="where its events go, such as http://127.0.0.1:8000/api/webhooks/stripe",
    )
    of["emulate"].add_argument(
        "--journal",
        metavar="FILE",
        help="keep the books in this file and go on with them next time, even after a kill "
        "(not paypal)",
    )
    of["demo"].add_argument(
        "--provider",
        default="sandbox",
        help="whose SDK takes the money: stripe, paypal or square, against an emulator of it "
        "(default: %(default)s, which needs none)",
    )
    of["demo"].add_argument(
        "--dir", default=".demo", help="where the demo keeps its data (default: %(default)s)"
    )
    of["demo"].add_argument(
        "--port",
        type=_from_1_to(65_535),
        help="the port to listen on (default: ORDER_CORE_PORT, or 8000 or the next free one)",
    )
    return parser


def _add_client(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    says = {
        "add": "add a client, and print its secret once",
        "list": "print the clients, without their secrets",
        "rotate": "give a client a new secret, and print it once",
        "remove": "remove a client and all that was granted to it",
    }
    for name, text in says.items():
        action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name != "list":
            action.add_argument("name", metavar="NAME", help="small letters, digits, hyphens")
        if name == "add":
            action.add_argument(
                "--scope", required=True, help="the most that its tokens allow, blanks between"
            )
            action.add_argument(
                "--may-act-for-customers",
                action="store_true",
                help="it logs customers in, and gets tokens in their name",
            )
        if name == "rotate":
            action.add_argument(
                "--overlap",
                type=_number,
                default=0,
                metavar="SECONDS",
                help="how long the old secret is good beside the new one (default: not at all)",
            )


def _add_customer(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    says = {
        "export": "print everything that is kept of the customer, as one JSON document",
        "erase": "forget address and e-mail in all of the customer's orders; the books stay",
    }
    for name, text in says.items():
        action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        action.add_argument("customer_id", metavar="CUSTOMER_ID", help="the `sub` of its tokens")
        if name == "erase":
            action.add_argument("--yes", action="store_true", help="do not ask")


def _add_quote(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--product", required=True, metavar="ID", help="what is sold")
    parser.add_argument("--price", required=True, help="of one piece, such as 24.50")
    parser.add_argument("--currency", help="default: ORDER_CORE_DEFAULT_CURRENCY")
    parser.add_argument("--customer", metavar="SUB", help="for this one only (default: for all)")
    for name in ("min", "max"):
        most = parser.add_argument(f"--{name}-quantity", type=_from_1_to(1_000_000), metavar="N")
        most.help = f"the {name}imum on all lines of the product at this price"
    parser.add_argument(
        "--expires-in",
        type=_from_1_to(366 * 86_400),
        default=900,
        metavar="SECONDS",
        help="how long it is valid (default: %(default)s)",
    )


def _from_1_to(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"must be between 1 and {most}, not {text!r}")

    return read


def _number(text: str) -> int:
    return 0 if text == "0" else _from_1_to(999_999)(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit code of the process."""
    chosen = _parser().parse_args(arguments)
    command = importlib.import_module(f"order_cli.{chosen.command}_command")
    from order_wiring.mistakes import CannotStart, ConfigurationInvalid

    try:
        code: int = command.run(chosen)
    except ConfigurationInvalid as error:
        print(error, file=sys.stderr)
        return MISTAKE
    except CannotStart as error:
        print(f"order-core {chosen.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # `order-core check | head`: the reader has seen enough.
        sys.stderr.close()
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
