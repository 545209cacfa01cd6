"""The small worlds that are explored."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode, Policy
from order_explorer.acts import (
    agreeing,
    an_order_exists,
    approving,
    cancelling,
    letting_go,
    placing,
    placing_without_luck,
    processing,
    provider_was_asked,
    refunding,
    refunding_at_the_dashboard,
    telling,
    telling_of_another_try,
    telling_of_the_page,
    work_is_due,
    working,
)
from order_explorer.scenario import Participant, Scenario
from order_memory.reactions import LOSE_ANSWER, LOSE_REQUEST

_CHARGE = TransactionKind.CHARGE
_POLICY: Final = Policy(
    # Waiting is folded to a turn or two: a longer wait only looks again at the same thing.
    wait_for_first=timedelta(milliseconds=30),
    request_deadline=timedelta(milliseconds=250),
)
_HOLD: Final = TransactionKind.AUTHORIZATION
_HOLDING: Final = replace(_POLICY, capture=CaptureMode.ON_PROCESSING)
_ORDER: Final = "before-000001"
"""The order that the prologue placed."""


def _worker(name: str = "worker", rounds: int = 1) -> Participant:
    return Participant(name, working, rounds=rounds, begins=work_is_due, concludes=True)


def _event(kind: TransactionKind = _CHARGE, *, rounds: int = 1) -> Participant:
    return Participant("webhook", telling(kind), rounds=rounds, begins=provider_was_asked)


_SHORT: Final = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=39, seconds=50),
    timedelta(minutes=41),
)
"""For worlds with many participants: now; the worker looks; what was given up may arrive for the
last time; it cannot, and its absence is proof."""


_AGAIN_IN_TIME: Final = (timedelta(0), timedelta(minutes=1), timedelta(minutes=2), _SHORT[-1])
"""For worlds in which a second worker comes before the first one's window has closed."""


SCENARIOS: Final = (
    Scenario(
        "two-creates",
        "Two requests with one key, at once.",
        (
            Participant("first", placing(again=True)),
            Participant("second", placing(again=True)),
            _worker(),
        ),
        policy=_POLICY,
    ),
    Scenario(
        "create-retry-worker",
        "A request, its own retry, and the worker.",
        (
            Participant("client", placing(again=True)),
            Participant("retry", placing(again=True)),
            _worker(rounds=3),
        ),
        policy=_POLICY,
    ),
    Scenario(
        "create-webhook-worker",
        "A request, the provider's word about it, and the worker.",
        (
            Participant("client", placing()),
            _event(),
            _worker(rounds=3),
        ),
        policy=_POLICY,
    ),
    Scenario(
        "create-other-try",
        "A request, the decline of another try of the same payment, and the worker.",
        (
            Participant("client", placing()),
            Participant("other-try", telling_of_another_try, begins=provider_was_asked),
            _worker(rounds=2),
        ),
        policy=_POLICY,
        large=True,
    ),
    Scenario(
        "two-steps-worker",
        "A payment that takes two requests, and the worker.",
        (
            Participant("client", placing("two_step")),
            _worker(rounds=3),
        ),
        policy=_POLICY,
        large=True,
    ),
    Scenario(
        "declined-then-new",
        "A declined order, then a new one with a new key.",
        (
            Participant("client", placing("declined")),
            Participant("anew", placing(key="another"), after=("client",)),
            _worker(),
        ),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "two-cancels",
        "Two cancellations of a paid order.",
        (
            Participant("cancel", cancelling(_ORDER)),
            Participant("again", cancelling(_ORDER)),
            _worker(),
        ),
        prologue=(placing(),),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "create-cancel-worker",
        "A request whose order is cancelled while its charge is open.",
        (
            Participant("client", placing()),
            Participant("cancel", cancelling("client-000001"), begins=an_order_exists),
            _worker(),
        ),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "cancel-process",
        "The customer cancels while staff begins to process.",
        (
            Participant("cancel", cancelling(_ORDER)),
            Participant("staff", processing(_ORDER)),
            _worker(),
        ),
        prologue=(placing(),),
        policy=_POLICY,
        moments=_SHORT,
    ),
    Scenario(
        "cancel-late-webhook",
        "A cancellation of an order whose charge is open, and a late success.",
        (
            Participant("cancel", cancelling(_ORDER)),
            _event(),
            _worker(),
        ),
        prologue=(placing_without_luck(LOSE_ANSWER),),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "two-refunds",
        "Two partial refunds that together are more than was taken.",
        (
            Participant("first", refunding(_ORDER, 1500)),
            Participant("second", refunding(_ORDER, 1500)),
            _worker(),
        ),
        prologue=(placing(),),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "equal-refunds",
        "Two equal partial refunds, of which a third would be one too many.",
        (
            Participant("first", refunding(_ORDER, 1000)),
            Participant("second", refunding(_ORDER, 1000)),
        ),
        prologue=(placing(),),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "dashboard-refund",
        "A refund at the provider's dashboard beside ours.",
        (
            Participant("staff", refunding(_ORDER, 1500)),
            Participant("dashboard", refunding_at_the_dashboard(1500), mortal=False),
            Participant(
                "webhook",
                telling(TransactionKind.REFUND, at_the_dashboard=True),
                # One more than there are faults at the most: it is delivered until it is heard.
                rounds=4,
                until_heard=True,
                after=("dashboard",),
                begins=provider_was_asked,
            ),
        ),
        prologue=(placing(),),
        policy=_POLICY,
        must_end=("dashboard", "webhook"),
        may_end_in_review=True,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "two-workers",
        "Two workers on one transaction.",
        (
            _worker("one", rounds=2),
            _worker("two", rounds=1),
        ),
        prologue=(placing_without_luck(LOSE_REQUEST),),
        policy=_POLICY,
    ),
    Scenario(
        "one-token-two-orders",
        "One single-use token in two orders.",
        (
            Participant("ann", placing("once_t")),
            Participant("bob", placing("once_t", customer="bob", key="bobs")),
            _worker(),
        ),
        policy=_POLICY,
    ),
    Scenario(
        "capture-void",
        "A hold is captured for processing while the customer cancels.",
        (
            Participant("staff", processing(_ORDER)),
            Participant("cancel", cancelling(_ORDER)),
            _worker(),
        ),
        prologue=(placing(),),
        policy=_HOLDING,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "expiry-approval",
        "The buyer completes a payment while it expires.",
        (
            Participant("buyer", approving, mortal=False),
            _event(),
            _worker(rounds=2),
        ),
        prologue=(placing("action_required"),),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "expiry-agreement",
        "The buyer agrees that the shop takes the money, while the payment expires.",
        (
            Participant("buyer", agreeing, mortal=False),
            _event(),
            _worker(rounds=2),
        ),
        prologue=(placing("action_required"),),
        policy=_POLICY,
        moments=_SHORT,
        large=True,
    ),
    Scenario(
        "agreement-old-news",
        "The buyer has agreed, two workers take the money, and old news of his page comes.",
        (
            Participant("old-news", telling_of_the_page, mortal=False),
            _worker("one"),
            _worker("two"),
        ),
        prologue=(placing("action_required"), agreeing),
        policy=_POLICY,
        moments=_AGAIN_IN_TIME,
        large=True,
    ),
    Scenario(
        "hold-ends",
        "A hold ends at the provider, and that it began is told before or after.",
        (
            Participant("provider", letting_go, mortal=False),
            Participant("old-news", telling(_HOLD), begins=provider_was_asked),
            Participant("news", telling(_HOLD), begins=provider_was_asked, after=("provider",)),
        ),
        prologue=(placing(),),
        policy=_HOLDING,
        moments=_SHORT,
    ),
    Scenario(
        "two-processes",
        "Staff asks twice for the processing of an order whose money is held.",
        (
            Participant("staff", processing(_ORDER)),
            Participant("again", processing(_ORDER)),
        ),
        prologue=(placing(),),
        policy=_HOLDING,
        moments=_SHORT,
    ),
)
"""Every scenario that is explored, by name."""
