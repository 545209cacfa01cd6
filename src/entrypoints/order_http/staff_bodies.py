"""The shapes of what staff sends; what the values may be, the core says."""

from typing import Annotated, Any, Final

from pydantic import Field

from order_core.reviewing import LONGEST_NOTE, ReviewDecision
from order_core.shipment import LONGEST_CARRIER, LONGEST_TRACKING_NUMBER
from order_http.order_body import Amount, StrictBody

LONGEST_ID: Final = 40


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class RefundBody(StrictBody):
    """How much goes back."""

    amount: Annotated[
        Amount,
        Field(
            description="In the order's currency. Without it, all that is left.",
            json_schema_extra=_without_default,
        ),
    ] = None
    """Left out means everything; null is refused, which is likelier a mistake than a wish."""


class ShipBody(StrictBody):
    """A parcel that left."""

    carrier: Annotated[
        str,
        Field(
            description="Who brings it.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_CARRIER},
        ),
    ]
    tracking_number: Annotated[
        str,
        Field(
            description="Under which it can be followed there.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_TRACKING_NUMBER},
        ),
    ]


class ReviewBody(StrictBody):
    """What a person decided about a movement of money."""

    transaction_id: Annotated[
        str,
        Field(
            description="The transaction that is in review.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_ID},
        ),
    ]
    decision: Annotated[
        str,
        Field(
            description=(
                "`accept` what the provider did, `refund` what it took, say that what it "
                "refused to give back was `refunded_otherwise`, that it `never_happened`, that "
                "what it would not let go had ended (`hold_ended`), or how a dispute ended, or "
                "only `note`."
            ),
            json_schema_extra={"enum": [decision.value for decision in ReviewDecision]},
        ),
    ]
    note: Annotated[
        str,
        Field(
            description="Why; kept in the history of the order.",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_NOTE},
        ),
    ]
