"""What a payment provider can answer, as far as the core cares: exactly one of these.

    the money                 Succeeded, Authorized
    a certain no              Declined
    not yet                   ActionRequired, Pending, Continue
    it certainly did not run  NotSent, RateLimited, InProgress (that one: it runs already)
    nobody knows              OutcomeUnknown

A lost connection, a time-out, a 5xx or an unreadable answer is `OutcomeUnknown`,
never `Declined`: the money may have moved.
"""

from dataclasses import dataclass, field
from datetime import datetime

from order_core.money import Money


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider says that the money moved (for a void: that the hold is gone).

    `reference` is the provider's id of the movement, `transaction_id` ours as the
    provider stored it; a success that names another transaction is not ours.
    """

    reference: str
    amount: Money
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Authorized:
    """The provider holds the amount until `capture_before`, and will hand it out on capture."""

    reference: str
    amount: Money
    transaction_id: str
    capture_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider says no, and its object is dead: it can never succeed later.

    `reason` is a stable word (`insufficient_funds`); `retryable` says whether the same
    movement, under a new key, may be answered differently.
    """

    reason: str
    retryable: bool = False
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ActionRequired:
    """The buyer must act: open `url`, or hand `client_secret` to the provider's page script."""

    reference: str
    url: str | None = None
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """An asynchronous method took the request; the answer comes later."""

    reference: str


@dataclass(frozen=True, slots=True)
class Continue:
    """One of several requests is done, and moved no money; call again for the next."""

    reference: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly did not run.

    No byte left and none can leave any more, or the provider
    refused to look at us; `because` then begins with `misconfigured`.
    """

    because: str


@dataclass(frozen=True, slots=True)
class RateLimited:
    """The provider refused to look at the request."""

    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class InProgress:
    """The provider is working on an earlier request with this key."""


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """We asked and heard no clear answer. The money may have moved.

    `answered` says that the provider is well and answered this request: an answer to one
    order, which says nothing about the next. What it means for the movement is the same.
    """

    because: str
    answered: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Reversed:
    """Money that had moved is gone again: a dispute, a returned refund, a reversed capture.

    `open` says that it may still come back (a dispute that is not decided). Only a webhook
    or a reconciliation brings this; it is no answer to a request.
    """

    reference: str
    amount: Money
    because: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """What was `Reversed` under this reference is ours again: a dispute that was won."""

    reference: str
    amount: Money
    because: str


Outcome = (
    Succeeded
    | Authorized
    | Declined
    | ActionRequired
    | Pending
    | Continue
    | NotSent
    | RateLimited
    | InProgress
    | OutcomeUnknown
)


@dataclass(frozen=True, slots=True)
class NotFound:
    """A look-up found no trace of the movement. It is no proof by itself: see `Absence`.

    `by_id` says that the provider does not even know the object whose id it gave us: the
    account or mode is another one by now, so this proves nothing at any time.
    """

    by_id: bool = False


# How an outcome reached us. The same words weigh differently: a decline that answers the
# only send of a key is final, the same decline after a second send may be an echo.


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway's direct answer to send number `send` (1 is the first) of step `step`."""

    outcome: Outcome
    send: int
    step: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """A look-up or webhook that shows the provider's own record of the movement.

    `asked_at` is when the look-up was made; None for an event, which may be of any age.
    `of_payment` is the provider's reference of the payment to which an event says that it was done,
    `returned_as` that of the return, if the outcome is that a refund came back: some providers
    name it as they do the refund, some by itself.
    """

    outcome: Outcome
    asked_at: datetime | None = None
    of_payment: str | None = None
    returned_as: str | None = None

    @property
    def was_told(self) -> bool:
        """Whether an event brought it."""
        return self.asked_at is None


@dataclass(frozen=True, slots=True)
class Absence:
    """A look-up, asked at `asked_at`, that found nothing."""

    asked_at: datetime


Fact = Answer | Report | Absence
