"""Change a stored order, and carry out the movements of money that the change records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    OrderCoreError,
    ProviderUnavailable,
    StoreUnavailable,
)
from order_core.order import Order
from order_core.outcomes import Answer, NotSent
from order_core.payment import PaymentTransaction
from order_core.payment_terms import PaymentTerms, Policy
from order_core.ports import Clock, Ids, Lease, OrderRepository, RequestRecord
from order_core.use_cases.carry_out import CarryOut, Held

_MOST_TRIES: Final = 20


class Change(Protocol):
    """A decision of the model: the changed order, or the same one if there is nothing to do."""

    def __call__(
        self, order: Order, /, *, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
    ) -> Order: ...


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """The common part of whatever staff or the owner does with an order."""

    orders: OrderRepository
    terms: Mapping[str, PaymentTerms]
    carry_out: CarryOut
    clock: Clock
    ids: Ids
    policy: Policy

    async def __call__(
        self,
        order_id: str,
        change: Change,
        *,
        request: RequestRecord | None,
        moves_money: bool = True,
    ) -> Order:
        """The order as `change` made it, stored, with its new movements of money carried out.

        The change and the movements it records are one save; then the gateway is called. If
        that takes longer than the request, or the process dies, the worker finishes it. A
        lost race decides again on the order as it is by then; a request that was stored
        before is not done again.

        Raises:
            OrderNotFound: there is no such order.
            ProviderUnavailable: the order's provider is switched off, and the change may move
                money.
            IdempotencyKeyReused: the key came before, with another request.
            StoreUnavailable: nothing happened.
            CommitUnknown: it may have happened; ask again.
            Whatever `change` refuses with.
        """
        for _ in range(_MOST_TRIES):
            order = await self.orders.get(order_id)
            try:
                return await self._changed(order, change, request, moves_money=moves_money)
            except ConcurrentUpdate:
                continue
            except (CommitUnknown, StoreUnavailable):
                raise
            except OrderCoreError:
                # What was refused may be what this very request did the first time.
                if request is None or not await self._is_repeat(request):
                    raise
                return await self.orders.get(order_id)
        raise ConcurrentUpdate(order_id)

    async def _changed(
        self, order: Order, change: Change, request: RequestRecord | None, *, moves_money: bool
    ) -> Order:
        now = self.clock.now()
        terms = self.terms.get(order.charge.provider)
        if terms is None and not moves_money:
            terms = next(iter(self.terms.values()))
        if terms is None:
            # Money of this order can only move through the provider that took it.
            raise ProviderUnavailable(order.charge.provider)
        changed = change(order, at=now, new_id=self.ids.new_id, terms=terms)
        if changed is order:
            return order
        movements = _added(order, changed)
        for movement in movements:
            changed = changed.with_transaction(movement.sending(now))
        lease = Lease(order.id, self.ids.new_id(), terms.lease, by_request=True)
        saved = await self.orders.save(changed, request=request, take=lease if movements else None)
        if not saved.holds_lease:
            return await self._left_to_the_worker(saved.order, movements)
        return await self._carried_out(saved.order, movements, Held(lease, now + lease.duration))

    async def _left_to_the_worker(
        self, order: Order, movements: tuple[PaymentTransaction, ...]
    ) -> Order:
        # Somebody is working on this order; the worker finds what is due, and should know
        # that none of it has left.
        not_sent = Answer(NotSent("held_by_somebody_else"), send=1)
        try:
            for movement in movements:
                order = await self.carry_out.settle(order, movement.id, not_sent)
        except (StoreUnavailable, CommitUnknown, ConcurrentUpdate):
            # The change itself is stored: to say that nothing happened, or to decide again,
            # would be to give the same money back twice. Unsure, the worker asks first.
            return order
        return order

    async def _carried_out(
        self, order: Order, movements: tuple[PaymentTransaction, ...], held: Held
    ) -> Order:
        until = self.clock.now() + self.policy.request_deadline
        try:
            for movement in movements:
                order = await self.carry_out(
                    order,
                    movement.id,
                    held,
                    until=until,
                    keep_lease=movement is not movements[-1],
                )
        except (StoreUnavailable, CommitUnknown):
            # The change itself is stored, and that is what was asked.
            return order
        return order

    async def _is_repeat(self, request: RequestRecord) -> bool:
        earlier = await self.orders.find_request(request.customer_id, request.route, request.key)
        if earlier is None:
            return False
        if earlier.record != request:
            raise IdempotencyKeyReused(request.key)
        return True


def _added(before: Order, after: Order) -> tuple[PaymentTransaction, ...]:
    known = {transaction.id for transaction in before.transactions}
    return tuple(t for t in after.transactions if t.id not in known)
