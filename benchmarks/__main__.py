"""`python -m benchmarks`: measure, print, and keep what was measured."""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import report
from benchmarks.rounds import Bench
from benchmarks.servers import ours, reference
from tests.integration.postgres import PostgresServer

_BOOKS: Final = Path("/dev/shm")  # noqa: S108 - the provider's disk is not ours to measure


def main() -> None:
    """Start everything, measure in rounds, and say what it came to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--keep", action="store_true", help="write docs/speed.* as well")
    arguments = parser.parse_args()
    postgres = PostgresServer(durable=True)
    with ExitStack() as closing:
        closing.callback(postgres.close)
        postgres.create()
        postgres.start()
        books = _BOOKS if _BOOKS.is_dir() else None
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(dir=books)))
        servers = [
            closing.enter_context(ours(postgres, folder)),
            closing.enter_context(reference("usual", postgres, folder)),
            closing.enter_context(reference("limit", postgres, folder)),
        ]
        bench = Bench(postgres, servers, folder)
        bench.fill()
        figures = bench.measure(rounds=arguments.rounds, seconds=arguments.seconds)
    print(report.as_text(figures))
    if arguments.keep:
        report.keep(figures)


if __name__ == "__main__":
    main()
