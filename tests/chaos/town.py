"""The whole shop: database, providers, services, workers, and the wires between them."""

import asyncio
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from tests.chaos.diary import Diary
from tests.chaos.program import Program
from tests.chaos.proxy import CuttingProxy
from tests.integration.postgres import PostgresServer
from tests.integration.service_process import SECRET, command, environment, unused_port

PROVIDERS: Final = ("stripe", "square")
_MIGRATE_SECONDS: Final = 120
_CLOCK_AHEAD: Final = """
    CREATE SCHEMA IF NOT EXISTS ahead;
    CREATE OR REPLACE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT pg_catalog.clock_timestamp() + interval '{seconds} seconds' $$;
    ALTER DATABASE {database} SET search_path = ahead, pg_catalog, public;
"""
"""Sessions that begin from now on find this function before the built-in one."""


@dataclass(frozen=True)
class Plan:
    """What kind of run it is."""

    seconds: float
    seed: int
    database: str
    """`postgresql` or `sqlite`."""
    capture: str
    """`immediate` or `on_processing`."""
    folder: Path


class Town:
    """Everything that runs. With SQLite there is one service, with the worker inside."""

    def __init__(self, plan: Plan, diary: Diary) -> None:
        self.plan = plan
        self.diary = diary
        self.postgres: PostgresServer | None = None
        self.database_url = f"sqlite:///{plan.folder / 'orders.sqlite3'}"
        self.programs: dict[str, Program] = {}
        self.settings: dict[str, str] = {}
        """Of every program of ours."""
        self.emulators: dict[str, int] = {}
        """Provider -> the port of its emulator, without a proxy."""
        self.doors: list[CuttingProxy] = []
        """Where customers come in."""
        self._proxies: list[CuttingProxy] = []
        # The thread that starts PostgreSQL has to outlive it: the server ends with it.
        self._thread = ThreadPoolExecutor(max_workers=1)

    @property
    def door_urls(self) -> list[str]:
        return [f"http://127.0.0.1:{door.port}" for door in self.doors]

    async def start(self) -> None:
        """Come back once everything answers."""
        address = self.database_url
        if self.plan.database == "postgresql":
            address = await self._start_postgres()
        ports = [unused_port() for _ in range(1 if self.postgres is None else 2)]
        for number, port in enumerate(ports, 1):
            door = await self._proxy(f"customers to service-{number}", port, 0.02, 0.01)
            self.doors.append(door)
        self.settings = settings = {
            "DATABASE_URL": address,
            **self._settings(),
            **await self._providers(),
        }
        with_worker = self.postgres is None
        for number, port in enumerate(ports, 1):
            arguments = ("serve",) if with_worker else ("serve", "--no-worker")
            self._program(f"service-{number}", *arguments, port=port, settings=settings)
        if not with_worker:
            for number in (1, 2):
                self._program(f"worker-{number}", "worker", settings=settings)
        # One after the other: the first one makes the tables.
        for program in self.programs.values():
            await program.start()
        await self._keep_events_on_record()

    async def _keep_events_on_record(self) -> None:
        # Square does so only for whoever has asked for it.
        url = f"http://127.0.0.1:{self.emulators['square']}/v2/events/enable"
        own = {"Authorization": f"Bearer {self.settings['SQUARE_ACCESS_TOKEN']}"}
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            (await client.put(url, headers=own)).raise_for_status()

    async def _start_postgres(self) -> str:
        self.postgres = postgres = PostgresServer()
        await self.in_thread(postgres.create)
        await self.in_thread(postgres.start)
        name = await self.in_thread(postgres.create_database)
        self.database_url = postgres.url(name)
        made = await self.in_thread(_migrate, self.database_url)
        if made.returncode:
            raise RuntimeError(f"the tables could not be made: {made.stderr}")
        wire = await self._proxy("services to database", postgres.port, 0.002, 0.001)
        return self.database_url.replace(f":{postgres.port}/", f":{wire.port}/")

    async def _providers(self) -> dict[str, str]:
        bases: dict[str, str] = {}
        hooks = {
            provider: f"{self.door_urls[number % len(self.doors)]}/api/webhooks/{provider}"
            for number, provider in enumerate(PROVIDERS)
        }
        for provider, hook in hooks.items():
            port = self.emulators[provider] = unused_port()
            wire = await self._proxy(f"services to {provider}", port, 0.02, 0.01)
            bases[provider] = f"http://127.0.0.1:{wire.port}"
            arguments = (
                *("emulate", provider, "--port", str(port), "--webhook-url", hook),
                *("--journal", str(self.journal(provider))),
            )
            books = f"http://127.0.0.1:{port}/_emulator/webhooks"
            self._program(f"{provider}-emulator", *arguments, settings={}, answers_at=books)
        return {
            "STRIPE_API_KEY": "sk_test_emulator",
            "STRIPE_WEBHOOK_SECRET": "whsec_emulator",
            "STRIPE_API_BASE": bases["stripe"],
            "SQUARE_ACCESS_TOKEN": "square-emulator-token",
            "SQUARE_LOCATION_ID": "LEMULATED",
            "SQUARE_CURRENCY": "USD",
            "SQUARE_API_BASE": bases["square"],
            "SQUARE_WEBHOOK_SIGNATURE_KEY": "square-emulator-signature-key",
            "SQUARE_WEBHOOK_URL": hooks["square"],
        }

    def _settings(self) -> dict[str, str]:
        # Short times, so that each of them passes many times within one run.
        return {
            "PRICES": "trust",
            "DEFAULT_PROVIDER": "stripe",
            "JWT_SECRET": SECRET,
            "MAIL_URL": f"file:{self.plan.folder / 'mails'}",
            "MAIL_FROM": "orders@shop.example",
            "RECOVERY_DELAY": "1",
            "CHARGE_WINDOW": "20",
            "ACTION_EXPIRY": "10",
            "CAPTURE": self.plan.capture,
            "SHUTDOWN_GRACE": "1",
            "RATE_LIMIT": "off",
        }

    def journal(self, provider: str) -> Path:
        """What the emulator was asked, request by request."""
        return self.plan.folder / f"{provider}.journal"

    def _program(
        self,
        name: str,
        *arguments: str,
        settings: dict[str, str],
        port: int | None = None,
        answers_at: str | None = None,
    ) -> None:
        if port is not None:
            settings = settings | {"PORT": str(port)}
            answers_at = f"http://127.0.0.1:{port}/health/ready"
        log = self.plan.folder / f"{name}.log"
        self.programs[name] = Program(
            name, *arguments, settings=settings, log=log, answers_at=answers_at
        )

    async def _proxy(self, name: str, target: int, answers: float, requests: float) -> CuttingProxy:
        chance = Random(f"{self.plan.seed} {name}")
        proxy = CuttingProxy(
            name, target, chance=chance, diary=self.diary, answers=answers, requests=requests
        )
        await proxy.start()
        self._proxies.append(proxy)
        return proxy

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run what blocks beside the event loop, one after the other."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(work, *arguments))

    async def steer(self, provider: str, path: str, order: object) -> bool:
        """Tell the emulator's control endpoints something; False if it is away."""
        url = f"http://127.0.0.1:{self.emulators[provider]}/_emulator/{path}"
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                return (await client.post(url, json=order)).is_success
        except httpx.HTTPError:
            return False

    async def ledger(self, provider: str) -> list[dict[str, Any]]:
        """Every movement in the provider's books."""
        url = f"http://127.0.0.1:{self.emulators[provider]}/_emulator/ledger"
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            entries: list[dict[str, Any]] = (await client.get(url)).raise_for_status().json()
        return entries

    async def calm_wires(self) -> None:
        """Every wire holds from now on, and no provider makes trouble."""
        for proxy in self._proxies:
            proxy.calm = True
        for provider in PROVIDERS:
            await self.steer(provider, "faults", [])

    async def calm_down(self) -> None:
        """No more trouble: every wire holds, and everything runs."""
        await self.calm_wires()
        for program in self.programs.values():
            if program.has_ended:
                await program.start()
        for provider in PROVIDERS:
            for path, order in (
                ("faults", []),
                ("webhooks", {"action": "release"}),
                ("webhooks", {"action": "duplicate", "times": 1}),
            ):
                await self.steer(provider, path, order)

    async def go_ahead(self, hours: float) -> None:
        """Kill every program, and start what brings orders to rest with its clock so far ahead.

        That is one worker, and the providers, whose webhooks find nobody. The database is as
        far ahead: a worker that differs from it would not work.
        """
        for program in self.programs.values():
            program.kill()
            program.hours_ahead = hours
        if self.postgres is not None:
            name = self.database_url.rpartition("/")[2]
            ahead = _CLOCK_AHEAD.format(database=name, seconds=round(hours * 3600))
            await self.in_thread(partial(self.postgres.execute, ahead, database=name))
        needed = ["service-1" if self.postgres is None else "worker-1"]
        for name in [*(f"{provider}-emulator" for provider in PROVIDERS), *needed]:
            await self.programs[name].start()

    async def close(self) -> None:
        for program in self.programs.values():
            program.kill()
        for proxy in self._proxies:
            await proxy.close()
        if self.postgres is not None:
            await self.in_thread(self.postgres.close)
        self._thread.shutdown()


def _migrate(database_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("migrate"),
        env=environment(DATABASE_URL=database_url),
        check=False,
        capture_output=True,
        text=True,
        timeout=_MIGRATE_SECONDS,
    )
