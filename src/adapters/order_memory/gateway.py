"""A payment provider that does what the test says, and keeps a real provider's promises."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    Declined,
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RateLimited,
)
from order_core.payment import PaymentTransaction
from order_core.payment_terms import GatewayProfile
from order_core.ports import Clock
from order_memory.provider_ledger import ProviderLedger, Standing
from order_memory.reactions import OBEY, SINGLE_USE, TOKENS, Delivery, Effect, Reaction

_NEVER_ARRIVES: Final[Mapping[Delivery, Outcome]] = {
    Delivery.NOT_SENT: NotSent("told_not_to"),
    Delivery.RATE_LIMITED: RateLimited(1.0),
    Delivery.IN_PROGRESS: InProgress(),
    Delivery.REQUEST_LOST: OutcomeUnknown("request_lost"),
}
_STANDING_AFTER: Final[Mapping[Effect, Standing]] = {
    Effect.DECLINE: Standing.DECLINED,
    Effect.ASK_BUYER: Standing.ACTION_REQUIRED,
    Effect.WAIT: Standing.PENDING,
    Effect.FIRST_STEP: Standing.BEGUN,
}


class ScriptedGateway:
    """A `PaymentGateway` with a ledger of its own.

    What it does with a request is decided by the reactions given to `react`, first come
    first served, then by the token in `tokens`, and else it obeys. A key moves money once:
    its first answer is replayed, as real providers do, even if that was a 5xx. After
    `profile.key_life` it is forgotten, and moves money again.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        profile: GatewayProfile | None = None,
        tokens: Mapping[str, Reaction] = TOKENS,
    ) -> None:
        self._clock = clock
        self._profile = profile or GatewayProfile(provider="scripted", account="test")
        self._tokens = dict(tokens)
        self._reactions: deque[Reaction] = deque()
        self._answers: dict[str, tuple[PaymentTransaction, Outcome, datetime]] = {}
        self._late: deque[PaymentTransaction] = deque()
        self._unanswered_look_ups = 0
        self.ledger = ProviderLedger(clock)
        self._asked: list[PaymentTransaction] = []
        self._looked_up: list[PaymentTransaction] = []

    # The port -----------------------------------------------------------------------------

    @property
    def profile(self) -> GatewayProfile:
        return self._profile

    def check(self, amount: Money, token: str, /) -> None:  # noqa: ARG002 - it takes any amount
        if token not in self._tokens and not self.is_single_use(token):
            raise InvalidValue(
                ("payment_method",),
                "unknown_payment_method",
                f"must be one of {', '.join(self._tokens)}, or begin with {SINGLE_USE}",
            )

    def is_single_use(self, token: str, /) -> bool:
        return token.startswith(SINGLE_USE)

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        self._asked.append(transaction)
        if self._clock.now() >= transaction.send_until:
            return NotSent("too_late")
        reaction = self._reaction_to(transaction)
        if reaction.delivery in _NEVER_ARRIVES:
            return _NEVER_ARRIVES[reaction.delivery]
        if reaction.delivery is Delivery.REQUEST_LATE:
            self._late.append(transaction)
            return OutcomeUnknown("no_answer_in_time")
        answer = self.arrive(transaction, reaction)
        lost = reaction.delivery is Delivery.ANSWER_LOST
        return OutcomeUnknown("answer_lost") if lost else answer

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        self._looked_up.append(transaction)
        if self._unanswered_look_ups:
            self._unanswered_look_ups -= 1
            return OutcomeUnknown("could_not_ask")
        entry = self.ledger.shown(transaction)
        if entry is None:
            return NotFound()
        return self.ledger.says(entry, to=transaction)

    async def close(self) -> None:
        pass

    # What happened ------------------------------------------------------------------------

    @property
    def asked(self) -> tuple[PaymentTransaction, ...]:
        """Every transaction that `send` was given, sent or not."""
        return tuple(self._asked)

    @property
    def looked_up(self) -> tuple[PaymentTransaction, ...]:
        """Every transaction that `look_up` was given, answered or not."""
        return tuple(self._looked_up)

    # The script ---------------------------------------------------------------------------

    def react(self, *reactions: Reaction) -> None:
        """Meet the next sends like this, one each, whatever their token or kind."""
        self._reactions.extend(reactions)

    def forget_reactions(self) -> None:
        """Meet the next sends as their tokens say."""
        self._reactions.clear()

    def fail_look_ups(self, times: int = 1) -> None:
        """Leave the next look-ups without an answer."""
        self._unanswered_look_ups += times

    def approve(self, reference: str) -> bool:
        """The buyer agrees; False if it is too late for that."""
        return self.ledger.resolve(reference, approved=True)

    def refuse(self, reference: str) -> bool:
        """The buyer, or the bank, says no; False if it is too late for that."""
        return self.ledger.resolve(reference, approved=False)

    def settle(self, reference: str) -> bool:
        """The bank's money arrives; False if it is too late for that."""
        return self.ledger.resolve(reference, approved=True)

    def deliver_late_requests(self) -> int:
        """Let the requests that were given up arrive after all; how many did."""
        arriving = tuple(self._late)
        self._late.clear()
        for transaction in arriving:
            self.arrive(transaction, self._usual_reaction_to(transaction))
        return len(arriving)

    def arrive(self, transaction: PaymentTransaction, reaction: Reaction = OBEY) -> Outcome:
        """Let a request reach the provider, and answer what the provider says to it."""
        known = self._remembered(transaction.key)
        if known is not None:
            first, answer, _ = known
            if reaction.delivery is Delivery.ECHO_DECLINED:
                return Declined("duplicate_request")
            if _asks_the_same(first, transaction):
                return answer
            return OutcomeUnknown("key_reused_with_another_request")
        answer = self._act(transaction, reaction)
        if reaction.delivery is Delivery.SERVER_ERROR:
            answer = OutcomeUnknown("provider_error")
        self._answers[transaction.key] = (transaction, answer, self._clock.now())
        return answer

    def _remembered(self, key: str) -> tuple[PaymentTransaction, Outcome, datetime] | None:
        known = self._answers.get(key)
        if known is None or self._clock.now() >= known[2] + self._profile.key_life:
            return None
        return known

    def knows(self, key: str) -> bool:
        """Whether a request with this key would be answered like the first one with it."""
        return self._remembered(key) is not None

    # The provider -------------------------------------------------------------------------

    def _reaction_to(self, transaction: PaymentTransaction) -> Reaction:
        if self._reactions:
            return self._reactions.popleft()
        return self._usual_reaction_to(transaction)

    def _usual_reaction_to(self, transaction: PaymentTransaction) -> Reaction:
        if self._remembered(transaction.key) or transaction.step > 1:
            return OBEY
        return self._tokens.get(transaction.token or "", OBEY)

    def _act(self, transaction: PaymentTransaction, reaction: Reaction) -> Outcome:
        token = transaction.token or ""
        if self.is_single_use(token) and not self.ledger.use_up(token, transaction):
            return Declined("token_already_used")
        if reaction.effect is Effect.OBEY:
            return self.ledger.carry_out(transaction)
        if reaction.effect is Effect.WRONG_AMOUNT:
            return self.ledger.overpay(transaction)
        if reaction.effect is Effect.NOTHING:
            return OutcomeUnknown("provider_error")
        return self.ledger.write(
            transaction,
            _STANDING_AFTER[reaction.effect],
            reason=reaction.reason,
            retryable=reaction.retryable,
        )


def _asks_the_same(first: PaymentTransaction, second: PaymentTransaction) -> bool:
    return all(
        getattr(first, name) == getattr(second, name)
        for name in ("order_id", "kind", "amount", "token", "parent_reference", "return_url")
    )
