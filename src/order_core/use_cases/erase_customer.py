"""Erase what is personal in a customer's orders; goods, amounts and payments stay."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from order_core.erasure import erased, erasure_refusal, is_erased
from order_core.errors import ConcurrentUpdate
from order_core.ports import Clock, CustomerData, HeldOrder

PAGE: Final = 100
"""So many orders are read, and held in memory, at once."""


@dataclass(frozen=True, slots=True)
class ErasedOrder:
    """What became of one order."""

    order_id: str
    refusal: tuple[str, str] | None = None
    """Why its data is still needed (a word, a clause); None if it is gone."""
    was_erased_before: bool = False


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """Goes through all orders of a customer, one transaction for each.

    What is still needed is left, and told: call it again once that has changed. A crash
    leaves whole orders behind, erased or not, and the next call goes on with the rest.
    """

    data: CustomerData
    clock: Clock

    async def __call__(self, customer_id: str) -> AsyncGenerator[ErasedOrder]:
        """What became of each order, oldest first. Before any of them, all sessions end.

        Raises:
            StoreUnavailable, CommitUnknown: those not named yet may be as they were.
        """
        await self.data.forget_sessions(customer_id)
        after = None
        while True:
            page = await self.data.orders(customer_id, after=after, limit=PAGE)
            for held in page:
                yield await self._erase(held)
            if len(page) < PAGE:
                return
            after = (page[-1].order.created_at, page[-1].order.id)

    async def _erase(self, held: HeldOrder) -> ErasedOrder:
        order = held.order
        if is_erased(order):
            return ErasedOrder(order.id, was_erased_before=True)
        refusal = erasure_refusal(order, untold_events=held.untold_events)
        if refusal is None:
            try:
                await self.data.erase(erased(order, at=self.clock.now()))
            except ConcurrentUpdate:
                # Whatever happened to it just now may need its address.
                refusal = ("just_changed", "it changed at this moment")
        return ErasedOrder(order.id, refusal)
