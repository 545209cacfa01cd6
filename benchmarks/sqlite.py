"""`python -m benchmarks.sqlite`: creates a second on SQLite, where nothing is lost either."""

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.servers import Server, ours_on_sqlite, token
from benchmarks.wrk import Load, press

_LEAST_SYNCS: Final = 2_000
"""A second; a slower disk says nothing about the program."""
_LEAST_CREATES: Final = 300
_CLIENTS: Final = (32, 64)
_PAGE: Final = bytes(4096)


def main() -> None:
    """Measure the disk and the service on it; exit code 1 if creates fail or are too few."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sqlite", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        syncs = _syncs_per_second(folder / "synced")
        print(f"the disk does {syncs:,.0f} fdatasync a second")
        with ours_on_sqlite(folder) as server:
            good = [_measured(server, clients, seconds) for clients in _CLIENTS]
            # Before it is stopped: whoever left without his answer is told of then.
            mistakes = _complaints(folder)
        if mistakes:
            print(f"the service complained: {mistakes[0]}")
    if syncs < _LEAST_SYNCS:
        print(f"SKIPPED the goal: it is for disks that do {_LEAST_SYNCS:,}.")
    sys.exit(1 if mistakes or (syncs >= _LEAST_SYNCS and not all(good)) else 0)


def _measured(server: Server, clients: int, seconds: int) -> bool:
    """Whether creates were quick enough and none failed."""
    load = Load("create", "/api/orders/create", token(), server.payment_method)
    # The first second of a process is spent on what it does once.
    press(server.port, load, seconds=1, seed=f"warm-{clients}", connections=clients)
    before = _orders(server)
    told = press(server.port, load, seconds=seconds, seed=f"run-{clients}", connections=clients)
    stored = _orders(server) - before
    print(
        f"{clients} clients: {told.per_second:.0f} creates a second, {told.errors} errors, "
        f"p50 {told.p50_us / 1000:.0f} ms, p99 {told.p99_us / 1000:.0f} ms"
    )
    return told.per_second >= _LEAST_CREATES and not told.errors and stored >= told.requests


def _orders(server: Server) -> int:
    connection = sqlite3.connect(server.database.removeprefix("sqlite:///"))
    try:
        (count,) = connection.execute("SELECT count(*) FROM orders").fetchone()
    finally:
        connection.close()
    return int(count)


def _complaints(folder: Path) -> list[str]:
    """Lines of the log that are no answers; a locked database is one."""
    return [
        line
        for log in folder.glob("*.log")
        for line in log.read_text().splitlines()
        if '"level": "error"' in line or "locked" in line
    ]


def _syncs_per_second(path: Path) -> float:
    begun, done = time.perf_counter(), 0
    with path.open("wb", buffering=0) as file:
        while (spent := time.perf_counter() - begun) < 1:
            file.write(_PAGE)
            os.fdatasync(file.fileno())
            done += 1
    return done / spent


if __name__ == "__main__":
    main()
