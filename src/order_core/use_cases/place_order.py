"""Place an order: check it, record it with its charge, take the money, settle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import (
    CommitUnknown,
    IdempotencyKeyReused,
    OrderCoreError,
    OrderNotFound,
    RequestInProgress,
    StoreUnavailable,
)
from order_core.events import by_customer
from order_core.order import Order
from order_core.order_request import OrderRequest
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, TransactionKind, fingerprint
from order_core.payment_terms import CaptureMode, PaymentTerms, Policy
from order_core.ports import (
    Clock,
    DuplicateGuard,
    EarlierRequest,
    Ids,
    Lease,
    OrderRepository,
    PaymentGateway,
    Prices,
    RequestRecord,
    Saved,
)
from order_core.text import checked_text
from order_core.use_cases.carry_out import CarryOut, Held

ROUTE: Final = "POST /api/orders/create"
_FIRST_MOVEMENT: Final = {
    CaptureMode.IMMEDIATE: TransactionKind.CHARGE,
    CaptureMode.ON_PROCESSING: TransactionKind.AUTHORIZATION,
}
LONGEST_KEY: Final = 255
_READ_BACK_TRIES: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """One order and one charge for one request, however often and however it ends."""

    orders: OrderRepository
    gateways: Mapping[str, PaymentGateway]
    terms: Mapping[str, PaymentTerms]
    default_provider: str
    prices: Prices
    carry_out: CarryOut
    clock: Clock
    ids: Ids
    policy: Policy

    async def __call__(
        self, request: OrderRequest, *, key: str | None = None, waited: timedelta = timedelta(0)
    ) -> Order:
        """The order in its present state: `pending`, or open, or `payment_failed`.

        With `key` (an Idempotency-Key of the customer), the same request makes one order
        and one charge however often it comes; each repeat gets that order as it is by then.
        `waited` is how long the buyer has waited before: that is no part of the window in which an
        equal order is taken for a double click. Less than nothing counts as nothing.

        Raises:
            InvalidValue, PriceMismatch, QuoteRefused, UnknownProvider: the request is refused.
            IdempotencyKeyReused: the key came before with another request.
            RequestInProgress: the key's first request has no answer yet.
            PossibleDuplicate: without a key, or with a fresh one, this looks like a double
                click.
            ProviderUnavailable: the provider does not answer at present; nothing happened.
            PaymentMethodInUse: the single-use payment method pays another order.
            StoreUnavailable: nothing happened at all.
            CommitUnknown: the outcome is unknown; repeat with the same key to learn it.
        """
        came_at = self.clock.now()
        if key is not None:
            checked_text(key, "idempotency_key", longest=LONGEST_KEY)
        try:
            order = await self._recorded(request)
        except OrderCoreError:
            # Prices and providers change and quotes expire; the answer to a repetition does not.
            if key and (earlier := await self._earlier(request, key)):
                return await self._answer_of(earlier, request, key)
            raise
        terms = self.terms[order.charge.provider]
        lease = Lease(order.id, self.ids.new_id(), terms.lease, by_request=True)
        held = Held(lease, order.created_at + lease.duration)
        try:
            here = max(order.created_at - came_at, timedelta(0))
            guard = self._guard(order, request, waited=max(waited, timedelta(0)) + here)
            saved = await self._save(order, request, key, guard, lease)
        except IdempotencyKeyReused:
            if key and (earlier := await self._earlier(request, key)):
                return await self._answer_of(earlier, request, key)
            raise
        until = order.created_at + self.policy.request_deadline
        try:
            return await self.carry_out(saved.order, order.charge.id, held, until=until)
        except StoreUnavailable as error:
            # From the record on, "nothing happened" would be a lie: the worker charges.
            raise CommitUnknown("The order is stored, and its charge may have begun.") from error

    async def _recorded(self, request: OrderRequest) -> Order:
        known = frozenset(self.gateways)
        provider, token = request.provider_and_token(self.default_provider, known)
        self.gateways[provider].check(request.total, token)
        self.carry_out.breaker.refuse_if_open(provider)
        await self.prices.verify(
            request.items, customer_id=request.customer_id, quotes=request.quotes
        )
        now, order_id = self.clock.now(), self.ids.new_id()
        return Order.open(
            order_id=order_id,
            customer_id=request.customer_id,
            items=request.items,
            shipping_address=request.shipping_address,
            email=request.contact,
            charge=self._charge(request, order_id, provider, token, now),
            by=by_customer(request.actor),
            at=now,
        )

    def _charge(
        self, request: OrderRequest, order_id: str, provider: str, token: str, now: datetime
    ) -> PaymentTransaction:
        terms, gateway = self.terms[provider], self.gateways[provider]
        account = terms.gateway.account
        single_use = gateway.is_single_use(token)
        return PaymentTransaction(
            id=self.ids.new_id(),
            order_id=order_id,
            customer_id=request.customer_id,
            kind=_FIRST_MOVEMENT[self.policy.capture],
            amount=request.total,
            provider=provider,
            account=account,
            installation=self.policy.installation,
            request_version=terms.gateway.request_version,
            recorded_at=now,
            send_until=terms.charge_sent_until(now),
            horizon=terms.gateway.horizon,
            token=token,
            single_use_fingerprint=fingerprint(provider, account, token) if single_use else None,
            return_url=request.return_url,
            attend_at=terms.first_attended_at(now),
            action_expires_at=now + self.policy.action_expiry,
            # The record is also the beginning of the first send: a crash from here on must
            # leave behind that the request may have left.
            sends=1,
            last_send_at=now,
        )

    def _guard(
        self, order: Order, request: OrderRequest, *, waited: timedelta
    ) -> DuplicateGuard | None:
        window, charge = self.policy.duplicate_window, order.charge
        if window <= timedelta(0) or request.allow_duplicate:
            return None
        kept_token = None if charge.single_use_fingerprint else charge.token
        content = request.content_fingerprint(charge.provider, kept_token)
        # A slow check of prices must not make two orders of a double click.
        return DuplicateGuard(content, window, waited)

    async def _save(
        self,
        order: Order,
        request: OrderRequest,
        key: str | None,
        guard: DuplicateGuard | None,
        lease: Lease,
    ) -> Saved:
        record = self._record(request, key) if key else None
        try:
            return await self.orders.save(order, request=record, guard=guard, take=lease)
        except CommitUnknown:
            return Saved(await self._read_back(order.id), holds_lease=True)

    async def _read_back(self, order_id: str) -> Order:
        # Nothing is sent for an order that we do not see stored: if it shows up later,
        # the worker finds it, and the same key tells the client what became of it.
        for attempt in range(_READ_BACK_TRIES):
            await self.clock.sleep(0.1 * 4**attempt)
            try:
                return await self.orders.get(order_id)
            except (StoreUnavailable, OrderNotFound):
                continue
        raise CommitUnknown("It is not known whether the order was stored.")

    async def was_recorded(self, customer_id: str, key: str) -> bool:
        """Whether this customer's key has an order already, so that a repeat charges nothing.

        Raises:
            CommitUnknown: the store cannot say.
        """
        return await self._earlier_of(customer_id, key) is not None

    # The same key again -------------------------------------------------------------------

    @staticmethod
    def _record(request: OrderRequest, key: str) -> RequestRecord:
        return RequestRecord(request.customer_id, ROUTE, key, request.body_fingerprint())

    async def _earlier(self, request: OrderRequest, key: str) -> EarlierRequest | None:
        return await self._earlier_of(request.customer_id, key)

    async def _earlier_of(self, customer_id: str, key: str) -> EarlierRequest | None:
        try:
            return await self.orders.find_request(customer_id, ROUTE, key)
        except StoreUnavailable as error:
            # The request that came first with this key may have been charged.
            raise CommitUnknown("It is not known what this key's request came to.") from error

    async def _answer_of(self, earlier: EarlierRequest, request: OrderRequest, key: str) -> Order:
        if earlier.record != self._record(request, key):
            raise IdempotencyKeyReused(key)
        patience_ends = self.clock.now() + self.policy.wait_for_first
        pause = _FIRST_PAUSE_SECONDS
        while earlier.in_progress and earlier.order.status is OrderStatus.AWAITING_PAYMENT:
            if self.clock.now() >= patience_ends:
                raise RequestInProgress(earlier.order.id, retry_after_seconds=2)
            await self.clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            earlier = await self._earlier(request, key) or earlier
        return earlier.order
