"""`python -m benchmarks.cores`: what a second worker process of the service gives.

The load and the database need cores of their own, so that fewer than four prove nothing.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.rounds import Bench
from benchmarks.servers import ours
from tests.integration.postgres import PostgresServer

_LEAST_CORES: Final = 4
_LEAST_GAIN: Final = 1.7


def main() -> None:
    """Measure one beside two, in turns; exit code 1 if two are not worth 1.7."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cores", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--anyway", action="store_true", help="on fewer cores, too")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    if cores < _LEAST_CORES and not arguments.anyway:
        print(f"SKIPPED: two workers, the load and the database need four cores; here are {cores}.")
        return
    postgres = PostgresServer(durable=True)
    with ExitStack() as closing:
        closing.callback(postgres.close)
        postgres.create()
        postgres.start()
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        servers = [
            closing.enter_context(ours(postgres, folder, workers=number)) for number in (1, 2)
        ]
        bench = Bench(postgres, servers, folder)
        bench.fill()
        figures = bench.measure(rounds=arguments.rounds, seconds=arguments.seconds)
    one, two = (server.name for server in servers)
    gains = {
        mode: figures[two, mode].median_per_second / figures[one, mode].median_per_second
        for mode in ("get", "list", "create")
    }
    print("two workers instead of one: " + ", ".join(f"{m} {g:.2f}" for m, g in gains.items()))
    sys.exit(1 if min(gains["get"], gains["list"]) < _LEAST_GAIN else 0)


if __name__ == "__main__":
    main()
