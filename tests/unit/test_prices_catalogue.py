"""A catalogue in a file: every mistake is named, and no half of it is ever used."""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from order_core.errors import PriceMismatch
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.ports import Prices
from order_core.quotes import NO_QUOTES
from order_memory.contracts import StrictPricesContract
from order_memory.contracts.prices import PRICES
from order_prices import CatalogueFilePrices, CatalogueInvalid
from order_prices.catalogue import MOST_MISTAKES, read_catalogue
from order_prices.catalogue_file import LARGEST_FILE

YEARS_AGO = 1_700_000_000


def entry(product_id: str, price: object, currency: str = "EUR") -> dict[str, object]:
    return {"product_id": product_id, "price": price, "currency": currency}


def written(*entries: object) -> str:
    return "[\n" + ",\n".join(json.dumps(each) for each in entries) + "\n]\n"


SOLD = written(*(entry(product, price.plain()) for product, price in PRICES.items()))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.json"
    put(path, SOLD)
    return path


def put(path: Path, text: str) -> None:
    """Replace the file as a careful shop does: by another one."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.rename(path)


def write_in_place(path: Path, text: str) -> None:
    """Replace what is in the file, as a careless shop does."""
    path.write_text(text, encoding="utf-8")


class Shelf:
    """A catalogue whose next look is always due."""

    def __init__(self, path: Path) -> None:
        self.seconds = 0.0
        self.prices = CatalogueFilePrices(path, monotonic=lambda: self.seconds)

    async def sells(self, product_id: str, price: str) -> bool:
        self.seconds += 1
        item = OrderItem(product_id, 1, Money.parse(price, "EUR"))
        try:
            await self.prices.verify((item,), customer_id="ann", quotes=NO_QUOTES)
        except PriceMismatch:
            return False
        return True


class TestCatalogueFile(StrictPricesContract):
    @pytest.fixture
    async def prices(self, file: Path) -> Prices:
        return CatalogueFilePrices(file)


# What a catalogue is ----------------------------------------------------------------------


def test_a_product_has_a_price_in_each_currency_exactly() -> None:
    text = written(entry("tea", "2.50"), entry("tea", 300, "JPY")).replace('"2.50"', "2.50")

    prices = read_catalogue(b"\xef\xbb\xbf" + text.encode()).prices_of("tea")

    assert prices == {"EUR": Money(250, "EUR"), "JPY": Money(300, "JPY")}


async def test_a_currency_in_which_a_product_is_not_sold_is_answered_with_those_in_which_it_is(
    file: Path,
) -> None:
    put(file, written(entry("tea", "2.50"), entry("tea", 300, "JPY")))
    items = (OrderItem("tea", 1, Money(250, "USD")),)

    with pytest.raises(PriceMismatch, match="tea is not sold in USD, but in EUR, JPY") as refusal:
        await CatalogueFilePrices(file).verify(items, customer_id="ann", quotes=NO_QUOTES)
    assert [(wrong.code, wrong.price) for wrong in refusal.value.wrong] == [
        ("currency_mismatch", None)
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "line 1: must begin with ["),
        ("\n{}", "line 2: must begin with ["),
        ("[]", "line 1: holds no price"),
        (written(entry("tea", "1.00"))[:-3], "line 2: must go on with a comma or end with ]"),
        (SOLD[: SOLD.rindex(",\n")], "line 3: must go on with a comma or end with ]"),
        (SOLD[:80], "line 3: is not JSON"),
        (SOLD + "[]", "line 6: must end after ]"),
        ('[\n{"product_id": "tea",,}]', "line 2: is not JSON"),
        ("[\n[[[]]]\n]", "line 2: is not an object"),
        ("[" + "[" * 100_000, "line 1: is not read here"),
        ('[{"product_id": "a", "product_id": "b"}]', "line 1: is not read here (a member comes tw"),
        ('[{"price": NaN}]', "line 1: is not read here (NaN is no number)"),
        ('[{"price": ' + "9" * 5_000 + "}]", "line 1: is not read here"),
        ('[{"product_id": "tea", "price": 1}]', "line 1: has no currency"),
        (written({**entry("tea", "1"), "vat": 7}), "line 2: has a member that is not known here"),
        (written(entry("", "1.00")), "line 2: product_id must not be empty"),
        (written(entry("t" * 201, "1.00")), "line 2: product_id must not be longer than 200"),
        (written(entry("tea", "-1")), "line 2: price must not be negative"),
        (written(entry("tea", "1.005")), "line 2: price has more than the 2 decimals of EUR"),
        (written(entry("tea", "1,50")), "line 2: price must be a plain decimal number"),
        (written(entry("tea", 1e300)), "line 2: price is too large"),
        (written(entry("tea", None)), "line 2: price must be a number"),
        (written(entry("tea", True)), "line 2: price must be a number"),
        (written(entry("tea", "1", "EURO")), "line 2: currency is not a current ISO 4217"),
        (written(entry("tea", "1"), entry("tea", "2")), "line 3: 'tea' has a price in EUR already"),
    ],
)
def test_a_mistake_is_named_by_its_line(text: str, mistake: str) -> None:
    with pytest.raises(CatalogueInvalid) as refusal:
        read_catalogue(text.encode())

    assert refusal.value.mistakes[0].startswith(mistake), refusal.value.mistakes


def test_all_mistakes_are_named_at_once_and_a_flood_is_counted() -> None:
    wrong = written(*(entry(f"tea-{number}", "cheap") for number in range(MOST_MISTAKES + 7)))

    with pytest.raises(CatalogueInvalid) as refusal:
        read_catalogue(wrong.encode())

    first, *_, last = refusal.value.mistakes
    assert first.startswith("line 2: ")
    assert (len(refusal.value.mistakes), last) == (MOST_MISTAKES + 1, "and 7 more")


def test_bytes_that_are_no_text_are_named_by_their_line() -> None:
    with pytest.raises(CatalogueInvalid, match="line 2: is not text in UTF-8"):
        read_catalogue(b'[\n{"product_id": "caf\xe9"}]')


def test_a_catalogue_has_a_largest_size(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(CatalogueInvalid, match="is larger than"):
        CatalogueFilePrices(large)

    with pytest.raises(CatalogueInvalid, match="line 4: is more than the 2 prices that fit"):
        read_catalogue(SOLD.encode(), most=2)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
@pytest.mark.timeout(5)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)

    with pytest.raises(CatalogueInvalid):
        CatalogueFilePrices(path)


# The file changes -------------------------------------------------------------------------


async def test_a_changed_file_is_read_before_the_next_order(file: Path) -> None:
    shelf = Shelf(file)
    put(file, SOLD.replace("3.50", "3.75"))

    assert await shelf.sells("bulb", "3.75")
    assert not await shelf.sells("bulb", "3.50")


def _truncated(path: Path) -> None:
    path.write_text(SOLD.replace("3.50", "3.75")[:90])


def _emptied(path: Path) -> None:
    path.write_text("")


def _mistaken(path: Path) -> None:
    put(path, written(entry("bulb", "3.75"), entry("lamp", "cheap")))


@pytest.mark.parametrize("spoil", [_truncated, _emptied, _mistaken, Path.unlink])
async def test_a_file_that_is_spoilt_leaves_the_prices_as_they_were(
    file: Path, spoil: Callable[[Path], Any], caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(file)
    spoil(file)
    assert [await shelf.sells("bulb", price) for price in ("3.50", "3.75", "3.50")] == [
        True,
        False,
        True,
    ]
    complaints = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert len(complaints) == 1, "said once, not with every order"

    put(file, SOLD.replace("3.50", "3.75"))
    assert await shelf.sells("bulb", "3.75")


async def test_a_file_that_grows_while_it_is_read_is_not_used(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(file)
    put(file, SOLD.replace("3.50", "3.75"))
    looks = iter([True])
    fstat = os.fstat

    def grown_since(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        if next(looks, None):
            with file.open("a") as writer:
                writer.write(" ")
        return status

    monkeypatch.setattr(os, "fstat", grown_since)

    assert await shelf.sells("bulb", "3.50")
    assert await shelf.sells("bulb", "3.75")


def _counting_in_two_seconds(look: Callable[..., os.stat_result]) -> Callable[..., Any]:
    """What a file system says that keeps time as coarsely as any."""

    def coarse(*file: Any, **options: Any) -> os.stat_result:
        status, tick = look(*file, **options), 2_000_000_000
        coarsely = {
            "st_mtime_ns": status.st_mtime_ns // tick * tick,
            "st_ctime_ns": status.st_ctime_ns // tick * tick,
        }
        return os.stat_result(tuple(status), coarsely)

    return coarse


async def test_a_second_writing_within_one_tick_of_the_file_system_is_seen(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fstat", _counting_in_two_seconds(os.fstat))
    monkeypatch.setattr(Path, "stat", _counting_in_two_seconds(Path.stat))
    write_in_place(file, SOLD)
    shelf = Shelf(file)
    assert await shelf.sells("bulb", "3.50")
    write_in_place(file, SOLD.replace("3.50", "3.75"))

    assert await shelf.sells("bulb", "3.75")


async def test_a_disk_that_hangs_holds_up_no_order_for_long_and_one_thread_only(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seconds, lamp = iter(range(1000)), (OrderItem("lamp", 1, PRICES["lamp"]),)
    os.utime(file, (YEARS_AGO, YEARS_AGO))
    prices = CatalogueFilePrices(
        file, monotonic=lambda: 10.0 * next(seconds), patience_seconds=0.01
    )
    hanging, looks = threading.Event(), []
    look = Path.stat

    def hang(path: Path, **options: Any) -> os.stat_result:
        looks.append(path)
        hanging.wait(10)
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", hang)
    for _ in range(5):
        await prices.verify(lamp, customer_id="ann", quotes=NO_QUOTES)
    assert looks == [file]
    assert "has not been read" in caplog.text

    hanging.set()
    while len(looks) < 2:
        await asyncio.sleep(0.001)
        await prices.verify(lamp, customer_id="ann", quotes=NO_QUOTES)


async def test_a_file_is_looked_at_once_a_second(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(file, (YEARS_AGO, YEARS_AGO))
    shelf = Shelf(file)
    looks: list[Path] = []
    look = Path.stat

    def counted(path: Path, **options: Any) -> os.stat_result:
        looks.append(path)
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", counted)
    for _ in range(50):
        shelf.seconds += 0.02
        await shelf.prices.verify(
            (OrderItem("bulb", 1, PRICES["bulb"]),), customer_id="ann", quotes=NO_QUOTES
        )

    assert looks == [file]
