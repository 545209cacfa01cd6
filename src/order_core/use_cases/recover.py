"""Look after every movement of money that is not final: ask, send again, conclude."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.cancelling import cancelled
from order_core.clock_check import ClockCheck
from order_core.errors import CommitUnknown, ConcurrentUpdate, StoreUnavailable
from order_core.events import PutInReview
from order_core.giving_back import letting_go_what_is_spare, voiding
from order_core.immutable import replace
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Absence, Continue, NotFound, Outcome, OutcomeUnknown, Report
from order_core.payment import (
    NO_LOOK_UP,
    NOT_IN_THIS_ACCOUNT,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import CAPTURE_MARGIN, CaptureLate, PaymentTerms, Policy
from order_core.ports import Clock, Ids, OrderRepository, PaymentGateway, WorkQueue
from order_core.processing import capturing, open_capture
from order_core.settlement import MAX_REFUSALS, beyond_proof
from order_core.settlement.review import differs
from order_core.use_cases.carry_out import CarryOut, Held
from order_core.use_cases.patience import attended, given_up_from, void_in_review
from order_core.use_cases.settle import Settle

_log = logging.getLogger(__name__)
_MOST_MOVEMENTS: Final = 20
_MOST_TRIES: Final = 20
_MOST_STRANGE_ANSWERS: Final = 5
_S = TransactionStatus


@dataclass(frozen=True, slots=True)
class Recover:
    """The worker: owns whatever a request left open."""

    orders: OrderRepository
    work: WorkQueue
    gateways: Mapping[str, PaymentGateway]
    terms: Mapping[str, PaymentTerms]
    settle: Settle
    carry_out: CarryOut
    clock: Clock
    ids: Ids
    policy: Policy
    check_clock: ClockCheck | None = None

    async def __call__(self, *, limit: int = 20) -> int:
        """Claim up to `limit` orders that are due and look after each; how many there were.

        Raises:
            StoreUnavailable, ClockAskew: nothing was claimed.
        """
        due = await self.claim(limit=limit)
        for order, held in due:
            # Those before it may have taken long; what is not held any more is due again.
            if self.clock.now() < held.ends_at:
                await self.attend(order, held)
        return len(due)

    async def claim(self, *, limit: int) -> tuple[tuple[Order, Held], ...]:
        """Up to `limit` orders that are due, held for us, for `attend`.

        Raises:
            StoreUnavailable, ClockAskew: nothing was claimed.
        """
        if self.check_clock is not None:
            await self.check_clock()
        hold = max(terms.lease for terms in self.terms.values())
        ends_at = self.clock.now() + hold
        tokens = tuple([self.ids.new_id() for _ in range(limit)])
        claims = await self.work.claim(limit=limit, hold=hold, tokens=tokens)
        return tuple((claim.order, Held(claim.lease, ends_at)) for claim in claims)

    async def attend(self, order: Order, held: Held) -> None:
        """Look after every movement of the order that is due, then give the order back.

        Whatever fails meanwhile ends the attempt, and harms no other order; the lease ends
        by itself and the order is due again.
        """
        seen: set[str] = set()
        # What the store called due is due, although our own clock may be behind: to give it
        # back untouched is to claim it again at once, and for ever before any other order.
        called_due = order.attend_at
        try:
            while len(seen) < _MOST_MOVEMENTS:
                due = _due(order, seen, self._later_of_now_and(called_due))
                if due is None:
                    break
                seen.add(due.id)
                order = await self._look_after(order, due, held)
            await self._give_back(order, seen, held, called_due)
        except (StoreUnavailable, CommitUnknown, ConcurrentUpdate) as error:
            _log.info("order %s is left for later: %s", order.id, error)
        except Exception:  # noqa: BLE001 - one broken order must not stop the others
            _log.exception("order %s could not be looked after", order.id)

    def _later_of_now_and(self, called_due: datetime | None) -> datetime:
        now = self.clock.now()
        return max(now, called_due) if called_due else now

    async def _look_after(self, order: Order, transaction: PaymentTransaction, held: Held) -> Order:
        if not self.carry_out.reaches(transaction):
            return order
        never_sent = transaction.status is _S.RECORDED and not transaction.may_have_run
        if not (never_sent and transaction.may_be_sent_at(self.clock.now())):
            order = await self._ask(order, transaction, held)
            transaction = order.transaction(transaction.id)
        if transaction.is_held:
            return await self._decide_about_hold(order, transaction)
        if transaction.status in {_S.RECORDED, _S.UNKNOWN}:
            return await self._send(order, transaction, held)
        return order

    async def _ask(self, order: Order, transaction: PaymentTransaction, held: Held) -> Order:
        gateway = self.gateways[transaction.provider]
        # Before the call: the answer may be older than the moment we read it.
        asked_at = self.clock.now()
        if transaction.kind not in gateway.profile.looks_up:
            return await self._without_look_up(order, transaction, asked_at)
        try:
            found = await gateway.look_up(transaction)
        except Exception as error:  # noqa: BLE001 - a failed look-up has told us nothing
            found = OutcomeUnknown(f"look_up_raised:{type(error).__name__}")
        if isinstance(found, OutcomeUnknown):
            return order
        if isinstance(found, NotFound) and found.by_id:
            return await self._strange(order, transaction, asked_at)
        if isinstance(found, NotFound) or _shows_an_earlier_step(transaction, found):
            if self.clock.now() >= held.ends_at:
                # A conclusion needs the lease: somebody else may be sending meanwhile.
                return order
            return await self.settle(order, transaction.id, Absence(asked_at))
        return await self.settle(order, transaction.id, Report(found, asked_at))

    def _can_be_asked_about(self, transaction: PaymentTransaction) -> bool:
        gateway = self.gateways.get(transaction.provider)
        return gateway is None or transaction.kind in gateway.profile.looks_up

    async def _without_look_up(
        self, order: Order, transaction: PaymentTransaction, now: datetime
    ) -> Order:
        if transaction.is_open and transaction.status not in {_S.RECORDED, _S.UNKNOWN}:
            if now < given_up_from(transaction, self.policy):
                return order
            return await self._given_up(order, transaction, because=NO_LOOK_UP)
        if not (transaction.is_open and self._is_proof(transaction, now)):
            return order
        if not transaction.may_have_run:
            # Nothing ever left, so there is nothing that a look-up could have shown.
            return await self.settle(order, transaction.id, Absence(now))
        return await self._given_up(order, transaction, because=NO_LOOK_UP)

    async def _strange(
        self, order: Order, transaction: PaymentTransaction, asked_at: datetime
    ) -> Order:
        # Another account or mode behind the same name, and it will not come back by waiting.
        # It proves nothing, so nothing is concluded: a person is told.
        second_look = transaction.status is _S.FAILED and transaction.attend_at is not None
        asked = transaction.is_open or second_look
        late = self._is_proof(transaction, asked_at)
        if not (asked and late and transaction.attempts >= _MOST_STRANGE_ANSWERS):
            return order
        return await self._given_up(order, transaction, because=NOT_IN_THIS_ACCOUNT)

    def _is_proof(self, transaction: PaymentTransaction, asked_at: datetime) -> bool:
        return transaction.absence_is_proof_at(asked_at, clock_skew=self.policy.clock_skew)

    async def _given_up(
        self, order: Order, transaction: PaymentTransaction, *, because: str
    ) -> Order:
        for _ in range(_MOST_TRIES):
            now = self.clock.now()
            if transaction.status is _S.FAILED:
                stuck = _second_look_given_up(order, transaction.id, at=now, because=because)
            else:
                stuck = beyond_proof(order, transaction.id, at=now, because=because)
            try:
                return (await self.orders.save(stuck)).order
            except ConcurrentUpdate:
                order = await self.orders.get(order.id)
                known = order.transaction(transaction.id)
                if known.status is not transaction.status or known.attend_at is None:
                    return order
        raise ConcurrentUpdate(order.id)

    async def _send(self, order: Order, transaction: PaymentTransaction, held: Held) -> Order:
        counted = await self.carry_out.count_send(order, transaction.id)
        if counted is None:
            return await self.orders.get(order.id)
        # No second try inside: the worker's patience is the time between its rounds.
        return await self.carry_out(
            counted, transaction.id, held, until=self.clock.now(), keep_lease=True
        )

    async def _decide_about_hold(self, order: Order, held: PaymentTransaction) -> Order:
        # The capture or void is a movement like any other, and is looked after next.
        if order.is_spare(held):
            return await self._let_spare_go(order, held)
        ends = held.capture_before
        placed = order.status is OrderStatus.PENDING
        if held.status is _S.AUTHORIZED and placed and ends:
            is_early = self.clock.now() < ends - CAPTURE_MARGIN
            if is_early or not order.lives_on(held) or differs(held):
                # What the order does not live on, or not as was asked, is a person's to decide.
                return order
            return await self._before_the_hold_ends(order, held)
        return await self._let_go(order, held)

    async def _before_the_hold_ends(self, order: Order, held: PaymentTransaction) -> Order:
        terms, now = self.terms[held.provider], self.clock.now()
        if open_capture(order):
            return order
        refused = sum(
            t.kind is TransactionKind.CAPTURE and not t.is_live for t in order.transactions
        )
        if refused < MAX_REFUSALS and self.policy.capture_late is CaptureLate.CAPTURE:
            decided = capturing(order, by=None, at=now, new_id=self.ids.new_id, terms=terms)
        else:
            decided = cancelled(
                order, by="end_of_authorization", at=now, new_id=self.ids.new_id, terms=terms
            )
        return await self._stored(order, decided)

    async def _let_spare_go(self, order: Order, held: PaymentTransaction) -> Order:
        terms, now = self.terms[held.provider], self.clock.now()
        decided = letting_go_what_is_spare(order, at=now, new_id=self.ids.new_id, terms=terms)
        return await self._stored(order, decided)

    async def _let_go(self, order: Order, transaction: PaymentTransaction) -> Order:
        # By the provider's word, never by time alone: the buyer may be paying right now.
        now = self.clock.now()
        expires_at = transaction.action_expires_at
        expired = expires_at is not None and now >= expires_at
        unwanted = order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
        if not (unwanted or (expired and order.status is OrderStatus.AWAITING_PAYMENT)):
            return order
        if void_in_review(order, transaction):
            return order
        terms = self.terms[transaction.provider]
        decided = voiding(order, transaction, at=now, new_id=self.ids.new_id, terms=terms)
        return await self._stored(order, decided)

    async def _stored(self, order: Order, decided: Order) -> Order:
        if decided is order:
            return order
        try:
            return (await self.orders.save(decided)).order
        except ConcurrentUpdate:
            # Another change came first; the order as it is by then is decided about next time.
            return await self.orders.get(order.id)

    async def _give_back(
        self, order: Order, seen: set[str], held: Held, called_due: datetime | None
    ) -> None:
        for _ in range(_MOST_TRIES):
            now = self._later_of_now_and(called_due)
            rested = attended(order, seen, now, self.policy, self._can_be_asked_about)
            if rested is order:
                await self.work.release(held.lease)
                return
            try:
                await self.orders.save(rested, release=held.lease)
            except ConcurrentUpdate:
                order = await self.orders.get(order.id)
            else:
                return


def _second_look_given_up(
    order: Order, transaction_id: str, *, at: datetime, because: str
) -> Order:
    # It stays failed: opened again, its order could be placed after the buyer was told no.
    failed = replace(order.transaction(transaction_id), attend_at=None, review=because)
    return order.with_transaction(failed).with_news(PutInReview(failed.id, because), at)


def _shows_an_earlier_step(transaction: PaymentTransaction, found: Outcome) -> bool:
    # The first request of several, seen again, is no trace of the one that we look for;
    # but a step that had to ask the buyer is done, and an approval is about the next one.
    return (
        isinstance(found, Continue)
        and transaction.step > 1
        and transaction.status is not _S.ACTION_REQUIRED
    )


def _due(order: Order, seen: set[str], now: datetime) -> PaymentTransaction | None:
    for transaction in order.transactions:
        at = transaction.attend_at
        if at is not None and at <= now and transaction.id not in seen:
            return transaction
    return None
