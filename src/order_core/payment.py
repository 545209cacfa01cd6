"""A movement of money, from the wish to the provider's final word."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from order_core.immutable import replace
from order_core.money import Money


class TransactionKind(StrEnum):
    """What is done to the money."""

    CHARGE = "charge"
    """Take the money at once."""
    AUTHORIZATION = "authorization"
    """Hold the money now, capture it later."""
    CAPTURE = "capture"
    VOID = "void"
    """Give up a hold, or a payment that the buyer has not completed."""
    REFUND = "refund"
    REVERSAL = "reversal"
    """Money that the provider moved back without being asked: a dispute, a returned refund.
    The end of a dispute is one more, of the same reference."""


class TransactionStatus(StrEnum):
    """How far a movement has come."""

    RECORDED = "recorded"
    """Stored; being sent, or about to be."""
    UNKNOWN = "unknown"
    """We asked and heard no clear answer. The money may have moved."""
    ACTION_REQUIRED = "action_required"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    AUTHORIZED = "authorized"
    DECLINED = "declined"
    FAILED = "failed"
    """It never happened, and this is proven."""
    VOIDED = "voided"
    IN_REVIEW = "in_review"
    """The provider did something that we did not ask for; a person decides."""


OPEN_STATUSES: Final = frozenset(
    {
        TransactionStatus.RECORDED,
        TransactionStatus.UNKNOWN,
        TransactionStatus.ACTION_REQUIRED,
        TransactionStatus.PENDING,
    }
)
"""Not final: somebody still has to ask or to be told."""

_SENDABLE: Final = frozenset({TransactionStatus.RECORDED, TransactionStatus.UNKNOWN})

_HELD: Final = frozenset({TransactionStatus.AUTHORIZED, TransactionStatus.ACTION_REQUIRED})

DEAD_STATUSES: Final = frozenset(
    {TransactionStatus.DECLINED, TransactionStatus.FAILED, TransactionStatus.VOIDED}
)
"""Final, and no money moved (or it was let go)."""

TAKING_KINDS: Final = frozenset({TransactionKind.CHARGE, TransactionKind.AUTHORIZATION})
"""The kinds that begin a payment. An order has one live one of ours at most."""

_TAKES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})

DISPUTE_OPEN: Final = "dispute_open"
DISPUTE_LOST: Final = "dispute_lost"
DISPUTE_WON: Final = "dispute_won"
"""The reason of a reversal of a payment: how far the dispute had come that it tells of."""

REFUNDED_OTHERWISE: Final = "refunded_otherwise"
"""The reason of a refund that was refused, or of its return, once its buyer has got the money
another way than through the provider."""

RETURNED: Final = "refund_returned:"
"""How the reason begins of a refund that had been made and came back, whose making may not have
been told yet; the provider's own word follows."""

LATE: Final = "late"
"""The reason of a capture that nobody asked for: the authorization was about to end."""

NO_LOOK_UP: Final = "provider_has_no_look_up"
"""Why a movement is in review that nobody can ask about any more."""

NOT_IN_THIS_ACCOUNT: Final = "not_in_this_account"
"""Why one is whose object the provider does not know, though it named it once."""

ANOTHERS_IS_SHOWN: Final = "anothers_payment_is_shown"
"""Why one is in whose place every look-up shows what carries another's mark."""

TOLD_WITHOUT_MARK: Final = "told_without_our_mark"
"""The reason of a refund that was done, and has its name from an event that did not say whose it
is: a word with our mark may say otherwise yet."""

ONE_WAS_REFUSED: Final = "one_of_several_was_refused"
"""Why several refunds are that were accepted unseen: the provider refused one, and did not say
which."""

_GIVEN_UP: Final = frozenset({NO_LOOK_UP, NOT_IN_THIS_ACCOUNT, ANOTHERS_IS_SHOWN})


class Origin(StrEnum):
    """Who wanted it."""

    OURS = "ours"
    PROVIDER = "provider"
    """A fact that the provider brought and that we never asked for."""


@dataclass(frozen=True, slots=True)
class PaymentTransaction:
    """One movement of money, with everything that its request to the provider contains.

    A gateway builds the request from this record alone, so that a replay is identical
    whatever was deployed since.
    """

    id: str
    """Also metadata at the provider: at most 40 characters."""
    order_id: str
    customer_id: str
    kind: TransactionKind
    amount: Money
    provider: str
    account: str
    """The provider account that the request goes to; a look-up elsewhere proves nothing."""
    installation: str
    """Tells our transactions from those of another installation on the same account."""
    request_version: str
    """The form of the gateway's request at the time of the record."""
    recorded_at: datetime
    send_until: datetime
    """No byte of a request may leave from here on."""
    horizon: timedelta
    """After this long, a request that we gave up cannot arrive, and look-ups are complete."""
    status: TransactionStatus = TransactionStatus.RECORDED
    origin: Origin = Origin.OURS
    token: str | None = field(default=None, repr=False)
    """The payment method at the provider; erased when the transaction is final."""
    single_use_fingerprint: str | None = None
    """Of a token that pays once. It may stand in only one charge that is alive."""
    return_url: str | None = None
    parent_id: str | None = None
    """The charge or authorization that this captures, voids or refunds."""
    parent_reference: str | None = None
    provider_reference: str | None = None
    step: int = 1
    """Which request of a movement that needs several is due."""
    sends: int = 0
    """How many times this step was sent, or was about to be."""
    never_ran: int = 0
    """So many of those sends, the first ones, are known never to have run at the provider."""
    last_send_at: datetime | None = None
    attempts: int = 0
    """How often the worker looked after it."""
    attend_at: datetime | None = None
    """When the worker looks after it next; None when there is nothing left to do."""
    reason: str | None = None
    """Why it was declined, failed, is unknown or in review: a stable word."""
    retryable: bool = False
    review: str | None = None
    """Which rule of ours this fact breaks, until a person has looked at it."""
    action_url: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    action_expires_at: datetime | None = None
    capture_before: datetime | None = None
    provider_sequence: int | None = None
    """Of what the provider told by itself: its place among the provider's words on this
    reference, by the provider's own time or count. The greater is the later."""

    @property
    def key(self) -> str:
        """The provider's idempotency key of the step that is due: at most 45 ASCII characters."""
        return self.id if self.step == 1 else f"{self.id}-{self.step}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_given_up(self) -> bool:
        """In review only because the provider could not be asked, or did not show it."""
        return self.status is TransactionStatus.IN_REVIEW and self.review in _GIVEN_UP

    @property
    def took_money(self) -> bool:
        """Whether it is a charge or capture that succeeded, whatever went back of it."""
        return self.kind in _TAKES and self.status is TransactionStatus.SUCCEEDED

    @property
    def is_done_unseen(self) -> bool:
        """Done by a person's word alone: the provider has not shown it so."""
        # What the provider shows has no reason any more; of a late capture the first one is kept.
        given_up = self.reason in _GIVEN_UP or self.reason == LATE
        holds = self.kind is TransactionKind.AUTHORIZATION
        done = self.status is TransactionStatus.SUCCEEDED and not holds
        return done and (self.provider_reference is None or given_up)

    @property
    def is_taken_unseen(self) -> bool:
        """Taken by a person's word alone."""
        return self.took_money and self.is_done_unseen

    @property
    def is_undecided(self) -> bool:
        """Open, or given up: facts are welcome."""
        return self.is_open or self.is_given_up

    @property
    def is_live(self) -> bool:
        """Open, or final with money moved or held."""
        return self.status not in DEAD_STATUSES

    @property
    def is_held(self) -> bool:
        """The money is not taken but can be: held, or waiting for the buyer's approval."""
        return self.takes_money and self.status in _HELD

    @property
    def _is_doubted_for_another(self) -> bool:
        # A doubt about what is open, or held as we asked, is about something else than what
        # becomes of it, and is a person's still when that is known.
        held = self.status is TransactionStatus.AUTHORIZED and self.origin is Origin.OURS
        return self.is_open or held

    @property
    def takes_money(self) -> bool:
        return self.kind in TAKING_KINDS

    @property
    def is_beside_ours(self) -> bool:
        """A payment that the provider made of a request of ours, beside the one we know."""
        return self.origin is Origin.PROVIDER and self.takes_money

    def may_be_sent_at(self, now: datetime) -> bool:
        """Whether a request may still leave at `now`."""
        return self.status in _SENDABLE and now < self.send_until

    def absence_is_proof_from(self, clock_skew: timedelta) -> datetime:
        """From when on a look-up that finds nothing proves that nothing happened.

        Only once no request may leave any more, and the last one that may have left is too
        old to arrive. Any earlier "not found" is merely "not yet". Whoever asks may have a clock
        that is ahead of the sender's by up to `clock_skew`.
        """
        if self.last_send_at is None:
            return self.send_until + clock_skew
        # Not from the send's beginning: its process may have stood still since, and its bytes
        # may leave until the window closes.
        return self.send_until + self.horizon + clock_skew

    def absence_is_proof_at(self, asked_at: datetime, *, clock_skew: timedelta) -> bool:
        """Whether a look-up asked at `asked_at` that finds nothing is a proof already."""
        return asked_at >= self.absence_is_proof_from(clock_skew)

    @property
    def may_have_run(self) -> bool:
        """Whether a request of this step may have reached the provider."""
        return self.sends > self.never_ran

    @property
    def has_never_left(self) -> bool:
        """Whether certainly no request of it reached the provider.

        Each send is counted, in a save of its own, before its bytes leave.
        """
        recorded = self.status is TransactionStatus.RECORDED
        return recorded and self.step == 1 and not self.may_have_run

    def sending(self, now: datetime) -> "PaymentTransaction":
        """The transaction with one more send counted; stored before the request leaves."""
        return replace(self, sends=self.sends + 1, last_send_at=now)

    def finished(
        self,
        status: TransactionStatus,
        *,
        reference: str | None = None,
        reason: str | None = None,
        retryable: bool = False,
        attend_at: datetime | None = None,
    ) -> "PaymentTransaction":
        """The transaction with the last word on it; secrets are not kept beyond that."""
        return replace(
            self,
            status=status,
            provider_reference=reference or self.provider_reference,
            reason=reason,
            retryable=retryable,
            review=self.review if self._is_doubted_for_another else None,
            attend_at=attend_at,
            token=None,
            client_secret=None,
            action_url=None,
        )


def fingerprint(*parts: str, rest: bytes = b"") -> str:
    """A digest that tells equal values from different ones without showing them.

    Stored, so it must stay the same for ever. `rest` are the last parts, `measured` before.
    """
    return sha256(measured(*parts) + rest).hexdigest()


_MEASURES: Final = tuple(length.to_bytes(8, "big").decode() for length in range(128))


def measured(*parts: str) -> bytes:
    """All parts, each behind its length in 8 bytes: ("ab", "c") and ("a", "bc") differ."""
    try:
        # Nearly all parts are short and ASCII; so are their measures, and all is encoded at once.
        together = "".join([_MEASURES[len(part)] + part for part in parts])
    except IndexError:
        pass  # One of them is long.
    else:
        if together.isascii():
            return together.encode()
    # A lone surrogate is refused where a text is used; here it must only not be an error.
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join([len(part).to_bytes(8, "big") + part for part in encoded])
