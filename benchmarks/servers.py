"""The servers that are measured: one worker process each, on the same ASGI server."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from order_jwt import issue_token
from tests.integration.postgres import PostgresServer
from tests.integration.service_process import (
    command,
    die_with_the_tests,
    environment,
    run_command,
    unused_port,
)

SECRET: Final = "the secret of everybody who is measured here"
_START_SECONDS: Final = 30
_CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE_MIB: Final = os.sysconf("SC_PAGE_SIZE") / 1024**2


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    port: int
    process: int
    database: str
    payment_method: str

    def cpu_seconds(self) -> float:
        """Of its process and the children, since the start."""
        return cpu_seconds_of_family(self.process)

    def memory_mib(self) -> float:
        """Resident, of the process that answers: the largest of the family."""
        family = (self.process, *_children(self.process))
        return max(_resident_pages(each) for each in family) * _PAGE_MIB


def cpu_seconds_of_family(process: int) -> float:
    """Of a process and its children, those that have ended among them."""
    ended = sum(_times(process)[2:])
    return ended + sum(sum(_times(each)[:2]) for each in (process, *_children(process)))


def token() -> str:
    """One that every server believes."""
    return issue_token(SECRET, subject="ada", scopes=("orders:read", "orders:write"))


@contextmanager
def ours(postgres: PostgresServer, folder: Path, *, workers: int = 1) -> Iterator[Server]:
    """The service with everything on, without the embedded worker."""
    name = "order-core" if workers == 1 else f"order-core with {workers}"
    database = postgres.create_database()
    url = postgres.url(database)
    with _serving(url, folder, "--no-worker", workers=workers) as (port, process):
        yield Server(name, port, process, database, "sandbox:ok")


@contextmanager
def ours_on_sqlite(folder: Path) -> Iterator[Server]:
    """The service as `make demo` runs it: on a file in `folder`, and its worker inside."""
    url = f"sqlite:///{folder / 'orders.sqlite3'}"
    with _serving(url, folder) as (port, process):
        yield Server("order-core on SQLite", port, process, url, "sandbox:ok")


@contextmanager
def _serving(url: str, folder: Path, *options: str, workers: int = 1) -> Iterator[tuple[int, int]]:
    """The port and the process of a service of ours."""
    settings = {
        "DATABASE_URL": url,
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(folder / f"sandbox-{workers}.sqlite3"),
        "PRICES": "trust",
        "JWT_SECRET": SECRET,
        "LOG_LEVEL": "info",
        "WORKERS": str(workers),
        "RATE_LIMIT": "100000/second",
        "RATE_LIMIT_ADDRESS": "100000/second",
    }
    run_command("migrate", **settings).check_returncode()
    port = unused_port()
    variables = environment(**settings, PORT=str(port))
    log = folder / f"ours-{workers}.log"
    with _running(command("serve", *options), log, port, variables) as process:
        yield port, process


@contextmanager
def reference(name: str, postgres: PostgresServer, folder: Path) -> Iterator[Server]:
    """*usual* or *limit*."""
    database = postgres.create_database()
    changes = {"BENCH_DATABASE_URL": postgres.url(database), "BENCH_JWT_SECRET": SECRET}
    os.environ.update(changes)
    module = importlib.import_module(f"benchmarks.references.{name}")
    asyncio.run(module.make_tables())
    port = unused_port()
    granian = [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1"),
        *("--loop", "uvloop", "--http", "1", "--no-ws", "--port", str(port), "--no-access-log"),
        f"benchmarks.references.{name}:app",
    ]
    log = folder / f"{name}.log"
    with _running(granian, log, port, environment() | changes) as process:
        yield Server(name, port, process, database, "none")


@contextmanager
def _running(
    arguments: list[str], log: Path, port: int, variables: dict[str, str]
) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a command of ours
            arguments,
            env=variables,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
        )
    try:
        _wait_until_it_answers(port, process, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/live")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{log.stem} did not start: {log.read_text()[-2000:]}")


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(each) for each in found]


def _resident_pages(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1])


def _times(process: int) -> tuple[float, ...]:
    """User, system, and both of the children that have ended; seconds."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return (0, 0, 0, 0)
    # The name may hold blanks and brackets, so counting begins behind its end.
    fields = stat.rpartition(")")[2].split()
    return tuple(int(field) / _CLOCK_TICKS for field in fields[11:15])
