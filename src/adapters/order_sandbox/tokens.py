"""The sandbox's payment methods, and what the pretended provider does with each."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Effect(StrEnum):
    """What happens in the provider's books."""

    PAY = "pay"
    """What was asked for, by the rules: no refund above the capture."""
    PAY_WRONG_AMOUNT = "pay_wrong_amount"
    DECLINE = "decline"
    ASK_BUYER = "ask_buyer"
    WAIT_THEN_PAY = "wait_then_pay"
    WAIT_THEN_DECLINE = "wait_then_decline"
    FIRST_STEP = "first_step"
    NOTHING = "nothing"


class Way(StrEnum):
    """What becomes of the request and of its answer on their way."""

    ANSWERED = "answered"
    SLOW = "slow"
    SERVER_ERROR = "server_error"
    UNREADABLE = "unreadable"
    ANSWER_LOST = "answer_lost"
    REQUEST_LOST = "request_lost"
    NOT_SENT = "not_sent"
    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_ONCE = "rate_limited_once"
    IN_PROGRESS_ONCE = "in_progress_once"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a token makes the provider do with a charge, and with the refund of it."""

    meaning: str
    effect: Effect = Effect.PAY
    way: Way = Way.ANSWERED
    reason: str = "declined"
    retryable: bool = False
    refund_effect: Effect = Effect.PAY
    refund_way: Way = Way.ANSWERED


PAYS: Final = Behaviour("is paid at once")

TOKENS: Final = MappingProxyType(
    {
        "ok": PAYS,
        "declined": Behaviour("is declined", Effect.DECLINE),
        "insufficient_funds": Behaviour(
            "is declined; another try may work",
            Effect.DECLINE,
            reason="insufficient_funds",
            retryable=True,
        ),
        "expired_card": Behaviour("is declined", Effect.DECLINE, reason="expired_card"),
        "action_required": Behaviour("waits until the buyer approves or refuses", Effect.ASK_BUYER),
        "pending": Behaviour("is paid after a while", Effect.WAIT_THEN_PAY),
        "pending_then_declined": Behaviour(
            "is declined after a while", Effect.WAIT_THEN_DECLINE, reason="bank_refused"
        ),
        "two_step": Behaviour("is paid by the second request", Effect.FIRST_STEP),
        "slow": Behaviour("is paid, after three seconds", way=Way.SLOW),
        "unknown": Behaviour("ends in a 5xx; nothing is paid", Effect.NOTHING, Way.SERVER_ERROR),
        "unknown_after_charge": Behaviour("is paid, and ends in a 5xx", way=Way.SERVER_ERROR),
        "timeout_before_charge": Behaviour(
            "never arrives; nobody answers", Effect.NOTHING, Way.REQUEST_LOST
        ),
        "timeout_after_charge": Behaviour("is paid; nobody answers", way=Way.ANSWER_LOST),
        "garbage": Behaviour("is paid; the answer cannot be read", way=Way.UNREADABLE),
        "rate_limited": Behaviour("is always sent away", Effect.NOTHING, Way.RATE_LIMITED),
        "rate_limited_once": Behaviour("is sent away once, then paid", way=Way.RATE_LIMITED_ONCE),
        "in_progress_once": Behaviour(
            "is said to run already, then paid", way=Way.IN_PROGRESS_ONCE
        ),
        "not_sent": Behaviour("is never sent", Effect.NOTHING, Way.NOT_SENT),
        "wrong_amount": Behaviour("is paid, one minor unit too much", Effect.PAY_WRONG_AMOUNT),
        "refund_declined": Behaviour("is paid; no refund is given", refund_effect=Effect.DECLINE),
        "refund_unknown": Behaviour(
            "is paid; its refund happens and ends in a 5xx", refund_way=Way.SERVER_ERROR
        ),
    }
)
"""Token -> what it does. `order-core` documents the sandbox from this table."""

SINGLE_USE: Final = "once_"
"""Tokens that begin like this are paid, once; after that they are declined."""
