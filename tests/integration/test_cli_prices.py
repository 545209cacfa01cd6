"""The ways of checking prices, from the outside: `check`, `quote`, `open` and `serve`."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from order_cli.main import main
from order_core.errors import PriceMismatch, QuoteRefused
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.quotes import NO_QUOTES, Quotes
from order_memory import ManualClock
from order_prices import item_claims
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.prices import prices_of
from order_wiring.settings import Settings
from tests.integration.service_process import ServiceProcess, an_order

QUOTE_SECRET: Final = "the-shop-signs-its-price-tags-with-this"
KETTLE: Final = ("--product", "kettle-red", "--price", "39.95")


@dataclass(frozen=True)
class Finished:
    returncode: int
    stdout: str
    stderr: str


RunCommand = Callable[..., Finished]


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """The command in this process: a Python of its own for each would take a second."""
    for name in os.environ:
        if name.startswith("ORDER_CORE_"):
            monkeypatch.delenv(name)

    def run(*arguments: str, **settings: str) -> Finished:
        with monkeypatch.context() as patch:
            for name, text in settings.items():
                patch.setenv(f"ORDER_CORE_{name}", text)
            code = main(arguments)
        shown = capsys.readouterr()
        return Finished(code, shown.out, shown.err)

    return run


def catalogue(folder: Path, *entries: tuple[str, str]) -> str:
    file = folder / "catalogue.json"
    prices = [{"product_id": of, "price": price, "currency": "USD"} for of, price in entries]
    file.write_text("[\n" + ",\n".join(map(json.dumps, prices)) + "\n]\n")
    return f"catalogue:{file}"


def test_check_names_every_mistake_of_a_catalogue_by_its_line(
    tmp_path: Path, run_command: RunCommand
) -> None:
    prices = catalogue(tmp_path, ("kettle-red", "39.95"), ("cup", "cheap"), ("", "1.00"))
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'orders.db'}", "PRICES": prices}

    finished = run_command("check", **settings)

    assert finished.returncode == 1
    assert "catalogue.json, line 3: price must be a plain decimal number" in finished.stderr
    assert "catalogue.json, line 4: product_id must not be empty" in finished.stderr


def test_check_names_the_missing_key_of_quotes_and_masks_it_when_it_is_there(
    tmp_path: Path, run_command: RunCommand
) -> None:
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'orders.db'}", "PRICES": "signed"}
    without = run_command("check", **settings)
    with_one = run_command("check", QUOTE_SECRET=QUOTE_SECRET, **settings)

    assert "ORDER_CORE_QUOTE_SECRET: must be set for signed prices" in without.stderr
    assert "ORDER_CORE_QUOTE_SECRET: " not in with_one.stderr
    assert QUOTE_SECRET not in with_one.stdout + with_one.stderr
    assert "ORDER_CORE_QUOTE_SECRET" in with_one.stdout


def test_what_is_open_is_shown_though_the_catalogue_is_broken(
    tmp_path: Path, run_command: RunCommand
) -> None:
    finished = run_command(
        "open",
        DATABASE_URL=f"sqlite:///{tmp_path / 'orders.db'}",
        SANDBOX="1",
        SANDBOX_LEDGER=str(tmp_path / "ledger.db"),
        PRICES=f"catalogue:{tmp_path / 'gone.json'}",
    )

    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        (("--product", "kettle-red", "--price", "39,95"), "must be a plain decimal number"),
        ((*KETTLE, "--currency", "USA"), "is not a current ISO 4217 currency code"),
        ((*KETTLE, "--customer", " "), "must not be empty"),
    ],
)
def test_a_quote_that_no_order_could_use_is_not_made(
    run_command: RunCommand, arguments: tuple[str, ...], because: str
) -> None:
    finished = run_command("quote", *arguments, QUOTE_SECRET=QUOTE_SECRET)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert because in finished.stderr


def test_a_quote_is_not_made_without_a_secret(run_command: RunCommand) -> None:
    finished = run_command("quote", *KETTLE)

    assert finished.returncode == 2
    assert "ORDER_CORE_QUOTE_SECRET: must be set to make quotes" in finished.stderr


def kettles(**more: object) -> dict[str, Any]:
    item = {"product_id": "kettle-red", "quantity": 2, "price": 39.95, **more}
    return an_order(items=[item])


def test_the_service_sells_at_what_its_backend_signed(
    tmp_path: Path, run_command: RunCommand
) -> None:
    quote = run_command("quote", *KETTLE, "--max-quantity", "2", QUOTE_SECRET=QUOTE_SECRET).stdout
    with ServiceProcess(tmp_path, PRICES="signed", QUOTE_SECRET=QUOTE_SECRET) as service:
        placed = service.place(kettles(quote=quote.strip()))
        without = service.place(kettles())
        cheaper = service.place(kettles(quote=quote.strip(), price=0.01))

    assert (placed.status_code, placed.json()["total"]) == (201, 79.9)
    assert (without.status_code, without.json()["code"]) == (422, "quote_refused")
    assert cheaper.json()["right_prices"] == [
        {"pointer": "/items/0/price", "price": 39.95, "currency": "USD"}
    ]
    assert quote.strip() not in service.log.read_text()


async def test_a_service_sells_at_what_its_catalogue_says(tmp_path: Path) -> None:
    prices = prices_of(_settings(PRICES=catalogue(tmp_path, ("cup", "7.00"))), ManualClock())
    cup = OrderItem("cup", 3, Money(700, "USD"))

    await prices.verify((cup,), customer_id="grace", quotes=NO_QUOTES)
    kettle = OrderItem("kettle-red", 1, Money(700, "USD"))
    with pytest.raises(PriceMismatch):
        await prices.verify((kettle,), customer_id="grace", quotes=NO_QUOTES)


async def test_a_service_believes_the_quotes_that_its_key_file_proves(tmp_path: Path) -> None:
    private, pem = Ed25519PrivateKey.generate(), tmp_path / "quotes.pem"
    public = private.public_key()
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    clock, cup = ManualClock(), OrderItem("cup", 3, Money(700, "USD"))
    claims = item_claims("cup", cup.price, at=clock.now(), lifetime=timedelta(minutes=5))
    quote = jwt.encode(claims, private, "EdDSA", {"typ": "quote+jwt"})
    prices = prices_of(_settings(PRICES="signed", QUOTE_PUBLIC_KEY_FILE=str(pem)), clock)

    await prices.verify((cup,), customer_id="grace", quotes=Quotes(items=(quote,)))
    clock.advance(timedelta(minutes=5))
    with pytest.raises(QuoteRefused):
        await prices.verify((cup,), customer_id="grace", quotes=Quotes(items=(quote,)))


async def test_a_process_that_was_told_no_prices_takes_no_order() -> None:
    cup = OrderItem("cup", 3, Money(700, "USD"))

    with pytest.raises(RuntimeError, match="not told how to check prices"):
        await prices_of(_settings(), ManualClock()).verify(
            (cup,), customer_id="grace", quotes=NO_QUOTES
        )


def test_a_key_file_that_cannot_prove_quotes_is_named() -> None:
    settings = _settings(PRICES="signed", QUOTE_PUBLIC_KEY_FILE=__file__)

    with pytest.raises(ConfigurationInvalid, match="ORDER_CORE_QUOTE_PUBLIC_KEY_FILE: "):
        prices_of(settings, ManualClock())


def _settings(**given: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in given.items()}
    return Settings.read(environment, installed=())
