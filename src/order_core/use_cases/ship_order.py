"""Note that a parcel of an order left."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from order_core.order import Order
from order_core.payment import fingerprint
from order_core.ports import RequestRecord
from order_core.shipping import shipped
from order_core.use_cases.change_order import ChangeOrder

ROUTE: Final = "POST /api/orders/{order_id}/ship"


@dataclass(frozen=True, slots=True)
class ShipOrder:
    """Staff gives a parcel to a carrier; the customer is told."""

    change_order: ChangeOrder

    async def __call__(
        self, order_id: str, *, carrier: str, tracking_number: str, by: str, key: str | None = None
    ) -> Order:
        """The shipped order. The same parcel again changes nothing; another one is added.

        Raises:
            OrderNotFound: there is no such order.
            CannotShip: it is not being processed, or not paid, with the reason.
            InvalidValue: the carrier or the number is no such thing.
            IdempotencyKeyReused: the key came before, with another parcel.
            StoreUnavailable: nothing happened.
            CommitUnknown: it may be done; ask again.
        """
        body = fingerprint(order_id, carrier, tracking_number)
        request = RequestRecord(by, ROUTE, key, body) if key else None
        ship = partial(shipped, carrier=carrier, tracking_number=tracking_number, by=by)
        return await self.change_order(order_id, ship, request=request, moves_money=False)
