"""`python -m benchmarks.soak`: whether the memory of a process grows with what it answers."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from benchmarks.servers import ours, token
from benchmarks.wrk import Load, press
from tests.integration.postgres import PostgresServer

_MOST_MIB: Final = 120.0
_MOST_GROWTH: Final = 1.05
"""Of the second half over its beginning."""
_CREATES, _LISTS, _GETS = 1, 3, 8
"""Seconds of each in a turn."""


def main() -> None:
    """Press in turns until so many requests were answered; exit code 1 if memory grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=30, help="at the most")
    chosen = parser.parse_args()
    postgres = PostgresServer(durable=True)
    try:
        postgres.create()
        postgres.start()
        with tempfile.TemporaryDirectory() as folder:
            sizes = _sizes(postgres, Path(folder), chosen.requests, chosen.minutes * 60)
    finally:
        postgres.close()
    half = sizes[len(sizes) // 2 :]
    print(f"MiB after each turn: {', '.join(f'{size:.0f}' for size in sizes)}")
    grew = max(half) / half[0]
    print(f"at most {max(sizes):.0f} MiB; the second half grew by {grew - 1:.1%}")
    sys.exit(1 if max(sizes) > _MOST_MIB or grew > _MOST_GROWTH else 0)


def _sizes(postgres: PostgresServer, folder: Path, requests: int, seconds: float) -> list[float]:
    sizes: list[float] = []
    answered, until = 0, time.monotonic() + seconds
    bearer = token()
    with ours(postgres, folder) as server:
        while answered < requests and time.monotonic() < until:
            seed = f"soak-{len(sizes)}"
            create = Load("create", "/api/orders/create", bearer, server.payment_method)
            answered += press(server.port, create, seconds=_CREATES, seed=seed).requests
            asked = f"http://127.0.0.1:{server.port}/api/orders/?limit=100"
            headers = {"Authorization": f"Bearer {bearer}"}
            told = httpx.get(asked, headers=headers, timeout=30).json()
            ids = folder / "soak.ids"
            ids.write_text("\n".join(order["order_id"] for order in told))
            listing = Load("list", "/api/orders/?limit=10", bearer)
            answered += press(server.port, listing, seconds=_LISTS, seed=seed).requests
            getting = Load("get", "/api/orders/", bearer, ids=ids)
            answered += press(server.port, getting, seconds=_GETS, seed=seed).requests
            sizes.append(server.memory_mib())
            print(f"{answered:,} answered, {sizes[-1]:.0f} MiB", file=sys.stderr, flush=True)
    return sizes


if __name__ == "__main__":
    main()
