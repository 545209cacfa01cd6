"""What a customer asks for, before it is an order."""

from dataclasses import dataclass, field
from typing import Final

from order_core.errors import InvalidValue, UnknownProvider
from order_core.money import Money
from order_core.order_item import OrderItem, total_of
from order_core.payment import fingerprint, measured
from order_core.quotes import NO_QUOTES, Quotes
from order_core.shipping_address import ShippingAddress
from order_core.text import checked_text

LONGEST_TOKEN: Final = 255
LONGEST_EMAIL: Final = 254
LONGEST_URL: Final = 2000


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A wish to buy `items`, paid by `payment_method`: `provider:token`, or a bare token.

    A token that has a colon of its own needs its provider before it.

    Raises:
        InvalidValue: a rule about one value is broken; the field is named.
    """

    customer_id: str
    items: tuple[OrderItem, ...]
    shipping_address: ShippingAddress
    payment_method: str
    email: str | None = None
    fallback_email: str | None = None
    """Where the customer is told if `email` names nothing: what his token says, say. It may
    change between a request and its repeat, so it does not tell one request from another."""
    return_url: str | None = None
    actor: str | None = None
    """The service account that asks for the customer, if the customer does not ask himself."""
    allow_duplicate: bool = False
    quotes: Quotes = NO_QUOTES
    """What proves the prices. Quotes expire and are renewed, so they tell neither one request
    from another nor one click from the next."""
    total: Money = field(init=False, repr=False, compare=False)
    """What the items cost together."""
    _content: bytes = field(init=False, repr=False, compare=False)
    """What is ordered and where it goes: the end of both fingerprints, so it is measured once."""

    def __post_init__(self) -> None:
        checked_text(self.customer_id, "customer_id", longest=200)
        if self.actor is not None:
            checked_text(self.actor, "actor", longest=200)
        checked_text(self.payment_method, "payment_method", longest=LONGEST_TOKEN)
        for name, address in (("email", self.email), ("fallback_email", self.fallback_email)):
            if address is not None:
                _refuse_unless_one_word(address, name, longest=LONGEST_EMAIL)
                if "@" not in address.strip("@"):
                    raise InvalidValue((name,), "not_an_email", "must be an e-mail address")
        if self.return_url is not None:
            _refuse_unless_one_word(self.return_url, "return_url", longest=LONGEST_URL)
        object.__setattr__(self, "total", total_of(self.items))
        object.__setattr__(self, "_content", _measured_content(self.items, self.shipping_address))

    @property
    def contact(self) -> str | None:
        """Where the customer is told what happens to the order."""
        return self.email or self.fallback_email

    def provider_and_token(self, default_provider: str, known: frozenset[str]) -> tuple[str, str]:
        """Which provider is asked, and with which token.

        What stands before the first colon is the provider; the rest is the token, which may
        contain colons itself (`paypal:order:5O190`).

        Raises:
            UnknownProvider: it is not configured here.
            InvalidValue: there is a provider but no token.
        """
        provider, colon, token = self.payment_method.partition(":")
        if not colon:
            return default_provider, self.payment_method
        if provider not in known:
            raise UnknownProvider(provider)
        if not token.strip():
            raise InvalidValue(("payment_method",), "empty", "must have a token after the colon")
        return provider, token

    def content_fingerprint(self, provider: str, kept_token: str | None) -> str:
        """Equal for two orders that a double click would make.

        `kept_token` is None for a token that pays once: a page makes a fresh one for every
        click, so it tells no click from another.
        """
        token = ("pays once",) if kept_token is None else ("pays often", kept_token)
        return fingerprint(self.customer_id, provider, *token, rest=self._content)

    def body_fingerprint(self) -> str:
        """Equal for two requests that ask for the same: compared when a key comes again."""
        return fingerprint(
            self.customer_id,
            self.payment_method,
            self.email or "",
            self.return_url or "",
            str(self.allow_duplicate),
            rest=self._content,
        )


def _measured_content(items: tuple[OrderItem, ...], address: ShippingAddress) -> bytes:
    parts: list[str] = []
    for item in items:
        parts += item.product_id, str(item.quantity), str(item.price)
    parts.append("ship to")
    if isinstance(address.lines, str):
        parts.append(address.lines)
    else:
        for line in address.lines:
            parts += line
    return measured(*parts)


def _refuse_unless_one_word(value: str, field: str, *, longest: int) -> None:
    checked_text(value, field, longest=longest)
    if value.split() != [value]:
        # A line break here would become another header of an e-mail.
        raise InvalidValue((field,), "forbidden_character", "must not contain white space")
