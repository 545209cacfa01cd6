"""Note that an order arrived."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from order_core.order import Order
from order_core.payment import fingerprint
from order_core.ports import RequestRecord
from order_core.shipping import delivered
from order_core.use_cases.change_order import ChangeOrder

ROUTE: Final = "POST /api/orders/{order_id}/deliver"


@dataclass(frozen=True, slots=True)
class DeliverOrder:
    """All of its parcels are at the buyer's."""

    change_order: ChangeOrder

    async def __call__(self, order_id: str, *, by: str, key: str | None = None) -> Order:
        """The delivered order; doing it twice is harmless.

        Raises:
            OrderNotFound: there is no such order.
            CannotDeliver: it was not shipped, with the reason.
            IdempotencyKeyReused: the key came before, for another order.
            StoreUnavailable: nothing happened.
            CommitUnknown: it may be done; ask again.
        """
        request = RequestRecord(by, ROUTE, key, fingerprint(order_id)) if key else None
        deliver = partial(delivered, by=by)
        return await self.change_order(order_id, deliver, request=request, moves_money=False)
