"""Cancel an order, and give back whatever it took."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.cancelling import cancelled
from order_core.errors import NotTheOwner
from order_core.events import by_customer
from order_core.order import Order
from order_core.payment import fingerprint
from order_core.payment_terms import PaymentTerms
from order_core.ports import RequestRecord
from order_core.use_cases.change_order import ChangeOrder

ROUTE: Final = "POST /api/orders/{order_id}/cancel"


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """The owner takes back an order that is not being processed yet."""

    change_order: ChangeOrder

    async def __call__(
        self, order_id: str, *, customer_id: str, actor: str | None = None, key: str | None = None
    ) -> Order:
        """The cancelled order. Cancelling it again changes nothing.

        `actor` is the service account that asks for the customer.

        Raises:
            OrderNotFound, NotTheOwner: there is no such order of this customer.
            CannotCancel: it is too late, with the reason.
            IdempotencyKeyReused: the key came before, for another order.
            StoreUnavailable, ProviderUnavailable: nothing happened.
            CommitUnknown: it may be cancelled; ask again.
        """

        def of_its_owner(
            order: Order, *, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
        ) -> Order:
            if order.customer_id != customer_id:
                raise NotTheOwner(order_id)
            return cancelled(order, by=by_customer(actor), at=at, new_id=new_id, terms=terms)

        request = RequestRecord(customer_id, ROUTE, key, fingerprint(order_id)) if key else None
        return await self.change_order(order_id, of_its_owner, request=request)
