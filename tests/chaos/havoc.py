"""Breaks things, one after the other and several at once, until told to stop."""

import asyncio
import time
from random import Random
from typing import Final

from tests.chaos.town import PROVIDERS, Town

_DATABASE: Final = "database"
_LONGEST_PAUSE: Final = 2.5
_MOST_DOWN: Final = 2
"""If all were down at once, there would be nothing to break."""
_LONGEST_DEATH: Final = 1.5
_FAULTS: Final = (
    "request_lost",
    "answer_lost",
    "error_before",
    "error_after",
    "delay",
    "rate_limited",
)
_TOO_LONG_SECONDS: Final = 25.0
"""Longer than any gateway waits."""


class Havoc:
    """Kills, restarts, faults of the providers, and webhooks held back, doubled or shuffled.

    Every program has its turn before any has its second.
    """

    def __init__(self, town: Town) -> None:
        self._town = town
        self._diary = town.diary
        self._chance = Random(f"{town.plan.seed} havoc")
        self._down: set[str] = set()
        self._orders: dict[str, object] = {}
        self._start_seconds = 0.0
        """On a busy machine programs start slowly. They shall live for a while as well."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, seconds: float) -> None:
        """Break things for so long; come back when everything that was killed runs again."""
        try:
            async with asyncio.timeout(seconds):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._kill_in_turn())
                    group.create_task(self._trouble_providers())
                    group.create_task(self._keep_alive())
        except TimeoutError:
            pass
        await self._town.calm_wires()
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # Kills --------------------------------------------------------------------------------

    async def _kill_in_turn(self) -> None:
        while True:
            victims = list(self._town.programs)
            if self._town.postgres is not None:
                victims.append(_DATABASE)
            self._chance.shuffle(victims)
            for victim in victims:
                await asyncio.sleep(self._chance.uniform(0.3, _LONGEST_PAUSE) + self._start_seconds)
                await self._somebody_is_up()
                if victim not in self._down:
                    self._begin(victim)

    async def _somebody_is_up(self) -> None:
        while len(self._tasks) >= _MOST_DOWN:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def _begin(self, victim: str) -> None:
        # Not part of the group: whoever is down when the time is over must come up again.
        self._down.add(victim)
        restart = self._restart_database() if victim == _DATABASE else self._kill(victim)
        task = asyncio.create_task(restart)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kill(self, name: str) -> None:
        program = self._town.programs[name]
        self._diary.note(f"kill -9 {name}")
        program.kill()
        await asyncio.sleep(self._chance.uniform(0, _LONGEST_DEATH))
        await self._start(name)

    async def _start(self, name: str) -> None:
        try:
            begun = time.monotonic()
            await self._town.programs[name].start()
            self._start_seconds = time.monotonic() - begun
            self._diary.note("is up again:", name)
            provider = name.removesuffix("-emulator")
            if provider in self._orders:
                # A new process has no faults on its list.
                await self._town.steer(provider, "faults", self._orders[provider])
        finally:
            self._down.discard(name)

    async def _restart_database(self) -> None:
        postgres = self._town.postgres
        if postgres is None:
            return
        self._diary.note("immediate stop of the database")
        await self._town.in_thread(postgres.stop_immediately)
        await asyncio.sleep(self._chance.uniform(0, _LONGEST_DEATH))
        await self._town.in_thread(postgres.start)
        self._diary.note("is up again:", _DATABASE)
        self._down.discard(_DATABASE)

    async def _keep_alive(self) -> None:
        """What systemd does: start again what could not start while the database was away."""
        while True:
            await asyncio.sleep(0.5)
            for name, program in self._town.programs.items():
                if name not in self._down and program.has_ended:
                    self._diary.note("ended by itself, and is started again:", name)
                    self._down.add(name)
                    task = asyncio.create_task(self._start(name))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    # Providers ----------------------------------------------------------------------------

    async def _trouble_providers(self) -> None:
        for provider in PROVIDERS:
            await self._order_faults(provider)
        while True:
            provider = self._chance.choice(PROVIDERS)
            if self._chance.random() < 0.3:
                await self._trouble_webhooks(provider)
            else:
                await self._order_faults(provider)
            await asyncio.sleep(self._chance.uniform(0.5, 3))

    async def _order_faults(self, provider: str) -> None:
        rate = self._chance.choice((0.0, 0.1, 0.3, 0.6))
        kinds = self._chance.sample(_FAULTS, self._chance.randint(1, len(_FAULTS)))
        order: object = {
            "seed": self._chance.getrandbits(32),
            "rate": rate,
            "kinds": kinds,
            "seconds": self._chance.choice((0.3, 3.0)),
        }
        if self._chance.random() < 0.1:
            path = {"stripe": "/v1/payment_intents", "square": "/v2/payments"}[provider]
            order = [{"on": f"POST {path}", "kind": "delay", "seconds": _TOO_LONG_SECONDS}]
        self._orders[provider] = order
        if await self._town.steer(provider, "faults", order):
            self._diary.note("new faults for", f"{provider}: {order}")

    async def _trouble_webhooks(self, provider: str) -> None:
        order = self._chance.choice(
            (
                {"action": "hold"},
                {"action": "release"},
                {"action": "lose"},
                {"action": "reorder"},
                {"action": "duplicate", "times": 3},
                {"action": "duplicate", "times": 1},
            )
        )
        if await self._town.steer(provider, "webhooks", order):
            self._diary.note("webhooks of", f"{provider}: {order}")
