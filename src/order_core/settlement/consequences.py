"""What the table of late money says, done to the order."""

from typing import Final

from order_core.events import LatePaymentReceived, OrderPlaced, ProcessingBegan, PutInReview
from order_core.giving_back import giving_back
from order_core.immutable import replace
from order_core.late_money import MoneyEvent, Verdict, cell
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction
from order_core.settlement.settling import Settling

NOT_ASKED_FOR: Final = "not_asked_for"

PAID_ALREADY: Final = "paid_already"
"""Why money that is ours as we asked, or again, is in review: something else pays the order."""


def concluded(
    settling: Settling,
    order: Order,
    moved: PaymentTransaction,
    event: MoneyEvent,
    *,
    doubt: str = NOT_ASKED_FOR,
) -> Order:
    """`order`, in which `moved` is entered, after what the table says about the event.

    `doubt` is what a person is told if the table says review.
    """
    match cell(event, order.status).verdict:
        case Verdict.PLACE:
            placed = OrderPlaced(moved.id, moved.provider_reference or "")
            return order.moved_to(OrderStatus.PENDING).with_news(placed, settling.at)
        case Verdict.PROCESS:
            began = ProcessingBegan("capture")
            return order.moved_to(OrderStatus.PROCESSING).with_news(began, settling.at)
        case Verdict.FAIL:
            # What came before it failed is owed as what comes afterwards is.
            return _given_back(settling, order.moved_to(OrderStatus.PAYMENT_FAILED))
        case Verdict.KEEP:
            return order
        case Verdict.REFUND:
            late = LatePaymentReceived(moved.id, str(moved.amount))
            return _given_back(settling, order.with_news(late, settling.at))
        case Verdict.REVIEW:
            doubtful = replace(moved, review=doubt)
            return order.with_transaction(doubtful).with_news(
                PutInReview(doubtful.id, doubt), settling.at
            )
        case Verdict.IGNORE:
            return settling.order


def _given_back(settling: Settling, order: Order) -> Order:
    return giving_back(order, at=settling.at, new_id=settling.new_id, terms=settling.terms)
