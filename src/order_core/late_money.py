"""What news about money does to its order: one table, event by status.

Settlement looks up here what to do about the order. (What never depends on the status, that
something is known already or must go to a person as it is, may stand in `settlement` alone.)
The page in the documents is drawn from it, and a test drives every cell through the use cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from order_core.order_status import OrderStatus

_S = OrderStatus


class Verdict(StrEnum):
    """What follows from the news."""

    PLACE = "place"
    """It is recorded, and the order is placed."""
    PROCESS = "process"
    """It is recorded, and the order begins to be processed."""
    FAIL = "fail"
    """It is recorded, and the order ends unpaid."""
    KEEP = "keep"
    """It is recorded, and the order stands."""
    REFUND = "refund"
    """It is recorded, and what the order then has without a right goes back: refunded, or
    voided if it is only held."""
    REVIEW = "review"
    """It is recorded, nothing moves, and a person decides."""
    IGNORE = "ignore"
    """It changes nothing."""


class MoneyEvent(StrEnum):
    """What happened to the money. The value is how the documents call it."""

    CHARGED = "the charge of the order succeeds"
    HELD = "the authorization of the order succeeds"
    CAPTURED = "the capture that staff asked for succeeds"
    CAPTURED_BEGINNING_NOTHING = (
        "a capture as the hold was about to end, or whose money went back meanwhile, succeeds"
    )
    CAPTURED_UNASKED = (
        "a hold is captured at the dashboard, by a capture we had given up, or as it is made"
    )
    SECOND_DEBIT = "a payment succeeds a second time, under another reference"
    PAID_AFTER_A_NO = "a payment succeeds that was declined, void or proven absent"
    DONE_AGAIN = "a capture, void or refund of ours is done twice, or after its refusal"
    SAME_AGAIN = "the same success comes again"
    HELD_BEFORE_ITS_END = "that a hold began is told after it has ended"
    ANOTHER_AMOUNT = "the payment succeeds with another amount"
    ANOTHER_TRANSACTION = "the success names another transaction"
    ANOTHER_KIND = "the money is held instead of taken"
    DECLINED = "the payment is declined"
    ALREADY_USED = "the payment belongs to another order already"
    NEVER_HAPPENED = "the payment is proven never to have happened"
    DECLINED_AFTERWARDS = "a decline comes after the payment's success"
    REFUSED_AFTER_ALL = "a payment is declined that a person accepted and nobody had seen"
    HOLD_ENDED = "the provider lets a hold end"
    VOIDED = "our void is confirmed"
    VOIDED_AFTER_SUCCESS = "our void is confirmed although the payment was taken"
    VOIDED_UNASKED = "a hold is voided at the dashboard"
    NOT_LET_GO = "a void is refused that a person accepted and nobody had seen"
    REFUNDED = "our refund is confirmed"
    REFUNDED_UNASKED = "a refund is made at the dashboard"
    REFUNDED_BEYOND = "a refund at the dashboard exceeds what is left of the payment"
    REFUND_FAILED_UNASKED = "a refund made at the dashboard fails"
    REFUND_RETURNED = "a refund that had succeeded comes back"
    DISPUTE_OPENED = "the buyer disputes the payment"
    DISPUTE_LOST = "the dispute is lost, or the bank takes the payment back"
    DISPUTE_WON = "the dispute is won: the money is ours again"
    UNKNOWN_TRANSACTION = "a success of our installation that no order knows"
    OTHER_INSTALLATION = "news for another installation on the same account"


@dataclass(frozen=True, slots=True)
class Cell:
    """What follows, and why, in a sentence."""

    verdict: Verdict
    says: str


Row = Mapping[OrderStatus, Cell]


def _row(verdict: Verdict, says: str, /, **but: tuple[Verdict, str]) -> Row:
    """The same in every status, but for the named ones."""
    cells = {status: Cell(verdict, says) for status in OrderStatus}
    return cells | {OrderStatus(name): Cell(*cell) for name, cell in but.items()}


def _ended(verdict: Verdict, says: str) -> dict[str, tuple[Verdict, str]]:
    return {status.value: (verdict, says) for status in (_S.PAYMENT_FAILED, _S.CANCELLED)}


_V = Verdict
_E = MoneyEvent
_DEAD_ORDER: Final = "Money for an order that is dead is given back; it never revives the order."
_NOT_ASKED: Final = "Nobody asked for it, and whether the shop wants it, only a person knows."

LATE_MONEY: Final[Mapping[MoneyEvent, Row]] = {
    _E.CHARGED: _row(
        _V.KEEP,
        "The order stands already, and this is the money for it.",
        awaiting_payment=(_V.PLACE, "This is what the order waits for."),
        **_ended(_V.REFUND, _DEAD_ORDER),
    ),
    _E.HELD: _row(
        _V.KEEP,
        "The order stands already, and this is the money for it.",
        awaiting_payment=(_V.PLACE, "This is what the order waits for."),
        **_ended(_V.REFUND, "A hold for an order that is dead is given up."),
    ),
    _E.CAPTURED: _row(
        _V.KEEP,
        "The hold became the order's money.",
        pending=(_V.PROCESS, "Staff asked for it in order to begin."),
        **_ended(_V.REFUND, _DEAD_ORDER),
    ),
    _E.CAPTURED_BEGINNING_NOTHING: _row(
        _V.KEEP,
        "The hold was taken; when work on the order begins is for staff to say.",
        **_ended(_V.REFUND, _DEAD_ORDER),
    ),
    _E.CAPTURED_UNASKED: _row(_V.REVIEW, _NOT_ASKED, **_ended(_V.REFUND, _DEAD_ORDER)),
    _E.SECOND_DEBIT: _row(
        _V.REVIEW,
        "The buyer paid twice; which payment stays, a person decides.",
        **_ended(_V.REFUND, _DEAD_ORDER),
    ),
    _E.PAID_AFTER_A_NO: _row(
        _V.REVIEW,
        "The order stands without it, so it may be one payment too many.",
        **_ended(_V.REFUND, _DEAD_ORDER),
    ),
    _E.DONE_AGAIN: _row(
        _V.REVIEW, "More moved than we asked for; what to do about it, a person decides."
    ),
    _E.SAME_AGAIN: _row(_V.IGNORE, "It is on record."),
    _E.HELD_BEFORE_ITS_END: _row(
        _V.IGNORE, "A payment that was let go does not come back: what it says now, it was before."
    ),
    _E.ANOTHER_AMOUNT: _row(
        _V.REVIEW, "Neither too little nor too much is a payment of this order."
    ),
    _E.ANOTHER_TRANSACTION: _row(
        _V.REVIEW, "It is no payment of this order; somebody mixed something up."
    ),
    _E.ANOTHER_KIND: _row(_V.REVIEW, "The provider did something else than we asked for."),
    _E.DECLINED: _row(
        _V.KEEP,
        "No money moved, and the order does not wait for it.",
        awaiting_payment=(_V.FAIL, "The order has no other payment."),
    ),
    _E.ALREADY_USED: _row(
        _V.IGNORE,
        "The other order has it; what this one knows of its own payment stands.",
        awaiting_payment=(_V.FAIL, "One payment never pays two orders: here it is a refusal."),
        cancelled=(_V.KEEP, "One payment never pays two orders: nothing is to be given back."),
    ),
    _E.NEVER_HAPPENED: _row(
        _V.KEEP,
        "No money moved, and the order does not wait for it.",
        awaiting_payment=(_V.FAIL, "The order has no other payment."),
    ),
    _E.DECLINED_AFTERWARDS: _row(
        _V.IGNORE, "It is about another try; the money that moved does not move back by it."
    ),
    _E.REFUSED_AFTER_ALL: _row(
        _V.REVIEW,
        "The provider's word is against a person's; which is true, he finds out. Until he has said "
        "so, nothing of it is given back.",
    ),
    _E.HOLD_ENDED: _row(
        _V.KEEP, "The hold is gone and was not taken; the order is unpaid and cancellable."
    ),
    _E.VOIDED: _row(
        _V.KEEP,
        "The hold is given up, as was asked.",
        awaiting_payment=(_V.FAIL, "The buyer cannot pay any more."),
    ),
    _E.VOIDED_AFTER_SUCCESS: _row(
        _V.REVIEW, "Taken and let go at once cannot be; which is true, a person finds out."
    ),
    _E.VOIDED_UNASKED: _row(_V.REVIEW, _NOT_ASKED),
    _E.NOT_LET_GO: _row(
        _V.REVIEW,
        "The hold may stand still; whether it does, and the shop wants it, a person finds out.",
        **_ended(_V.REFUND, "A hold for an order that is dead is given up, by a void of its own."),
    ),
    _E.REFUNDED: _row(_V.KEEP, "The money is back with the buyer, as was asked."),
    _E.REFUNDED_UNASKED: _row(
        _V.KEEP, "It is booked as the provider's own; a refund of ours gives back the rest."
    ),
    _E.REFUNDED_BEYOND: _row(_V.REVIEW, "More went back than was left."),
    _E.REFUND_FAILED_UNASKED: _row(
        _V.KEEP, "Nothing went back, and whoever made it is told there; told late, it stays undone."
    ),
    _E.REFUND_RETURNED: _row(
        _V.REVIEW, "The money is ours again and still owed; how it gets there, a person decides."
    ),
    _E.DISPUTE_OPENED: _row(
        _V.REVIEW,
        "The bank may give the money back, so nobody else does until the dispute is over.",
    ),
    _E.DISPUTE_LOST: _row(
        _V.REVIEW, "The buyer has the money back; what becomes of the order, a person decides."
    ),
    _E.DISPUTE_WON: _row(
        _V.KEEP,
        "The money is the order's again.",
        **_ended(_V.REFUND, "The order is dead, so the money that came back is owed."),
    ),
    _E.UNKNOWN_TRANSACTION: _row(
        _V.REVIEW, "No order changes; the event is kept, and a person looks. Nothing is refunded."
    ),
    _E.OTHER_INSTALLATION: _row(_V.IGNORE, "It is not ours."),
}
"""Every event, and for each what follows in each status of an order."""


def cell(event: MoneyEvent, status: OrderStatus) -> Cell:
    """What the table says about this news for an order of this status."""
    return LATE_MONEY[event][status]
