"""Interleaved rounds: every server does the same work in turn, so that noise meets all alike."""

import os
import random
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from httpx import codes

from benchmarks.servers import Server, cpu_seconds_of_family, token
from benchmarks.wrk import Load, Measured, press
from tests.integration.postgres import PostgresServer

MODES: Final = ("get", "list", "create", "create-twice")
_ORDERS_BEFORE: Final = 300
_WARM_SECONDS: Final = 2
_SATURATION: Final = 0.7
# The tails of a server that does nearly nothing are those of the machine.
_PACED: Final = ("order-core", "limit")


@dataclass(slots=True)
class Figures:
    """What was measured of one server in one mode, a value for each round."""

    per_second: list[float] = field(default_factory=list)
    p50_us: list[int] = field(default_factory=list)
    p99_us: list[int] = field(default_factory=list)
    server_cpu_us: list[float] = field(default_factory=list)
    database_cpu_us: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    errors: int = 0
    memory_mib: float = 0
    paced_p99_of_p50: list[float] = field(default_factory=list)

    @property
    def median_per_second(self) -> float:
        """Requests a second."""
        return statistics.median(self.per_second)


Measurements = dict[tuple[str, str], Figures]
"""(server, mode) -> figures."""


class Bench:
    """The servers, filled with equal orders, and the measuring of them."""

    def __init__(self, postgres: PostgresServer, servers: list[Server], folder: Path) -> None:
        self._postgres = postgres
        self._servers = servers
        self._folder = folder
        self._token = token()
        self._runs = 0

    def fill(self) -> None:
        """Give every server the same few hundred orders of the customer who will ask."""
        for server in self._servers:
            press(server.port, self._load(server, "create"), seconds=1, seed=self._seed())
            with self._client(server) as client:
                for number in range(_ORDERS_BEFORE):
                    answer = client.post("/api/orders/create", json=_order(server, number))
                    if answer.status_code != codes.CREATED:
                        raise RuntimeError(f"{server.name} said {answer.text}")
                told = client.get("/api/orders/?limit=100").json()
            ids = [each.get("order_id", each.get("id")) for each in told]
            self._ids(server).write_text("\n".join(filter(None, ids)) or self._sql_ids(server))

    def measure(self, *, rounds: int, seconds: int) -> Measurements:
        """Every server in every mode, `rounds` times for `seconds` each."""
        self._durability()
        figures: Measurements = {}
        plan = [(s, m) for m in MODES for s in self._servers if m != "create-twice" or _bare(s)]
        for server, mode in plan:
            press(server.port, self._load(server, mode), seconds=_WARM_SECONDS, seed=self._seed())
        for number in range(1, rounds + 1):
            random.shuffle(plan)
            for server, mode in plan:
                _say(f"round {number} of {rounds}: {mode} of {server.name}")
                own = figures.setdefault((server.name, mode), Figures())
                self._measure(server, self._load(server, mode), seconds, own)
                if server.name in _PACED:
                    self._pace(server, mode, seconds, own)
        return figures

    def _pace(self, server: Server, mode: str, seconds: int, own: Figures) -> None:
        # Of what it could do just now: the machine's speed changes from round to round.
        load = self._load(server, mode, rate=_SATURATION * own.per_second[-1])
        _say(f"{mode} of {server.name} at {_SATURATION:.0%} of what it can")
        paced = press(server.port, load, seconds=seconds, seed=self._seed())
        own.paced_p99_of_p50.append(paced.p99_us / paced.p50_us)

    def _measure(self, server: Server, load: Load, seconds: int, own: Figures) -> None:
        before = self._spent(server)
        measured: Measured = press(server.port, load, seconds=seconds, seed=self._seed())
        after = self._spent(server)
        spent = [(b - a) / max(measured.requests, 1) for a, b in zip(before, after, strict=True)]
        own.per_second.append(measured.per_second)
        own.p50_us.append(measured.p50_us)
        own.p99_us.append(measured.p99_us)
        own.server_cpu_us.append(spent[0] * 1e6)
        own.database_cpu_us.append(spent[1] * 1e6)
        own.commits.append(spent[2])
        own.errors += measured.errors
        own.memory_mib = server.memory_mib()

    def _spent(self, server: Server) -> tuple[float, float, float]:
        commits = self._postgres.execute(
            f"SELECT xact_commit FROM pg_stat_database WHERE datname = '{server.database}'"  # noqa: S608 - a name of ours
        )
        return (
            server.cpu_seconds(),
            cpu_seconds_of_family(self._postgres.process),
            float(commits),
        )

    def _durability(self) -> None:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            value = self._postgres.execute(f"SHOW {name}")
            if value != "on":
                raise RuntimeError(f"{name} is {value}: what is measured would not be true")

    def _load(self, server: Server, mode: str, rate: float = 0) -> Load:
        path = {
            "get": "/api/orders/",
            "list": "/api/orders/?limit=10",
            "create": "/api/orders/create",
            "create-twice": "/api/orders/create-twice",
        }[mode]
        kind = "create" if mode == "create-twice" else mode
        method = server.payment_method
        return Load(kind, path, self._token, method, self._ids(server), rate)

    def _seed(self) -> str:
        self._runs += 1
        return f"{os.getpid()}x{self._runs}"

    def _ids(self, server: Server) -> Path:
        return self._folder / f"{server.name}.ids"

    def _sql_ids(self, server: Server) -> str:
        newest = "SELECT id FROM orders ORDER BY created_at DESC LIMIT 100"
        return self._postgres.execute(newest, database=server.database)

    def _client(self, server: Server) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=30,
        )


def _bare(server: Server) -> bool:
    return server.name == "limit"


def _order(server: Server, number: int) -> dict[str, Any]:
    return {
        "items": [
            {"product_id": f"mug-{number}", "quantity": 2, "price": 12.5},
            {"product_id": "tea-assam", "quantity": 1, "price": 8.9},
        ],
        "shipping_address": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "city": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
        "payment_method": server.payment_method,
    }


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
