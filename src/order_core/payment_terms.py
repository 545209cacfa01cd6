"""How long a movement of money may be sent, waited for and asked about."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from order_core.payment import TransactionKind

ALL_KINDS = frozenset(TransactionKind) - {TransactionKind.REVERSAL}


class CaptureMode(StrEnum):
    """When the money of an order is taken."""

    IMMEDIATE = "immediate"
    """At once, by a charge."""
    ON_PROCESSING = "on_processing"
    """It is held at once, and taken when the order begins to be processed."""


class CaptureLate(StrEnum):
    """What becomes of an order that is not processed before its authorization ends."""

    CANCEL = "cancel"
    CAPTURE = "capture"


CAPTURE_MARGIN = timedelta(hours=24)
"""So long before an authorization ends, somebody decides about it."""


def decided_by(hold_ends: datetime | None, *, now: datetime) -> datetime:
    """When somebody must decide about a hold, before it ends by itself.

    If nobody says when that is, a look-up may.
    """
    return max(hold_ends - CAPTURE_MARGIN, now) if hold_ends else now


@dataclass(frozen=True, slots=True)
class GatewayProfile:
    """What a gateway declares about itself and its provider."""

    provider: str
    account: str
    """Names the provider's account and mode; look-ups in another one prove nothing."""
    request_version: str = "1"
    call_budget: timedelta = timedelta(seconds=20)
    """Every call of the gateway ends within this time."""
    key_life: timedelta = timedelta(hours=1)
    """How long the provider remembers an idempotency key, counted from our record.
    The default is for providers that do not publish it."""
    horizon: timedelta = timedelta(minutes=30)
    """After this long a request that we gave up cannot arrive any more, and look-ups are
    complete."""
    looks_up: frozenset[TransactionKind] = ALL_KINDS
    """The kinds of movement that `look_up` can find; the others end in review, never in failed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the shop decides. Every duration has a default that is safe with every gateway."""

    installation: str = "default"
    default_currency: str = "USD"
    charge_window: timedelta = timedelta(minutes=10)
    """A charge is sent, first or again, only within this time after its record."""
    action_expiry: timedelta = timedelta(minutes=30)
    """How long the buyer may take to approve a payment."""
    recovery_delay: timedelta = timedelta(seconds=30)
    """When the worker first looks after a movement that its request did not finish."""
    duplicate_window: timedelta = timedelta(seconds=10)
    """An equal order within this time is taken for a double click; zero switches it off."""
    request_deadline: timedelta = timedelta(seconds=10)
    """How long one request goes on trying before it leaves the rest to the worker."""
    capture: CaptureMode = CaptureMode.IMMEDIATE
    capture_late: CaptureLate = CaptureLate.CANCEL
    wait_for_first: timedelta = timedelta(seconds=5)
    """How long a repeated request waits for the first one's answer."""
    lease_margin: timedelta = timedelta(seconds=5)
    clock_skew: timedelta = timedelta(seconds=30)
    """The clocks of any two processes differ by less than this. Nothing is concluded from
    absence until this much later than our own clock would allow."""


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """The gateway's profile and the shop's policy, as the rules of one payment.

    Raises:
        ValueError: the windows do not fit: a charge could still arrive when the provider
            has forgotten its key, and would be made twice.
    """

    gateway: GatewayProfile
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        window, horizon = self.policy.charge_window, self.gateway.horizon
        skew = self.policy.clock_skew
        if window + horizon + skew >= self.gateway.key_life:
            raise ValueError(
                f"{self.gateway.provider}: the charge window ({window}), the horizon "
                f"({horizon}) and the clock skew ({skew}) must together be shorter than the "
                f"life of a key ({self.gateway.key_life})"
            )

    def charge_sent_until(self, recorded_at: datetime) -> datetime:
        return recorded_at + self.policy.charge_window

    def reversal_sent_until(self, recorded_at: datetime) -> datetime:
        # Another process may send it, and its clock may be behind ours.
        margin = self.gateway.horizon + self.policy.clock_skew
        return recorded_at + self.gateway.key_life - margin

    def first_attended_at(self, recorded_at: datetime) -> datetime:
        return recorded_at + self.policy.recovery_delay

    @property
    def lease(self) -> timedelta:
        """How long whoever sends a movement holds the order."""
        return self.policy.request_deadline + self.gateway.call_budget + self.policy.lease_margin
