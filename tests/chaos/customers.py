"""Those who buy: they click twice, ask again, hang up, change their mind, and walk away."""

import asyncio
from random import Random
from typing import Any, Final

from tests.chaos.calling import Caller
from tests.chaos.heard import Answer, Wish
from tests.chaos.town import Town

SCOPES: Final = ["orders:read", "orders:write"]
_ACCEPTED: Final = 202
_PLACED: Final = 201
_MOST_POLLS: Final = 8
_STRIPE: Final = (
    ("stripe:pm_card_visa", 6),
    ("stripe:tok_1{}", 3),
    ("stripe:pm_card_visa_chargeDeclined", 1),
    ("stripe:tok_chargeDeclinedInsufficientFunds", 1),
    ("stripe:pm_card_authenticationRequired", 2),
)
_SQUARE: Final = (
    ("square:ccof:customer-card-id-ok", 5),
    ("square:cnon:once-{}", 4),
    ("square:ccof:customer-card-id-declined", 1),
)
_WAYS_TO_PAY: Final = _STRIPE + _SQUARE


class Customer:
    """Orders one thing after the other."""

    def __init__(self, caller: Caller, town: Town) -> None:
        self._caller = caller
        self._chance: Random = caller.chance
        self._town = town
        self._last_method = "stripe:pm_card_visa"

    async def shop(self, over: asyncio.Event) -> None:
        """Buy until it is over, and then only finish what is begun."""
        while not over.is_set():
            await self._buy(over)
            await asyncio.sleep(self._chance.uniform(0.0, 0.4))

    async def settle(self, wish: Wish) -> None:
        """Ask what became of a wish that has no definite answer yet."""
        await self._ask(wish)

    async def _buy(self, over: asyncio.Event) -> None:
        wish = Wish(f"{self._chance.getrandbits(128):032x}", self._caller.who, self._body())
        self._caller.heard.wishes[wish.key] = wish
        if self._chance.random() < 0.04:
            await self._walk_away(wish)
            return
        clicks = 2 if self._chance.random() < 0.2 else 1
        answers = await asyncio.gather(*(self._ask(wish) for _ in range(clicks)))
        answer = answers[0]
        if answer is None or answer.order_id is None:
            return
        if answer.http_status == _ACCEPTED and not over.is_set():
            await self._wait_for(wish)
        if answer.http_status in {_PLACED, _ACCEPTED}:
            await self._change_mind(answer.order_id)

    async def _walk_away(self, wish: Wish) -> None:
        asking = asyncio.create_task(self._ask(wish))
        await asyncio.sleep(self._chance.uniform(0, 0.1))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    def _body(self) -> dict[str, Any]:
        cents = self._chance.randint(100, 99_999)
        quantity = self._chance.randint(1, 3)
        ways, weights = zip(*_WAYS_TO_PAY, strict=True)
        method = self._chance.choices(ways, weights)[0].format(f"{self._chance.getrandbits(64):x}")
        if self._chance.random() < 0.03:
            # Perhaps one that pays only once, and has.
            method = self._last_method
        self._last_method = method
        return {
            "items": [
                {
                    "product_id": f"thing-{self._chance.getrandbits(48):x}",
                    "quantity": quantity,
                    "price": f"{cents // 100}.{cents % 100:02}",
                }
            ],
            "shipping_address": {"name": self._caller.who, "city": "Chaos"},
            "payment_method": method,
            "email": f"{self._caller.who}@example.com",
        }

    async def _ask(self, wish: Wish) -> Answer | None:
        came = await self._caller.insist(
            "place", "POST", "/api/orders/create", body=wish.body, key=wish.key
        )
        if came is None:
            return None
        answer, document = came
        wish.is_settled = wish.is_settled or answer.http_status != _ACCEPTED
        action = document.get("payment", {}).get("action", {})
        if secret := action.get("client_secret"):
            await self._act(secret.partition("_secret")[0])
        return answer

    async def _act(self, reference: str) -> None:
        decision = self._chance.choices(("approve", "refuse", None), (6, 2, 2))[0]
        if decision is not None:
            order = {"reference": reference, "decision": decision}
            await self._town.steer("stripe", "act", order)

    async def _wait_for(self, wish: Wish) -> None:
        for _ in range(_MOST_POLLS):
            if wish.is_settled:
                return
            await asyncio.sleep(self._chance.uniform(0.1, 0.6))
            await self._ask(wish)

    async def _change_mind(self, order_id: str) -> None:
        match self._chance.randrange(10):
            case 0 | 1 | 2:
                times = 2 if self._chance.random() < 0.3 else 1
                await asyncio.gather(*(self._cancel(order_id) for _ in range(times)))
            case 3 | 4:
                await self._caller.insist(
                    "read", "GET", f"/api/orders/{order_id}", order_id=order_id
                )
            case 5:
                await self._caller.insist("list", "GET", "/api/orders/?limit=20")

    async def _cancel(self, order_id: str) -> None:
        key = self._chance.choice((None, f"cancel-{self._chance.getrandbits(64):x}"))
        path = f"/api/orders/{order_id}/cancel"
        await self._caller.insist("cancel", "POST", path, key=key, order_id=order_id)
