"""Cancel an order, and give back whatever it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    NotTheOwner,
    ProviderUnavailable,
    StoreUnavailable,
)
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, fingerprint
from order_core.payment_terms import PaymentTerms, Policy
from order_core.ports import Clock, Ids, Lease, OrderRepository, RequestRecord
from order_core.use_cases.carry_out import CarryOut, Held

ROUTE: Final = "POST /api/orders/{order_id}/cancel"
_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """The owner takes back an order that is not being processed yet."""

    orders: OrderRepository
    terms: Mapping[str, PaymentTerms]
    carry_out: CarryOut
    clock: Clock
    ids: Ids
    policy: Policy

    async def __call__(self, order_id: str, *, customer_id: str, key: str | None = None) -> Order:
        """The cancelled order. Cancelling it again changes nothing.

        The cancellation and the refund or void that it owes are one save; then the money
        is given back. If that takes longer than the request, or the process dies, the
        worker finishes it.

        Raises:
            OrderNotFound, NotTheOwner: there is no such order of this customer.
            CannotCancel: it is too late, with the reason.
            IdempotencyKeyReused: the key came before, for another order.
            StoreUnavailable, ProviderUnavailable: nothing happened.
            CommitUnknown: it may be cancelled; ask again.
        """
        record = RequestRecord(customer_id, ROUTE, key, fingerprint(order_id)) if key else None
        for _ in range(_MOST_TRIES):
            order = await self.orders.get(order_id)
            if order.customer_id != customer_id:
                raise NotTheOwner(order_id)
            if order.status is OrderStatus.CANCELLED:
                return order
            try:
                return await self._cancelled(order, record)
            except ConcurrentUpdate:
                continue
            except IdempotencyKeyReused:
                if record is None or not await self._is_repeat(record):
                    raise
                # The first request with this key has just cancelled it; read that.
        raise ConcurrentUpdate(order_id)

    async def _cancelled(self, order: Order, record: RequestRecord | None) -> Order:
        now = self.clock.now()
        terms = self.terms.get(order.charge.provider)
        if terms is None:
            # What the order owes back must go through the provider that took it.
            raise ProviderUnavailable(order.charge.provider)
        cancelled = order.cancel(by="customer", at=now, new_id=self.ids.new_id, terms=terms)
        reversals = _added(order, cancelled)
        lease = Lease(order.id, self.ids.new_id(), terms.lease, by_request=True)
        for reversal in reversals:
            cancelled = cancelled.with_transaction(reversal.sending(now))
        saved = await self.orders.save(cancelled, request=record, take=lease if reversals else None)
        if not saved.holds_lease:
            # Somebody is working on this order; the worker finds what it owes.
            return saved.order
        return await self._given_back(saved.order, reversals, Held(lease, now + lease.duration))

    async def _given_back(
        self, order: Order, reversals: tuple[PaymentTransaction, ...], held: Held
    ) -> Order:
        until = self.clock.now() + self.policy.request_deadline
        try:
            for reversal in reversals:
                order = await self.carry_out(
                    order,
                    reversal.id,
                    held,
                    until=until,
                    keep_lease=reversal is not reversals[-1],
                )
        except (StoreUnavailable, CommitUnknown):
            # The cancellation itself is stored, and that is what was asked.
            return order
        return order

    async def _is_repeat(self, record: RequestRecord) -> bool:
        earlier = await self.orders.find_request(record.customer_id, record.route, record.key)
        return earlier is not None and earlier.record == record


def _added(before: Order, after: Order) -> tuple[PaymentTransaction, ...]:
    known = {transaction.id for transaction in before.transactions}
    return tuple(t for t in after.transactions if t.id not in known)
