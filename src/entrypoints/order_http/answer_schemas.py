"""The shapes of answers, for the OpenAPI document; `order_json` writes them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from order_core.events import EVENT_TYPES
from order_core.money import MAX_MINOR_UNITS
from order_core.order import PaymentStatus
from order_core.order_item import MAX_ITEMS
from order_core.order_status import OrderStatus
from order_core.payment import Origin, TransactionKind, TransactionStatus
from order_core.shipment import MAX_SHIPMENTS
from order_http.problem_codes import CODES
from order_http.problems import MOST_FIELD_ERRORS

Amount = Annotated[
    float,
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": MAX_MINOR_UNITS,
            "description": "Written with exactly the currency's decimals.",
        }
    ),
]


def _leave_out(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _absent_unless(when: str) -> Any:  # noqa: ANN401 - pydantic's Field
    """A member that is left out, never null, unless `when`."""
    return Field(default=None, description=f"Only {when}.", json_schema_extra=_leave_out)


Action = Literal["cancel", "process", "ship", "deliver", "refund", "review"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Item(_Answer):
    """One line of the order."""

    product_id: str
    quantity: int
    price: Amount


class Redirect(_Answer):
    """Send the buyer to this page of the payment provider."""

    type: Literal["redirect"]
    url: str
    expires_at: datetime = _absent_unless("if it expires")


class ClientSecret(_Answer):
    """Hand this to the payment provider's script on the shop's page."""

    type: Literal["client_secret"]
    client_secret: str
    expires_at: datetime = _absent_unless("if it expires")


class Payment(_Answer):
    """The payment as a whole; `transaction_id` names its charge."""

    status: PaymentStatus
    provider: str
    transaction_id: str
    decline_code: str = _absent_unless("of a payment that did not happen")
    action: Redirect | ClientSecret = _absent_unless("while the buyer must act")


class RefusedAction(_Answer):
    """What cannot be done with the order now; `reason` is stable, `detail` is for people."""

    action: Action
    reason: str
    detail: str


class Transaction(_Answer):
    """One movement of money."""

    transaction_id: str
    kind: TransactionKind
    status: TransactionStatus
    origin: Origin
    amount: Amount
    provider_reference: str = _absent_unless("once the provider has named it")
    parent_id: str = _absent_unless("of a movement that follows another one")
    reason: str = _absent_unless("if there is something to say about its status")
    in_review_because: str = _absent_unless("while a person has to decide about it")


class Order(_Answer):
    """An order as the caller may see it: staff sees more than its owner."""

    order_id: str
    status: OrderStatus
    total: Amount
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    items: Annotated[list[Item], Field(min_length=1)]
    shipping_address: Annotated[
        str | dict[str, str] | None,
        Field(description="Null once the customer's personal data is erased."),
    ]
    created_at: datetime
    email: str = _absent_unless("of an order that has a contact")
    payment: Payment
    allowed_actions: list[Action]
    refused_actions: list[RefusedAction]
    customer_id: str = _absent_unless("to staff")
    transactions: list[Transaction] = _absent_unless("to staff")


class Cancelled(_Answer):
    """The order is cancelled; `message` says what happens to the money."""

    message: str
    order: Order


class Shipment(_Answer):
    """A parcel that left."""

    shipment_id: str
    carrier: str
    tracking_number: Annotated[
        str, Field(description="`erased` once the customer's personal data is erased.")
    ]
    shipped_at: datetime


class Tracking(_Answer):
    """Every parcel of the order, in the order in which they left."""

    order_id: str
    status: OrderStatus
    shipments: Annotated[list[Shipment], Field(max_length=MAX_SHIPMENTS)]


class HistoryEntry(_Answer):
    """Something that happened to the order."""

    sequence: Annotated[int, Field(ge=1)]
    at: datetime
    event: Annotated[str, Field(json_schema_extra={"enum": sorted(EVENT_TYPES)})]
    details: dict[str, str | bool]


class ReceivedEvent(_Answer):
    """The event is stored; the provider need not send it again."""

    received: Literal[True]
    verdict: str


class Health(_Answer):
    """The answer of a service that is well."""

    status: Literal["live", "ready"]


class FieldError(_Answer):
    """What is wrong with one value."""

    pointer: Annotated[
        str, Field(description="JSON pointer into the body, or `?name` of a query parameter.")
    ]
    code: str
    detail: str


class RightPrice(_Answer):
    """What one piece really costs of the item to which the pointer leads."""

    pointer: str
    price: Amount
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Problem(BaseModel):
    """An error, by RFC 9457. `type` and `code` are stable; `detail` is for people."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: Annotated[str, Field(description="Names the request, as X-Request-Id does.")]
    code: Annotated[str, Field(json_schema_extra={"enum": sorted(CODES)})]
    errors: Annotated[list[FieldError], Field(max_length=MOST_FIELD_ERRORS)] = _absent_unless(
        "if values of the request are to blame"
    )
    right_prices: Annotated[list[RightPrice], Field(max_length=MAX_ITEMS)] = _absent_unless(
        "if prices are not the shop's; without the items that it does not sell so"
    )
    order_id: str = _absent_unless("of a payment that did not happen")
    decline_code: str = _absent_unless("of a payment that did not happen")
    violated_policies: Annotated[list[str], Field(alias="violated-policies", max_length=3)] = (
        _absent_unless("if too many requests or failures came: the limits that are reached")
    )
    reason: str = _absent_unless("if a rule about orders says no")
