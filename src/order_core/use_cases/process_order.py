"""Begin to process an order; its money is taken first, if it was only held."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from order_core.order import Order
from order_core.payment import fingerprint
from order_core.ports import RequestRecord
from order_core.processing import processed
from order_core.use_cases.change_order import ChangeOrder

ROUTE: Final = "POST /api/orders/{order_id}/process"


@dataclass(frozen=True, slots=True)
class ProcessOrder:
    """Staff begins with an order."""

    change_order: ChangeOrder

    async def __call__(self, order_id: str, *, by: str, key: str | None = None) -> Order:
        """The order being processed, or `pending` still while its capture has no outcome.

        Raises:
            OrderNotFound: there is no such order.
            CannotProcess: it is not paid, or it is too late, with the reason.
            IdempotencyKeyReused: the key came before, for another order.
            StoreUnavailable, ProviderUnavailable: nothing happened.
            CommitUnknown: it may be done; ask again.
        """
        request = RequestRecord(by, ROUTE, key, fingerprint(order_id)) if key else None
        return await self.change_order(order_id, partial(processed, by=by), request=request)
