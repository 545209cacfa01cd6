"""Fingerprints are stored and compared years later: what was once equal must stay equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.order_request import OrderRequest
from order_core.payment import fingerprint, measured
from order_core.shipping_address import ShippingAddress

ITEMS = (
    OrderItem("mug-blue", 2, Money(1250, "EUR")),
    OrderItem("tea-assam", 1, Money(890, "EUR")),
)
BY_LINES = OrderRequest(
    "ada",
    ITEMS,
    ShippingAddress((("line1", "Kanalstraße 1"), ("city", "Berlin"))),
    "sandbox:ok",
    email="ada@example.org",
    fallback_email="x@y.z",
    return_url="https://shop.example/back",
    actor="till",
    allow_duplicate=True,
)
IN_ONE = OrderRequest("ada", ITEMS, ShippingAddress("Kanalstraße 1, Berlin"), "sandbox:ok")


@pytest.mark.parametrize(
    ("parts", "stored"),
    [
        ((), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (("",), "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc"),
        (("ab", "c"), "601d5476e2ccfe2c87a2bba7a322659734a05749d5b5aa781f513e4912db0d5f"),
        (("a", "bc"), "3fafa1cf2f19a7c1129beb20cf0983f73a489a221fc0dd2f16d1be292d089205"),
        (
            ("Kanalstraße 1", "茶"),
            "1d1fa315a4bd37101452ff1146291b4f0b4bae87e1ccb438fb2d4ea1063ad6dc",
        ),
        (("\ud800",), "ea72bd22c42f70ed67c3a8be247ce620f9e1bdb59c8125dffc3286da39aed0b1"),
        (("x" * 300,), "ed6e476c63cfa0dd32e5df013e283c03074545cb4b5d82da9afcd49b2a15cb07"),
    ],
)
def test_a_fingerprint_is_the_one_that_was_stored_long_ago(
    parts: tuple[str, ...], stored: str
) -> None:
    assert fingerprint(*parts) == stored
    assert fingerprint(*parts[:1], rest=measured(*parts[1:])) == stored


PARTS = st.lists(
    st.text(st.characters(exclude_categories=()), max_size=5)
    | st.text("xyz", min_size=125, max_size=260)
)


@given(PARTS)
def test_every_part_is_measured_in_bytes(parts: list[str]) -> None:
    encoded = [part.encode(errors="surrogatepass") for part in parts]

    assert measured(*parts) == b"".join(len(part).to_bytes(8, "big") + part for part in encoded)


@pytest.mark.parametrize(
    ("request_", "stored"),
    [
        (BY_LINES, "547f4b584b2374a97229aaa373211d22726d22d8cdc23d60c244a47d6b5389e1"),
        (IN_ONE, "196df30a1211ad9ee12139dc715207b576346131c1f5d27cd5bce194870a7091"),
    ],
)
def test_a_request_that_comes_again_has_the_fingerprint_of_its_first_time(
    request_: OrderRequest, stored: str
) -> None:
    assert request_.body_fingerprint() == stored


@pytest.mark.parametrize(
    ("request_", "kept_token", "stored"),
    [
        (BY_LINES, "ok", "9ad12ce0ef8181faf832602a4ae51df56a332c766db3b5a776b8b6e0e486e39c"),
        (BY_LINES, None, "7f0b3d973e11d7c346db08e277dbeb118c28ecce84eb581aa37bf88b0298526d"),
        (IN_ONE, "ok", "aa519203e673c2b72516390234103791caecad1f005228ffe0378b300c56e586"),
        (IN_ONE, None, "d3222ee5bb909914ae80bd57472de2fecb390a5b9d297a924a61d7bd2a693c1f"),
    ],
)
def test_a_second_click_has_the_fingerprint_of_the_first(
    request_: OrderRequest, kept_token: str | None, stored: str
) -> None:
    assert request_.content_fingerprint("sandbox", kept_token) == stored
