"""Somebody at the providers' dashboards, who gives money back without a word to the shop."""

import asyncio
from random import Random
from typing import Any, Final

import httpx

from order_core.invariants import RefundWish
from tests.chaos.heard import Heard
from tests.chaos.town import PROVIDERS, Town

_SECONDS: Final = 5.0
_TAKES: Final = frozenset({"charge", "capture"})


class Dashboard:
    """Now and then a part of some payment goes back, and its event may never be delivered."""

    def __init__(self, town: Town, heard: Heard) -> None:
        self._town = town
        self._heard = heard
        self._chance = Random(f"{town.plan.seed} dashboard")

    async def work(self, over: asyncio.Event) -> None:
        """Until it is over."""
        while not over.is_set():
            await asyncio.sleep(self._chance.uniform(1, 4))
            try:
                await self._give_back(self._chance.choice(PROVIDERS))
            except httpx.HTTPError:
                # The provider is away, too.
                continue

    async def _give_back(self, provider: str) -> None:
        paid = [
            entry
            for entry in await self._town.ledger(provider)
            if entry["kind"] in _TAKES and entry["moved"]
        ]
        if not paid:
            return
        one = self._chance.choice(paid)
        amount = max(1, one["amount"] // self._chance.choice((1, 3, 10)))
        is_lost = self._chance.random() < 0.5
        wishes = self._heard.by_hand.setdefault((provider, one["reference"]), [])
        # Until there is an answer nobody knows whether it was heard.
        wishes.append(RefundWish(amount))
        if is_lost:
            await self._town.steer(provider, "webhooks", {"action": "hold"})
        done = await self._ask(provider, one, amount)
        if is_lost:
            await self._town.steer(provider, "webhooks", {"action": "lose"})
        wishes[-1] = RefundWish(amount, is_accepted=done, is_refused=not done)
        if done:
            what = "a refund, and its event lost" if is_lost else "a refund"
            self._town.diary.note("at the dashboard", what)

    async def _ask(self, provider: str, paid: dict[str, Any], amount: int) -> bool:
        base = f"http://127.0.0.1:{self._town.emulators[provider]}"
        async with httpx.AsyncClient(base_url=base, timeout=_SECONDS, trust_env=False) as client:
            if provider == "stripe":
                answer = await client.post(
                    "/v1/refunds",
                    data={"payment_intent": paid["reference"], "amount": str(amount)},
                    headers={"Authorization": "Bearer sk_test_emulator"},
                )
            else:
                answer = await client.post(
                    "/v2/refunds",
                    json={
                        "idempotency_key": f"by-hand-{self._chance.getrandbits(64):x}",
                        "payment_id": paid["reference"],
                        "amount_money": {"amount": amount, "currency": paid["currency"]},
                    },
                    headers={"Authorization": "Bearer square-emulator-token"},
                )
        if answer.is_server_error:
            # A fault that was ordered: it may have been done all the same.
            answer.raise_for_status()
        return answer.is_success
