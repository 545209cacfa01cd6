"""PayPal's errors, in its own words (OpenAPI descriptions of Orders v2 and Payments v2)."""

import json
from types import MappingProxyType
from typing import Any, Final

from order_emulators.chassis import Answer

_NAMES: Final = MappingProxyType(
    {
        400: (
            "INVALID_REQUEST",
            "Request is not well-formed, syntactically incorrect, or violates schema.",
        ),
        401: (
            "AUTHENTICATION_FAILURE",
            (
                "Authentication failed due to missing authorization header, "
                "or invalid authentication credentials."
            ),
        ),
        404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
        409: (
            "RESOURCE_CONFLICT",
            "The server has detected a conflict while processing this request.",
        ),
        422: (
            "UNPROCESSABLE_ENTITY",
            (
                "The requested action could not be performed, semantically incorrect, "
                "or failed business validation."
            ),
        ),
        429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
        500: ("INTERNAL_SERVER_ERROR", "An internal server error has occurred."),
    }
)

_AGAIN: Final = (
    "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account "
    "setting requires that Invoice Id be unique for each transaction."
)

DESCRIPTIONS: Final = MappingProxyType(
    {
        "ACTION_DOES_NOT_MATCH_INTENT": (
            "Order was created with an intent to 'CAPTURE'. Please use "
            "v2/checkout/orders/order_id/capture to complete the transaction or alternately "
            "Create an order with an intent of 'AUTHORIZE'."
        ),
        "AUTHORIZATION_ALREADY_CAPTURED": "Authorization has previously been captured.",
        "AUTHORIZATION_VOIDED": "A voided authorization cannot be captured or reauthorized. ",
        "AUTH_CAPTURE_CURRENCY_MISMATCH": (
            "Currency of capture must be the same as currency of authorization."
        ),
        "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
        "DECIMAL_PRECISION": (
            "If the currency supports decimals, only two decimal place precision is supported."
        ),
        "DUPLICATE_INVOICE_ID": _AGAIN,
        "DUPLICATE_INVOICE_ID of a capture": (
            "Requested invoice_id has been previously captured. Possible duplicate transaction."
        ),
        "DUPLICATE_INVOICE_ID of a refund": "Invoice ID was previously used to refund a capture.",
        "INSTRUMENT_DECLINED": (
            "The instrument presented  was either declined by the processor or bank, or it "
            "can't be used for this payment."
        ),
        "INVALID_PARAMETER_VALUE": "A parameter value is not valid.",
        "INVALID_RESOURCE_ID": (
            "Specified resource ID does not exist. Please check the resource ID and try again."
        ),
        "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
        "MAX_CAPTURE_AMOUNT_EXCEEDED": (
            "Capture amount exceeds allowable limit. Please contact customer service or your "
            "account manager to request the change to your overage limit. The default overage "
            "limit is 115%, which allows the sum of all captures to be up to 115% of the order "
            "amount. The ability to over capture is subjected to regulatory approvals."
        ),
        "NOT_PATCHABLE": "Cannot be patched.",
        "ORDER_ALREADY_AUTHORIZED": (
            "Order already authorized.If 'intent=AUTHORIZE' only one authorization per order "
            "is allowed."
        ),
        "ORDER_ALREADY_CAPTURED": (
            "Order already captured.If 'intent=CAPTURE' only one capture per order is allowed."
        ),
        "ORDER_ALREADY_COMPLETED": "The order cannot be patched after it is completed.",
        "ORDER_NOT_APPROVED": (
            "Payer has not yet approved the Order for payment. Please redirect the payer to the "
            "'rel':'approve' url returned as part of the HATEOAS links within the Create Order "
            "call or provide a valid `payment_source` in the request."
        ),
        "ORDER_NOT_APPROVED to authorize": (
            "Payer has not yet approved the Order for payment. Please redirect the payer to the "
            "'rel':'approve' url returned as part of the HATEOAS links within the Create Order "
            "call."
        ),
        "PAYER_ACTION_REQUIRED": (
            "Transaction cannot complete successfully, instruct the buyer to return to PayPal."
        ),
        "PENDING_CAPTURE": (
            "Cannot initiate a refund as the capture is pending. Capture is typically pending "
            "when the payer has funded the transaction using e-check/bank funded."
        ),
        "PREVIOUSLY_CAPTURED": (
            "Authorization has been previously captured and hence cannot be voided."
        ),
        "PREVIOUSLY_VOIDED": (
            "Authorization has been previously voided and hence cannot be voided again."
        ),
        "PREVIOUS_REQUEST_IN_PROGRESS": (
            "A previous request on this resource is currently in progress. Please wait for "
            "sometime and try again. It is best to space out the initial and the subsequent "
            "request(s) to avoid receiving this error."
        ),
        "REFERENCED_CARD_EXPIRED": (
            "The card underlying the token has expired and hence cannot be used to process a "
            "payment."
        ),
        "REFUND_AMOUNT_EXCEEDED": (
            "The refund amount must be less than or equal to the capture amount that has not "
            "yet been refunded."
        ),
        "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
        "TOKEN_ID_NOT_FOUND": (
            "Specified token was not found. Verify the token and try the request again."
        ),
        "TRANSACTION_REFUSED": "The request was refused.",
    }
)


class Refused(Exception):
    """The call is answered with an error. `variant` picks the wording of the operation."""

    def __init__(
        self,
        issue: str,
        status: int = 422,
        *,
        variant: str = "",
        links: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(issue)
        self.issue = issue
        self.status = status
        self.variant = variant
        self.links = links or []


def error(refused: Refused, debug_id: str) -> Answer:
    """The refusal as PayPal writes it."""
    description = DESCRIPTIONS[f"{refused.issue} {refused.variant}".strip()]
    detail = {"issue": refused.issue, "description": description}
    return plain_error(refused.status, debug_id, details=[detail], links=refused.links)


def plain_error(status: int, debug_id: str, **more: Any) -> Answer:  # noqa: ANN401 - whatever JSON can hold
    """The error that has only the name of its status."""
    name, message = _NAMES[status]
    body = {"name": name, "message": message, "debug_id": debug_id, **more}
    headers = {"content-type": "application/json", "paypal-debug-id": debug_id}
    return Answer(status, json.dumps(body).encode(), headers)


def wrong_query(field: str, debug_id: str) -> Answer:
    """The answer to a list of events that nobody can be shown."""
    said = "Invalid data provided"
    detail = {"field": field, "issue": said}
    return plain_error(400, debug_id, name="VALIDATION_ERROR", message=said, details=[detail])
