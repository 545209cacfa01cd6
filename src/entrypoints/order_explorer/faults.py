"""What can go wrong at one call, and what the caller then hears."""

from dataclasses import replace
from enum import Enum
from typing import Final

from order_core.errors import CommitUnknown, StoreUnavailable
from order_core.outcomes import OutcomeUnknown
from order_explorer.steps import Call, Raised
from order_memory.reactions import Delivery, Effect, Reaction


class Fault(Enum):
    """One stroke of bad luck. Its value is how a replay writes it."""

    NONE = ""
    CRASH = "crash"
    """The caller dies as soon as the call has had its effect."""
    LOST_REQUEST = "lost-request"
    LOST_ANSWER = "lost-answer"
    LOST_COMMIT = "lost-commit"
    """The store does not know whether it kept the change. It did not."""
    LATE_REQUEST = "late-request"
    """The caller gives up, and the request arrives when it likes, within the horizon."""
    ERROR_BEFORE = "error-before"
    """A 5xx that the provider remembers as the answer to this key; nothing was done."""
    ERROR_AFTER = "error-after"
    """The same, and it was done."""
    ECHO_DECLINED = "echo-declined"
    """The provider refuses the request for being like one that it has answered."""
    NOT_SENT = "not-sent"
    LOOK_UP_BEHIND = "look-up-behind"
    """The provider does not show yet what it has done; it does once the horizon is past."""
    PAUSE = "pause"
    """Time passes although somebody is in the middle of something."""
    SLOW_CLOCK = "slow-clock"
    """The clock of somebody who begins is behind everybody else's."""
    FAST_CLOCK = "fast-clock"
    """It is ahead."""


_OF_A_SEND: Final = (
    Fault.LOST_REQUEST,
    Fault.LOST_ANSWER,
    Fault.LATE_REQUEST,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.ECHO_DECLINED,
    Fault.NOT_SENT,
)
_OF_A_WRITE: Final = (Fault.LOST_REQUEST, Fault.LOST_ANSWER)
_OF_A_COMMIT: Final = (*_OF_A_WRITE, Fault.LOST_COMMIT)
_OF_A_READ: Final = (Fault.LOST_REQUEST,)
_AT: Final = {
    ("gateway", "send"): _OF_A_SEND,
    ("gateway", "look_up"): (Fault.LOST_REQUEST, Fault.LOOK_UP_BEHIND),
    ("orders", "save"): _OF_A_COMMIT,
    ("orders", "receive"): _OF_A_COMMIT,
    ("work", "claim"): _OF_A_WRITE,
    ("work", "release"): _OF_A_READ,
}


def faults_at(call: Call) -> tuple[Fault, ...]:
    """What may befall this call, crashes and pauses not counted."""
    if call.port in {"clock", "provider"}:
        return ()
    return _AT.get((call.port, call.method), _OF_A_READ)


def has_effect(fault: Fault) -> bool:
    """Whether the call reaches store or provider."""
    return fault not in {Fault.LOST_REQUEST, Fault.LOST_COMMIT}


def heard_instead(call: Call, fault: Fault) -> object | None:
    """What the caller hears in place of the true answer; None if it hears that."""
    if call.port == "gateway":
        unheard = fault is Fault.LOST_REQUEST and call.method == "look_up"
        return OutcomeUnknown("could_not_ask") if unheard else None
    if fault is Fault.LOST_REQUEST:
        return Raised(StoreUnavailable("The store did not answer."))
    if fault is Fault.LOST_COMMIT:
        return Raised(CommitUnknown("The store does not know whether it kept this."))
    if fault is Fault.LOST_ANSWER:
        write = call.method in {"save", "receive"}
        lost = CommitUnknown if write else StoreUnavailable
        return Raised(lost("The store's answer was lost."))
    return None


_REACTIONS: Final = {
    Fault.LOST_REQUEST: (Effect.NOTHING, Delivery.REQUEST_LOST),
    Fault.LOST_ANSWER: (None, Delivery.ANSWER_LOST),
    Fault.LATE_REQUEST: (None, Delivery.REQUEST_LATE),
    Fault.ERROR_BEFORE: (Effect.NOTHING, Delivery.SERVER_ERROR),
    Fault.ERROR_AFTER: (None, Delivery.SERVER_ERROR),
    Fault.ECHO_DECLINED: (None, Delivery.ECHO_DECLINED),
    Fault.NOT_SENT: (Effect.NOTHING, Delivery.NOT_SENT),
}


def reaction_under(fault: Fault, usual: Reaction) -> Reaction:
    """How the provider meets a request that this fault befalls."""
    if fault not in _REACTIONS:
        return usual
    effect, delivery = _REACTIONS[fault]
    return replace(usual, effect=effect or usual.effect, delivery=delivery)
