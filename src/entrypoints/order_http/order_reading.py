"""From the body of a request to what the core understands, with every mistake named."""

from collections.abc import Callable
from typing import TypeVar

from order_core.currencies import DECIMALS
from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.order_request import LONGEST_TOKEN, OrderRequest
from order_core.ports.token_verifier import Principal
from order_core.quotes import Quotes
from order_core.shipping_address import ShippingAddress
from order_core.text import checked_text
from order_http.card_number import holds_card_number, shows_card_number
from order_http.order_body import LONGEST_EMAIL, ItemBody, OrderBody
from order_http.problems import FieldError, Problem, field_error, invalid
from order_http.return_url import checked_return_url
from order_http.settings import HttpSettings
from order_http.shapes import read_shape

T = TypeVar("T")


def read_order_request(body: object, principal: Principal, settings: HttpSettings) -> OrderRequest:
    """The request that `body` makes on behalf of `principal`.

    Raises:
        Problem: 422, with every value that breaks a rule.
    """
    order = read_shape(OrderBody, body)
    _refuse_card_numbers(order)
    refusals = _Refusals()
    currency = settings.default_currency if order.currency is None else order.currency
    if currency in DECIMALS:
        items = [
            refusals.catch(_item, item, index, currency) for index, item in enumerate(order.items)
        ]
    else:
        items = []
        refusals.add(
            InvalidValue(("currency",), "unknown_currency", "is not a current ISO 4217 code")
        )
    address = refusals.catch(_shipping_address, order.shipping_address)
    refusals.catch(_payment_method, order.payment_method)
    if order.email is not None:
        refusals.catch(_email, order.email)
    if order.return_url is not None:
        refusals.catch(checked_return_url, order.return_url, settings.return_origins)
    quotes = refusals.catch(_quotes, order)
    if refusals.errors or address is None or quotes is None:
        raise invalid(refusals.errors)
    try:
        return OrderRequest(
            customer_id=principal.subject,
            items=tuple([item for item in items if item is not None]),
            shipping_address=address,
            payment_method=order.payment_method,
            email=order.email,
            fallback_email=_usable(principal.email),
            return_url=order.return_url,
            actor=principal.actor,
            allow_duplicate=order.allow_duplicate,
            quotes=quotes,
        )
    except InvalidValue as refusal:
        raise invalid([field_error(refusal)]) from None


def _refuse_card_numbers(order: OrderBody) -> None:
    shown: list[tuple[str, ...]] = []
    if holds_card_number(order.payment_method):
        shown.append(("payment_method",))
    address = order.shipping_address
    lines = {None: address} if isinstance(address, str) else address
    if order.email and shows_card_number(order.email):
        shown.append(("email",))
    for name, line in lines.items():
        if line and shows_card_number(line):
            shown.append(("shipping_address", name) if name else ("shipping_address",))
    if shown:
        raise Problem(
            "raw_card_number",
            "Send a token of the payment provider. What you sent was not stored.",
            field_errors=[
                field_error(InvalidValue(path, "raw_card_number", "looks like a card number"))
                for path in shown
            ],
        )


class _Refusals:
    """Goes on after a refusal, so that the client hears of all of them at once."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, refusal: InvalidValue) -> None:
        self.errors.append(field_error(refusal))

    def catch(self, read: Callable[..., T], *values: object) -> T | None:
        try:
            return read(*values)
        except InvalidValue as refusal:
            self.add(refusal)
            return None


def _item(item: ItemBody, index: int, currency: str) -> OrderItem:
    try:
        price = Money.parse(item.price, currency)
    except InvalidValue as refusal:
        raise refusal.inside("items", index, "price") from None
    try:
        return OrderItem(item.product_id, item.quantity, price)
    except InvalidValue as refusal:
        raise refusal.inside("items", index) from None


def _payment_method(token: str) -> str:
    return checked_text(token, "payment_method", longest=LONGEST_TOKEN)


def _quotes(order: OrderBody) -> Quotes:
    return Quotes(order.quote, tuple([item.quote for item in order.items]))


def _shipping_address(lines: str | dict[str, str | None]) -> ShippingAddress:
    try:
        if isinstance(lines, str):
            return ShippingAddress(lines)
        kept = tuple([(name, line) for name, line in lines.items() if line is not None])
        return ShippingAddress(kept)
    except InvalidValue as refusal:
        raise refusal.inside("shipping_address") from None


def _email(address: str) -> str:
    name, _, domain = address.partition("@")
    usable = name and domain and "@" not in domain and " " not in address and address.isprintable()
    if not usable or len(address) > LONGEST_EMAIL:
        raise InvalidValue(("email",), "not_an_email", "must be an e-mail address")
    return address


def _usable(address: str | None) -> str | None:
    # The issuer's idea of an address must not make an order fail that names none.
    try:
        return address and _email(address)
    except InvalidValue:
        return None
