"""Give money of an order back, all of it or a part."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.money import Money
from order_core.order import Order
from order_core.payment import fingerprint
from order_core.payment_terms import PaymentTerms
from order_core.ports import RequestRecord
from order_core.refunding import refunded
from order_core.use_cases.change_order import ChangeOrder

ROUTE: Final = "POST /api/orders/{order_id}/refunds"


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Staff gives money back."""

    change_order: ChangeOrder

    async def __call__(
        self, order_id: str, *, by: str, amount: Money | None = None, key: str | None = None
    ) -> Order:
        """The order with its refund asked for; None refunds everything that is left.

        Without a key a repeat is another refund, of what is left by then.

        Raises:
            OrderNotFound: there is no such order.
            CannotRefund: nothing was taken, or nothing is left, with the reason.
            InvalidValue: the amount is in another currency, nothing, or more than is left.
            IdempotencyKeyReused: the key came before, with another request.
            StoreUnavailable, ProviderUnavailable: nothing happened.
            CommitUnknown: it may be done; ask again with the same key.
        """

        def with_refund(
            order: Order, *, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
        ) -> Order:
            return refunded(order, amount, by=by, at=at, new_id=new_id, terms=terms)

        body = fingerprint(order_id, str(amount or "the rest"))
        request = RequestRecord(by, ROUTE, key, body) if key else None
        return await self.change_order(order_id, with_refund, request=request)
