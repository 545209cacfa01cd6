"""The shape of an order's body; what its values may be, the core says."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from order_core.money import MAX_MINOR_UNITS
from order_core.order_item import LONGEST_PRODUCT_ID, MAX_ITEMS, MAX_QUANTITY
from order_core.order_request import LONGEST_TOKEN
from order_core.quotes import LONGEST_CART_QUOTE, LONGEST_ITEM_QUOTE
from order_core.shipping_address import LONGEST_ADDRESS
from order_http.return_url import LONGEST_RETURN_URL

LONGEST_EMAIL: Final = 254
_NUMBER_OR_TEXT: Final = (Decimal, int, str)
_TEXT_OR_NOTHING: Final = frozenset({str, type(None)})


def _amount(value: object) -> object:
    if isinstance(value, _NUMBER_OR_TEXT) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("wrong_type", "must be a number, or a string with a number")


def _address(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and _TEXT_OR_NOTHING.issuperset(map(type, value.values())):
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
            "handed on as it came; lines that are null are left out. Never a card number.",
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


class StrictBody(BaseModel):
    """A body in which every member is known, and of the type that it is written in."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ItemBody(StrictBody):
    """One line of the order."""

    product_id: Annotated[str, _bounds(minLength=1, maxLength=LONGEST_PRODUCT_ID)]
    quantity: Annotated[int, _bounds(minimum=1, maximum=MAX_QUANTITY)]
    price: Amount
    quote: Annotated[
        str | None,
        Field(
            description="The shop's signed word for this price, where the service asks for it. "
            "Renewing it does not make the request another one.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_ITEM_QUOTE},
        ),
    ] = None


class OrderBody(StrictBody):
    """What a customer orders."""

    items: Annotated[list[ItemBody], _bounds(minItems=1, maxItems=MAX_ITEMS)]
    shipping_address: Address
    payment_method: Annotated[
        str,
        Field(
            description="`provider:token`, or the token alone for the default provider if it has "
            "no colon of its own. Never a card number.",
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
    quote: Annotated[
        str | None,
        Field(
            description="The shop's signed word for the whole cart, instead of one an item.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_CART_QUOTE},
        ),
    ] = None
    allow_duplicate: Annotated[
        bool, Field(description="True if an order equal to a moment ago is no double click.")
    ] = False
