"""What a scripted provider can be told to do with a request."""

from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final


class Effect(Enum):
    """What happens at the provider."""

    OBEY = auto()
    """It does what it is asked, as far as its own rules allow: no refund above the capture."""
    DECLINE = auto()
    ASK_BUYER = auto()
    WAIT = auto()
    FIRST_STEP = auto()
    """It notes the wish and moves nothing; the second step then obeys."""
    WRONG_AMOUNT = auto()
    """It moves one minor unit more than it was asked to."""
    NOTHING = auto()


class Delivery(Enum):
    """What becomes of the request on its way, and of the answer on its way back."""

    ANSWERED = auto()
    REQUEST_LOST = auto()
    REQUEST_LATE = auto()
    """It arrives when the test says so, long after its sender gave up."""
    ANSWER_LOST = auto()
    SERVER_ERROR = auto()
    """A 5xx, which the provider remembers as the answer to this key."""
    ECHO_DECLINED = auto()
    """If it is the echo of a request that was answered, it is declined for being one; some
    providers do that in place of repeating their answer."""
    NOT_SENT = auto()
    RATE_LIMITED = auto()
    IN_PROGRESS = auto()


@dataclass(frozen=True, slots=True)
class Reaction:
    """How the provider meets one request."""

    effect: Effect = Effect.OBEY
    delivery: Delivery = Delivery.ANSWERED
    reason: str = "declined"
    retryable: bool = False


OBEY: Final = Reaction()
ASK_BUYER: Final = Reaction(Effect.ASK_BUYER)
WAIT: Final = Reaction(Effect.WAIT)
TWO_STEPS: Final = Reaction(Effect.FIRST_STEP)
WRONG_AMOUNT: Final = Reaction(Effect.WRONG_AMOUNT)
LOSE_REQUEST: Final = Reaction(Effect.NOTHING, Delivery.REQUEST_LOST)
DELAY_REQUEST: Final = Reaction(Effect.OBEY, Delivery.REQUEST_LATE)
LOSE_ANSWER: Final = Reaction(Effect.OBEY, Delivery.ANSWER_LOST)
FAIL_BEFORE: Final = Reaction(Effect.NOTHING, Delivery.SERVER_ERROR)
FAIL_AFTER: Final = Reaction(Effect.OBEY, Delivery.SERVER_ERROR)
NOT_SEND: Final = Reaction(Effect.NOTHING, Delivery.NOT_SENT)
LIMIT_RATE: Final = Reaction(Effect.NOTHING, Delivery.RATE_LIMITED)
SAY_IN_PROGRESS: Final = Reaction(Effect.NOTHING, Delivery.IN_PROGRESS)


def decline(reason: str = "declined", *, retryable: bool = False) -> Reaction:
    """A certain no."""
    return Reaction(Effect.DECLINE, reason=reason, retryable=retryable)


TOKENS: Final = MappingProxyType(
    {
        "ok": OBEY,
        "declined": decline(),
        "insufficient_funds": decline("insufficient_funds", retryable=True),
        "action_required": ASK_BUYER,
        "pending": WAIT,
        "two_step": TWO_STEPS,
        "wrong_amount": WRONG_AMOUNT,
        "lost_request": LOSE_REQUEST,
        "late_request": DELAY_REQUEST,
        "lost_answer": LOSE_ANSWER,
        "error_before": FAIL_BEFORE,
        "error_after": FAIL_AFTER,
        "not_sent": NOT_SEND,
        "rate_limited": LIMIT_RATE,
        "in_progress": SAY_IN_PROGRESS,
    }
)
"""The payment methods of the scripted provider, and what it does with each."""

SINGLE_USE: Final = "once_"
"""Tokens that begin like this are obeyed, once: `once_ann`, `once_bob`, ..."""
