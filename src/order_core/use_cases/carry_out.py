"""Carry out a recorded movement of money: call the gateway, settle its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.circuit_breaker import CircuitBreaker
from order_core.errors import CommitUnknown, ConcurrentUpdate, StoreUnavailable
from order_core.order import Order
from order_core.outcomes import (
    Answer,
    Continue,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RateLimited,
)
from order_core.payment import PaymentTransaction
from order_core.ports import Clock, Lease, OrderRepository, PaymentGateway, WorkQueue
from order_core.use_cases.settle import Settle

_DID_NOT_RUN: Final = (NotSent, RateLimited, InProgress)
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
_MOST_REQUESTS: Final = 10
_MOST_RACES: Final = 20


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that we hold, and when it ends by our own clock, counted from before we asked."""

    lease: Lease
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class CarryOut:
    """The inner part of placing, cancelling and recovering: nothing else calls a gateway."""

    orders: OrderRepository
    work: WorkQueue
    gateways: Mapping[str, PaymentGateway]
    settle: Settle
    clock: Clock
    installation: str
    breaker: CircuitBreaker

    async def __call__(
        self,
        order: Order,
        transaction_id: str,
        held: Held,
        *,
        until: datetime,
        keep_lease: bool = False,
    ) -> Order:
        """The order after the movement was sent and its answer stored.

        The send that comes first must be counted in the stored order already. What
        certainly did not run is sent again under the same key until `until`; whatever is
        still open then is left to the worker. The lease is given back with the last save.

        Raises:
            CommitUnknown: the gateway answered, and the answer could not be stored in
                time. The worker will ask again.
        """
        pause = _FIRST_PAUSE_SECONDS
        for requests_left in reversed(range(_MOST_REQUESTS)):
            transaction = order.transaction(transaction_id)
            outcome = await self._send(order, transaction, held)
            did_not_run = isinstance(outcome, _DID_NOT_RUN)
            wait = _pause_before_retry(outcome, pause) if did_not_run else 0.0
            again = requests_left > 0 and (
                isinstance(outcome, Continue)
                or (did_not_run and self._time_for_another(order, transaction, wait, until))
            )
            order = await self._settled(
                order,
                transaction_id,
                Answer(outcome, transaction.sends, transaction.step),
                release=None if again or keep_lease else held.lease,
                until=until,
            )
            if not again:
                return order
            if did_not_run:
                await self.clock.sleep(wait)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            counted = await self.count_send(order, transaction_id)
            if counted is None:
                break
            order = counted
        if not keep_lease:
            await self.work.release(held.lease)
        return await self.orders.get(order.id)

    def reaches(self, transaction: PaymentTransaction) -> bool:
        """Whether our gateway talks to the account that this movement belongs to.

        Another account, or another installation's, would answer "not found", which proves
        nothing, or move somebody else's money.
        """
        gateway = self.gateways.get(transaction.provider)
        return (
            gateway is not None
            and gateway.profile.account == transaction.account
            and transaction.installation == self.installation
        )

    async def count_send(self, order: Order, transaction_id: str) -> Order | None:
        """The stored order with one more send counted, or None if it must not be sent.

        Stored before the bytes leave: whoever comes after a crash knows that this send
        may have run, and when it began.
        """
        for _ in range(_MOST_RACES):
            transaction = order.transaction(transaction_id)
            now = self.clock.now()
            if not (order.wants(transaction) and transaction.may_be_sent_at(now)):
                return None
            try:
                return (
                    await self.orders.save(order.with_transaction(transaction.sending(now)))
                ).order
            except ConcurrentUpdate:
                order = await self.orders.get(order.id)
        return None

    async def _send(self, order: Order, transaction: PaymentTransaction, held: Held) -> Outcome:
        # Checked again right here: this process may have been paused since it recorded
        # the movement, and a late request would outlive the provider's memory of its key.
        now = self.clock.now()
        if not (order.wants(transaction) and transaction.may_be_sent_at(now)):
            return NotSent("no_longer_wanted_or_too_late")
        if not self.reaches(transaction):
            return NotSent("provider_switched_off_or_another_account")
        gateway = self.gateways[transaction.provider]
        if now + gateway.profile.call_budget > held.ends_at:
            return NotSent("lease_ends_too_soon")
        try:
            outcome = await gateway.send(transaction)
        except Exception as error:  # noqa: BLE001 - whatever a gateway throws, the money may have moved
            outcome = OutcomeUnknown(f"gateway_raised:{type(error).__name__}")
        self.breaker.heard(transaction.provider, outcome)
        return outcome

    def _time_for_another(
        self, order: Order, transaction: PaymentTransaction, wait: float, until: datetime
    ) -> bool:
        now = self.clock.now()
        return (
            order.wants(transaction)
            and transaction.may_be_sent_at(now)
            and (until - now).total_seconds() > wait
        )

    async def _settled(
        self,
        order: Order,
        transaction_id: str,
        answer: Answer,
        *,
        release: Lease | None,
        until: datetime,
    ) -> Order:
        # The answer is known here and nowhere else, so it is worth insisting on: a store
        # that comes back in time spares the buyer an open order.
        while True:
            try:
                return await self.settle(order, transaction_id, answer, release=release)
            except (StoreUnavailable, CommitUnknown, ConcurrentUpdate):
                order = await self._reloaded(order, until)

    async def _reloaded(self, order: Order, until: datetime) -> Order:
        while self.clock.now() < until:
            await self.clock.sleep(_FIRST_PAUSE_SECONDS)
            try:
                return await self.orders.get(order.id)
            except StoreUnavailable:
                continue
        raise CommitUnknown("The provider answered, but the answer could not be stored yet.")


def _pause_before_retry(outcome: Outcome, pause: float) -> float:
    if isinstance(outcome, RateLimited) and outcome.retry_after_seconds is not None:
        return max(pause, outcome.retry_after_seconds)
    return pause
