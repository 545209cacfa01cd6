"""Prices that quotes prove: for one product or one cart, for one customer, for a while."""

import base64
import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from order_core.errors import InvalidToken, PriceMismatch, QuoteRefused
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.ports import Prices
from order_core.quotes import LONGEST_CART_QUOTE, Quotes
from order_jwt import JwtSettings, JwtVerifier, VerificationKey, issue_token
from order_jwt.signing import ClaimsOfOneKind
from order_memory import ManualClock
from order_memory.contracts import StrictPricesContract
from order_memory.contracts.prices import PRICES
from order_prices import QUOTE_TYPE, SignedPrices
from order_prices.signed import MOST_ITEM_QUOTES, MOST_REFUSALS
from tests.unit.quotes_of_a_shop import (
    HOUR,
    OTHER_SECRET,
    SECRET,
    SKEW,
    QuotingShop,
    forged,
    signed,
)

LAMP = OrderItem("lamp", 1, PRICES["lamp"])
BULBS = OrderItem("bulb", 4, PRICES["bulb"])


@pytest.fixture
def shop() -> QuotingShop:
    return QuotingShop()


class _Quoted(StrictPricesContract):
    @pytest.fixture
    async def prices(self, shop: QuotingShop) -> Prices:
        self.shop = shop
        return shop.prices


class TestPricesQuotedForEachItem(_Quoted):
    async def quotes_for(self, items: tuple[OrderItem, ...], customer_id: str) -> Quotes:
        names = (item.product_id for item in items)
        return Quotes(items=tuple(self.shop.quote(n) if n in PRICES else None for n in names))


class TestPricesQuotedForTheCart(_Quoted):
    async def quotes_for(self, items: tuple[OrderItem, ...], customer_id: str) -> Quotes:
        right = (
            OrderItem(item.product_id, item.quantity, PRICES[item.product_id])
            for item in items
            if item.product_id in PRICES
        )
        return Quotes(self.shop.cart(*right, customer_id=customer_id))


async def verify(
    shop: QuotingShop, *items: OrderItem, quotes: Quotes, customer_id: str = "ann"
) -> None:
    await shop.prices.verify(items, customer_id=customer_id, quotes=quotes)


async def refusals(
    shop: QuotingShop, *items: OrderItem, quotes: Quotes, customer_id: str = "ann"
) -> dict[str, str]:
    """Place -> code of everything that is refused."""
    with pytest.raises(QuoteRefused) as refusal:
        await verify(shop, *items, quotes=quotes, customer_id=customer_id)
    return {"/".join(map(str, each.field)): each.code for each in refusal.value.refusals}


async def refused_code(shop: QuotingShop, token: str, item: OrderItem = LAMP) -> str:
    (code,) = (await refusals(shop, item, quotes=Quotes(items=(token,)))).values()
    return code


# For how long, and for whom ---------------------------------------------------------------


async def test_a_quote_holds_to_its_last_second_and_no_longer(shop: QuotingShop) -> None:
    quotes = Quotes(items=(shop.quote("lamp", lifetime=timedelta(seconds=90)),))
    shop.clock.advance(timedelta(seconds=89))
    await verify(shop, LAMP, quotes=quotes)

    shop.clock.advance(timedelta(seconds=1))
    assert await refusals(shop, LAMP, quotes=quotes) == {"items/0/quote": "quote_expired"}


async def test_a_quote_of_a_shop_whose_clock_is_a_little_ahead_holds(shop: QuotingShop) -> None:
    soon = shop.clock.now() + SKEW
    await verify(shop, LAMP, quotes=Quotes(items=(shop.quote("lamp", at=soon),)))

    later = shop.quote("lamp", at=soon + timedelta(seconds=1))
    assert await refused_code(shop, later) == "quote_not_yet_valid"
    not_before = signed(shop.claims("lamp") | {"nbf": (soon + HOUR).timestamp()})
    assert await refused_code(shop, not_before) == "quote_not_yet_valid"


async def test_a_quote_for_one_customer_is_worth_nothing_to_another(shop: QuotingShop) -> None:
    for_ann = Quotes(items=(shop.quote("lamp", Money(3999, "EUR"), customer_id="ann"),))
    for_all = Quotes(items=(shop.quote("lamp"),))
    cheap = OrderItem("lamp", 1, Money(3999, "EUR"))

    await verify(shop, cheap, quotes=for_ann, customer_id="ann")
    await verify(shop, LAMP, quotes=for_all, customer_id="bob")
    assert await refusals(shop, cheap, quotes=for_ann, customer_id="bob") == {
        "items/0/quote": "quote_of_another_customer"
    }
    cart = Quotes(shop.cart(cheap, customer_id="ann"))
    assert await refusals(shop, cheap, quotes=cart, customer_id="Ann") == {
        "quote": "quote_of_another_customer"
    }


# For what ---------------------------------------------------------------------------------


async def test_a_quote_is_not_lent_to_another_product(shop: QuotingShop) -> None:
    bulb_at_the_price_of_a_leaflet = OrderItem("bulb", 1, PRICES["leaflet"])
    quotes = Quotes(items=(shop.quote("lamp"), shop.quote("leaflet")))

    assert await refusals(shop, LAMP, bulb_at_the_price_of_a_leaflet, quotes=quotes) == {
        "items/1/quote": "quote_of_another_product"
    }


async def test_every_item_needs_its_quote(shop: QuotingShop) -> None:
    quotes = Quotes(items=(None, shop.quote("bulb")))

    assert await refusals(shop, LAMP, BULBS, LAMP, quotes=quotes) == {
        "items/0/quote": "quote_missing",
        "items/2/quote": "quote_missing",
    }


@pytest.mark.parametrize(
    ("quantities", "refused"),
    [((3,), []), ((5,), []), ((2,), [0]), ((6,), [0]), ((2, 3), []), ((3, 3), [0, 1])],
)
async def test_a_quantity_is_counted_over_all_lines_of_one_price(
    shop: QuotingShop, quantities: tuple[int, ...], refused: list[int]
) -> None:
    items = tuple(OrderItem("bulb", quantity, Money(300, "EUR")) for quantity in quantities)
    # A quote of its own for each line, so that none is the same text as another.
    quotes = Quotes(
        items=tuple(
            shop.quote(
                "bulb",
                Money(300, "EUR"),
                min_quantity=3,
                max_quantity=5,
                lifetime=HOUR + timedelta(seconds=number),
            )
            for number, _ in enumerate(items)
        )
    )
    if not refused:
        await verify(shop, *items, quotes=quotes)
        return

    assert await refusals(shop, *items, quotes=quotes) == {
        f"items/{index}/quantity": "quote_of_another_quantity" for index in refused
    }


async def test_pieces_at_the_full_price_do_not_count_against_a_bargain(shop: QuotingShop) -> None:
    bargain = Money(100, "EUR")
    quotes = Quotes(items=(shop.quote("bulb", bargain, max_quantity=1), shop.quote("bulb")))

    await verify(shop, OrderItem("bulb", 1, bargain), BULBS, quotes=quotes)


async def test_the_same_item_twice_is_held_against_both_of_its_quotes(shop: QuotingShop) -> None:
    dear = shop.quote("lamp", Money(5999, "EUR"))

    with pytest.raises(PriceMismatch) as refusal:
        await verify(shop, LAMP, LAMP, quotes=Quotes(items=(dear, shop.quote("lamp"))))
    assert [(wrong.index, wrong.price) for wrong in refusal.value.wrong] == [(0, "59.99")]


# The whole cart ---------------------------------------------------------------------------

FREE_LEAFLET = OrderItem("leaflet", 1, PRICES["leaflet"])


async def test_a_cart_is_the_same_however_its_lines_are_cut(shop: QuotingShop) -> None:
    quotes = Quotes(shop.cart(BULBS, LAMP))
    one, three = (OrderItem("bulb", pieces, PRICES["bulb"]) for pieces in (1, 3))

    await verify(shop, three, LAMP, one, quotes=quotes)


@pytest.mark.parametrize(
    ("ordered", "refused"),
    [
        ((BULBS, FREE_LEAFLET), {"items"}),
        ((OrderItem("bulb", 3, PRICES["bulb"]), LAMP, FREE_LEAFLET), {"items/0/quantity"}),
        ((BULBS, LAMP, FREE_LEAFLET, FREE_LEAFLET), {"items/2/quantity", "items/3/quantity"}),
        ((BULBS, LAMP, OrderItem("moon", 1, PRICES["leaflet"])), {"items/2/product_id"}),
    ],
    ids=["a line less", "a piece less", "a gift more", "another product"],
)
async def test_a_cart_that_was_changed_is_another_cart(
    shop: QuotingShop, ordered: tuple[OrderItem, ...], refused: set[str]
) -> None:
    quotes = Quotes(shop.cart(BULBS, LAMP, FREE_LEAFLET))

    assert await refusals(shop, *ordered, quotes=quotes) == dict.fromkeys(
        refused, "quote_of_another_cart"
    )


async def test_a_product_at_two_prices_in_a_cart_is_bought_at_both(shop: QuotingShop) -> None:
    half = OrderItem("lamp", 1, Money(2500, "EUR"))
    quotes = Quotes(shop.cart(LAMP, half))

    await verify(shop, half, LAMP, quotes=quotes)
    assert await refusals(shop, half, half, quotes=quotes) == dict.fromkeys(
        ("items/0/quantity", "items/1/quantity", "items"), "quote_of_another_cart"
    )


async def test_a_cart_of_the_most_lines_fits_into_one_quote(shop: QuotingShop) -> None:
    lines = tuple(
        OrderItem(f"article-{number:06}", 1 + number, Money(199 + number, "EUR"))
        for number in range(1000)
    )
    quote = shop.cart(*lines, customer_id="ann")

    assert len(quote) < LONGEST_CART_QUOTE
    await verify(shop, *lines, quotes=Quotes(quote))


async def test_a_quote_in_the_other_ones_place_proves_nothing(shop: QuotingShop) -> None:
    for_lamp, for_cart = shop.quote("lamp"), shop.cart(LAMP)

    assert await refusals(shop, LAMP, quotes=Quotes(for_lamp)) == {"quote": "quote_of_one_item"}
    assert await refused_code(shop, for_cart) == "quote_of_a_cart"
    assert await refusals(shop, LAMP, quotes=Quotes(for_cart, (for_lamp,))) == {
        "quote": "two_kinds_of_quotes"
    }


async def test_the_number_of_signatures_to_check_is_bounded(shop: QuotingShop) -> None:
    bulb = OrderItem("bulb", 1, PRICES["bulb"])
    tokens = [
        shop.quote("bulb", lifetime=HOUR + timedelta(seconds=number))
        for number in range(MOST_ITEM_QUOTES + 1)
    ]
    few = Quotes(items=tuple(tokens[:MOST_ITEM_QUOTES] * 2))
    await verify(shop, *[bulb] * len(few.items), quotes=few)

    many = Quotes(items=tuple(tokens))
    assert await refusals(shop, *[bulb] * len(tokens), quotes=many) == {"items": "too_many_quotes"}


def counting(shop: QuotingShop) -> tuple[SignedPrices, list[str]]:
    """Prices by the quotes of `shop`, and the quotes whose signature was checked."""
    proven, checked = ClaimsOfOneKind(VerificationKey.from_secret(SECRET), QUOTE_TYPE), []

    def prove(token: str) -> Any:
        checked.append(token)
        return proven(token)

    return SignedPrices(prove, shop.clock, skew=SKEW), checked


async def test_a_quote_that_many_show_has_its_signature_checked_once_and_all_else_each_time() -> (
    None
):
    shop = QuotingShop()
    prices, checked = counting(shop)
    quotes = Quotes(items=(shop.quote("lamp", customer_id="ann"),))
    for _ in range(3):
        await prices.verify((LAMP,), customer_id="ann", quotes=quotes)
    assert len(checked) == 1
    with pytest.raises(QuoteRefused, match="another customer"):
        await prices.verify((LAMP,), customer_id="bob", quotes=quotes)
    with pytest.raises(QuoteRefused, match="another product"):
        await prices.verify((BULBS,), customer_id="ann", quotes=quotes)
    shop.clock.advance(HOUR + SKEW)
    with pytest.raises(QuoteRefused, match="has expired"):
        await prices.verify((LAMP,), customer_id="ann", quotes=quotes)


async def test_kept_quotes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_prices.signed._MOST_KEPT", 3)
    shop = QuotingShop()
    prices, checked = counting(shop)
    for second in (0, 1, 2, 3, 3, 0):
        quote = shop.quote("lamp", lifetime=HOUR + timedelta(seconds=second))
        await prices.verify((LAMP,), customer_id="ann", quotes=Quotes(items=(quote,)))
    assert len(checked) == 5


async def test_a_forger_does_not_have_a_hundred_signatures_checked() -> None:
    shop = QuotingShop()
    prices, checked = counting(shop)
    head = shop.quote("lamp").rpartition(".")[0]
    forgeries = Quotes(items=tuple(f"{head}.{number:043d}" for number in range(100)))
    with pytest.raises(QuoteRefused) as refusal:
        await prices.verify((LAMP,) * 100, customer_id="ann", quotes=forgeries)
    assert len(refusal.value.refusals) == len(checked) == MOST_REFUSALS


# Who signed -------------------------------------------------------------------------------


def changed(token: str, part: int, **claims: Any) -> str:
    parts = token.split(".")
    held = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    text = json.dumps(held | claims).encode()
    parts[part] = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    return ".".join(parts)


def _unsigned(claims: dict[str, Any]) -> str:
    return forged(claims, None, "none")


@pytest.mark.parametrize(
    "forge",
    [
        lambda claims: signed(claims, OTHER_SECRET),
        _unsigned,
        lambda claims: forged(claims, SECRET * 2, "HS512"),
        lambda claims: forged(claims, SECRET, "HS256", crit=["b64"], b64=True),
        lambda claims: forged(claims, SECRET, "HS256", cty="JWT"),
        lambda claims: forged(claims, SECRET, "HS256", padding="x" * 600),
        lambda claims: signed(claims, kind="JWT"),
        lambda claims: signed(claims, kind="at+jwt"),
        lambda claims: changed(signed(claims), 1, price="0.01"),
        lambda claims: changed(signed(claims), 0, alg="none"),
        lambda claims: signed(claims) + "A",
        lambda claims: signed(claims).rpartition(".")[0] + ".",
        lambda claims: signed(claims) + "\n",
        lambda claims: "quote",
        lambda claims: "\ud800.\u0660.x",
        lambda claims: "W1tb" * 100 + ".e30.AAAA",
    ],
)
async def test_what_the_shop_did_not_sign_as_a_quote_proves_nothing(
    shop: QuotingShop, forge: Any
) -> None:
    assert await refused_code(shop, forge(shop.claims("lamp"))) == "quote_invalid"


async def test_an_access_token_is_no_quote_and_a_quote_is_no_access_token(
    shop: QuotingShop,
) -> None:
    access = issue_token(SECRET, subject="ann", at=shop.clock.now())
    assert await refused_code(shop, access) == "quote_invalid"

    quote = shop.quote("lamp", customer_id="ann")
    with pytest.raises(InvalidToken):
        await JwtVerifier([JwtSettings(secret=SECRET).trust], shop.clock).verify(quote)


def _private_key(algorithm: str) -> Any:
    match algorithm:
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
async def test_the_public_key_decides_the_algorithm_and_makes_no_quotes(algorithm: str) -> None:
    shop, private = QuotingShop(ManualClock()), _private_key(algorithm)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    key = VerificationKey.from_public_pem(pem.decode())
    shop.prices = SignedPrices(ClaimsOfOneKind(key, QUOTE_TYPE), shop.clock, skew=SKEW)

    await verify(
        shop, LAMP, quotes=Quotes(items=(forged(shop.claims("lamp"), private, algorithm),))
    )

    # PyJWT itself refuses to use a public key as a secret, so the forger signs by hand.
    body = shop.quote("lamp").rpartition(".")[0]
    mac = hmac.new(pem, body.encode(), sha256).digest()
    confused = f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert await refused_code(shop, confused) == "quote_invalid"
    stranger = forged(shop.claims("lamp"), _private_key(algorithm), algorithm)
    assert await refused_code(shop, stranger) == "quote_invalid"


@pytest.mark.parametrize(
    "written",
    [
        {"exp": None},
        {"exp": True},
        {"exp": "tomorrow"},
        {"exp": 10**15},
        {"iat": -1},
        {"price": 49.99},
        {"price": "49,99"},
        {"price": ""},
        {"price": "-49.99"},
        {"currency": "EURO"},
        {"currency": None},
        {"product_id": 7},
        {"product_id": "p" * 201},
        {"sub": ""},
        {"sub": 7},
        {"max_quantity": 0},
        {"max_quantity": True},
        {"min_quantity": 3, "max_quantity": 2},
        {"max_qty": 1},
        {"aud": "another shop"},
        {"items": []},
        {"items": [{"product_id": "lamp"}]},
    ],
)
async def test_a_quote_that_is_not_understood_in_full_is_refused(
    shop: QuotingShop, written: dict[str, Any]
) -> None:
    assert await refused_code(shop, signed(shop.claims("lamp") | written)) == "quote_invalid"


async def test_a_quote_without_an_end_is_refused(shop: QuotingShop) -> None:
    claims = shop.claims("lamp")
    del claims["exp"]

    assert await refused_code(shop, signed(claims)) == "quote_invalid"


async def test_a_refusal_shows_nothing_of_the_quote(shop: QuotingShop) -> None:
    token = signed(shop.claims("lamp") | {"sub": "customer-mallory", "jti": "tag-77"}, OTHER_SECRET)

    with pytest.raises(QuoteRefused) as refusal:
        await verify(shop, LAMP, quotes=Quotes(items=(token,)))
    assert not {token, "mallory", "tag-77"} & set(str(refusal.value).replace("-", " ").split())


@pytest.mark.parametrize("seconds", [0, 367 * 86_400])
def test_a_quote_is_made_for_a_second_at_least_and_a_year_at_most(
    shop: QuotingShop, seconds: int
) -> None:
    with pytest.raises(ValueError, match="lifetime of a quote"):
        shop.quote("lamp", lifetime=timedelta(seconds=seconds))
    with pytest.raises(ValueError, match="lifetime of a quote"):
        shop.cart(LAMP, lifetime=timedelta(seconds=seconds))
