"""From the body of a request to what the core understands, with every mistake named."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from order_core.currencies import DECIMALS
from order_core.errors import InvalidValue
from order_core.money import MAX_MINOR_UNITS, Money
from order_core.order_item import LONGEST_PRODUCT_ID, MAX_ITEMS, MAX_QUANTITY, OrderItem
from order_core.order_request import LONGEST_TOKEN, OrderRequest
from order_core.ports.token_verifier import Principal
from order_core.shipping_address import LONGEST_ADDRESS, ShippingAddress
from order_core.text import checked_text
from order_http.card_number import holds_card_number
from order_http.problems import FieldError, Problem, field_error, invalid, pointer_to
from order_http.return_url import LONGEST_RETURN_URL, checked_return_url
from order_http.settings import HttpSettings

LONGEST_EMAIL: Final = 254

T = TypeVar("T")


def _amount(value: object) -> object:
    if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("wrong_type", "must be a number, or a string with a number")


def _address(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and all(isinstance(line, str | None) for line in value.values()):
        return value
    raise PydanticCustomError("wrong_type", "must be text, or an object of texts")


Amount = Annotated[
    Any,
    PlainValidator(_amount),
    WithJsonSchema(
        {
            "description": "Exact: a digit below the currency's minor unit is refused.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_MINOR_UNITS},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "maxLength": 40},
            ],
        }
    ),
]
Address = Annotated[
    Any,
    PlainValidator(_address),
    WithJsonSchema(
        {
            "description": "Free text, or lines under the names that the shop uses. It is "
            "handed on as it came; lines that are null are left out.",
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": LONGEST_ADDRESS},
                {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"minLength": 1, "maxLength": 100},
                    "additionalProperties": {
                        "type": ["string", "null"],
                        "maxLength": LONGEST_ADDRESS,
                    },
                },
            ],
        }
    ),
]


def _bounds(**bounds: Any) -> Any:  # noqa: ANN401 - JSON schema is anything
    """Bounds that the document states and the core checks, so that no rule is written twice."""
    return Field(json_schema_extra=bounds)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ItemBody(_Strict):
    """One line of the order."""

    product_id: Annotated[str, _bounds(minLength=1, maxLength=LONGEST_PRODUCT_ID)]
    quantity: Annotated[int, _bounds(minimum=1, maximum=MAX_QUANTITY)]
    price: Amount


class OrderBody(_Strict):
    """What a customer orders."""

    items: Annotated[list[ItemBody], _bounds(minItems=1, maxItems=MAX_ITEMS)]
    shipping_address: Address
    payment_method: Annotated[
        str,
        Field(
            description="`provider:token`, or a bare token for the default provider. "
            "Never a card number.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_TOKEN},
        ),
    ]
    currency: Annotated[
        str | None,
        Field(description="ISO 4217.", json_schema_extra={"pattern": "^[A-Z]{3}$"}),
    ] = None
    email: Annotated[
        str | None,
        Field(
            description="Where the confirmation goes; else to the verified address of the token.",
            json_schema_extra={"minLength": 3, "maxLength": LONGEST_EMAIL},
        ),
    ] = None
    return_url: Annotated[
        str | None,
        Field(
            description="Where the buyer comes back to after approving the payment: an "
            "absolute https URL of an origin that the service allows.",
            json_schema_extra={"maxLength": LONGEST_RETURN_URL},
        ),
    ] = None
    allow_duplicate: Annotated[
        bool, Field(description="True if an order equal to a moment ago is no double click.")
    ] = False


def read_order_request(body: object, principal: Principal, settings: HttpSettings) -> OrderRequest:
    """The request that `body` makes on behalf of `principal`.

    Raises:
        Problem: 422, with every value that breaks a rule.
    """
    try:
        order = OrderBody.model_validate(body)
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_context=False, include_input=False)
        raise invalid([_shape_error(error) for error in errors]) from None
    if holds_card_number(order.payment_method):
        wrong = FieldError("/payment_method", "raw_card_number", "looks like a card number")
        raise Problem(
            "raw_card_number",
            "Send a token of the payment provider. What you sent was not stored.",
            field_errors=[wrong],
        )
    refusals = _Refusals()
    currency = settings.default_currency if order.currency is None else order.currency
    if currency in DECIMALS:
        items = tuple(
            refusals.catch(_item, item, index, currency) for index, item in enumerate(order.items)
        )
    else:
        items = ()
        refusals.add(
            InvalidValue(("currency",), "unknown_currency", "is not a current ISO 4217 code")
        )
    address = refusals.catch(_shipping_address, order.shipping_address)
    refusals.catch(
        lambda: checked_text(order.payment_method, "payment_method", longest=LONGEST_TOKEN)
    )
    if order.email is not None:
        refusals.catch(_email, order.email)
    if order.return_url is not None:
        refusals.catch(checked_return_url, order.return_url, settings.return_origins)
    if refusals.errors or address is None:
        raise invalid(refusals.errors)
    try:
        return OrderRequest(
            customer_id=principal.subject,
            items=tuple(item for item in items if item is not None),
            shipping_address=address,
            payment_method=order.payment_method,
            email=order.email or _usable(principal.email),
            return_url=order.return_url,
            allow_duplicate=order.allow_duplicate,
        )
    except InvalidValue as refusal:
        raise invalid([field_error(refusal)]) from None


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


def _shipping_address(lines: str | dict[str, str | None]) -> ShippingAddress:
    try:
        if isinstance(lines, str):
            return ShippingAddress(lines)
        kept = tuple((name, line) for name, line in lines.items() if line is not None)
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


_CODE_OF_SHAPE: Final = {
    "missing": ("missing", "is required"),
    "extra_forbidden": ("unknown_field", "is not a field of this object"),
    "int_type": ("wrong_type", "must be an integer, written without a decimal point"),
    "string_type": ("wrong_type", "must be text"),
    "string_unicode": ("forbidden_character", "must not contain lone surrogates"),
    "bool_type": ("wrong_type", "must be true or false"),
    "list_type": ("wrong_type", "must be an array"),
    "model_type": ("wrong_type", "must be an object"),
}


def _shape_error(error: ErrorDetails) -> FieldError:
    code, detail = _CODE_OF_SHAPE.get(error["type"], (error["type"], error["msg"]))
    return FieldError(pointer_to(error["loc"]), code, detail)
