"""Those who sell: they give money back, all of it or a part, and process orders."""

import asyncio
from random import Random
from typing import Final

from order_core.order_status import OrderStatus
from tests.chaos.calling import Caller
from tests.chaos.heard import Answer, Refunding

SCOPES: Final = ["orders:manage"]
_NEWEST: Final = 200
_ACCEPTED: Final = frozenset({200, 202})


class Clerk:
    """Picks placed orders that somebody was told of."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._chance: Random = caller.chance

    async def serve(self, over: asyncio.Event) -> None:
        """Work until it is over, and then only finish what is begun."""
        while not over.is_set():
            await asyncio.sleep(self._chance.uniform(0.05, 0.5))
            order_id = self._pick()
            if order_id is None:
                continue
            if self._chance.random() < 0.5:
                await self._process(order_id)
            else:
                await self._refund(order_id)

    def _pick(self) -> str | None:
        newest = self._caller.heard.answers[-_NEWEST:]
        placed = [a.order_id for a in newest if a.order_status is OrderStatus.PENDING]
        return self._chance.choice(placed) if placed else None

    async def _process(self, order_id: str) -> None:
        path = f"/api/orders/{order_id}/process"
        key = f"process-{self._chance.getrandbits(64):x}"
        await self._caller.insist("process", "POST", path, key=key, order_id=order_id)

    async def _refund(self, order_id: str) -> None:
        part = self._chance.random() < 0.6
        cents = self._chance.randint(1, 60_000) if part else None
        wish = Refunding(f"refund-{self._chance.getrandbits(64):x}", order_id, cents)
        self._caller.heard.refunds[wish.key] = wish
        clicks = 2 if self._chance.random() < 0.2 else 1
        await asyncio.gather(*(self._ask(wish) for _ in range(clicks)))

    async def _ask(self, wish: Refunding) -> None:
        cents = wish.minor_units
        body = {} if cents is None else {"amount": f"{cents // 100}.{cents % 100:02}"}
        path = f"/api/orders/{wish.order_id}/refunds"
        came = await self._caller.insist(
            "refund", "POST", path, body=body, key=wish.key, order_id=wish.order_id
        )
        if came is not None:
            self._hear(wish, came[0])

    @staticmethod
    def _hear(wish: Refunding, answer: Answer) -> None:
        if answer.http_status in _ACCEPTED:
            wish.is_accepted = True
        else:
            wish.is_refused = True
