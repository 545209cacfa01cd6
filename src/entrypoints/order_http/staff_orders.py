"""The endpoints POST /api/orders/{order_id}/process, /refunds and /review, for staff."""

from decimal import Decimal
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.ports.token_verifier import Principal
from order_core.reviewing import ReviewDecision
from order_http.card_number import holds_card_number
from order_http.desk import Desk
from order_http.error_answers import refused_by_rule
from order_http.idempotency_key import idempotency_key
from order_http.json_body import read_json, read_optional_json
from order_http.order_json import json_response
from order_http.problems import FieldError, Problem, field_error, invalid
from order_http.read_orders import order_id_of, read_order
from order_http.shapes import read_shape
from order_http.staff_actions import process_refusal
from order_http.staff_bodies import RefundBody, ReviewBody
from order_http.staff_json import order_for

_ASK_AGAIN_SECONDS: Final = "2"
_BEGUN: Final = frozenset({OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED})
_NOT_CAPTURED: Final = ("capture_declined", "the provider did not hand over what it held")
_FOLLOWING: Final = frozenset(
    {TransactionKind.CAPTURE, TransactionKind.VOID, TransactionKind.REFUND}
)


async def process_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 when it is being processed, 202 while its money is still being taken."""
    order_id, key = order_id_of(request), idempotency_key(request)
    order = await desk.in_flight.run(desk.core.process(order_id, by=principal.by, key=key))
    if order.status in _BEGUN or _waits(order):
        return _answer(principal, order)
    raise refused_by_rule("cannot_process", *(process_refusal(order) or _NOT_CAPTURED))


async def refund_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 when the money went back, 202 while it is on its way."""
    order_id, key = order_id_of(request), idempotency_key(request)
    body = read_shape(RefundBody, await read_optional_json(request))
    amount = None
    if body.amount is not None:
        # A number means nothing without the order's currency.
        order = await read_order(desk, order_id, principal)
        amount = _amount(body.amount, order.total.currency)
    refunding = desk.core.refund(order_id, amount=amount, by=principal.by, key=key)
    return _answer(principal, await desk.in_flight.run(refunding))


async def review_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 with the order after the decision, 202 while a refund that it caused is on its way."""
    order_id, key = order_id_of(request), idempotency_key(request)
    body = read_shape(ReviewBody, await read_json(request))
    if holds_card_number(body.note):
        wrong = FieldError("/note", "raw_card_number", "looks like it holds a card number")
        raise Problem("raw_card_number", "What you sent was not stored.", field_errors=[wrong])
    reviewing = desk.core.review(
        order_id,
        transaction_id=body.transaction_id,
        decision=_decision(body.decision),
        note=body.note,
        by=principal.by,
        key=key,
    )
    return _answer(principal, await desk.in_flight.run(reviewing))


def _amount(value: Decimal | int | str, currency: str) -> Money:
    try:
        return Money.parse(value, currency)
    except InvalidValue as refusal:
        raise invalid([field_error(refusal.inside("amount"))]) from None


def _decision(word: str) -> ReviewDecision:
    try:
        return ReviewDecision(word)
    except ValueError:
        known = ", ".join(ReviewDecision)
        wrong = FieldError("/decision", "unknown_decision", f"must be one of {known}")
        raise invalid([wrong]) from None


def _waits(order: Order) -> bool:
    return any(each.kind in _FOLLOWING and each.is_open for each in order.transactions)


def _answer(principal: Principal, order: Order) -> Response:
    document = order_for(principal, order)
    if _waits(order):
        return json_response(document, 202, {"Retry-After": _ASK_AGAIN_SECONDS})
    return json_response(document)
