"""The guide to prices makes quotes that are believed, and names every reason to refuse one."""

import re
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from order_core.errors import QuoteRefused
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.quotes import Quotes
from order_jwt import VerificationKey
from order_jwt.signing import ClaimsOfOneKind
from order_memory import ManualClock
from order_prices import QUOTE_TYPE, SignedPrices
from order_prices.catalogue import read_catalogue
from tests.unit.quotes_of_a_shop import SKEW

PROJECT = Path(__file__).parents[2]
GUIDE = (PROJECT / "docs" / "prices.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)
    return str(text)


async def test_the_quotes_of_the_guide_are_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "backend.py"
    program.write_text(block("python"), encoding="utf-8")
    made = runpy.run_path(str(program))
    public = made["PRIVATE_KEY"].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    prices = SignedPrices(
        ClaimsOfOneKind(VerificationKey.from_public_pem(pem), QUOTE_TYPE),
        ManualClock(datetime.now(UTC)),
        skew=SKEW,
    )
    teapots = (OrderItem("teapot-blue", 2, Money(1990, "EUR")),)
    cups = (OrderItem("cup", 2, Money(700, "EUR")), OrderItem("cup", 1, Money(0, "EUR")))
    for_ann = Quotes(items=(made["item_quote"],))

    await prices.verify(teapots, customer_id="ann", quotes=for_ann)
    await prices.verify(cups, customer_id="bob", quotes=Quotes(made["cart_quote"]))
    with pytest.raises(QuoteRefused):
        await prices.verify(teapots, customer_id="bob", quotes=for_ann)
    assert capsys.readouterr().out.splitlines() == re.findall(r"#> (.*)", block("python"))


def test_the_catalogue_of_the_guide_can_be_used() -> None:
    assert len(read_catalogue(block("json").encode())) == 3


def test_the_guide_names_every_reason() -> None:
    source = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("adapters/order_prices", "order_core")
        for file in (PROJECT / "src" / folder).glob("*.py")
    )
    codes = set(re.findall(r'"((?:quote|two|too)_[a-z]+_?[a-z_]*)"', source))
    reasons = {code for code in codes if "quote" in code} - {"quote_refused"}

    assert len(reasons) > 10
    assert {code for code in reasons if f"`{code}`" not in GUIDE} == set()
