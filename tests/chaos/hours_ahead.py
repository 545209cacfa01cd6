"""`order-core`, some hours later: `python -m tests.chaos.hours_ahead 1.5 worker`.

What is open after a run waits for times of minutes to days: a request that was given up may
arrive for half an hour, a hold ends after a week. Instead of waiting so long, every process
is started once more with a clock that is ahead. Nothing in the service knows of this: the
class `datetime` and `time.time_ns` are replaced before anything of ours is imported.
"""

# ruff: noqa: B010, PLC0415 - a class is no variable, says mypy; and what is imported when matters

import datetime as dt
import sys
import time
from typing import Any

Real = dt.datetime


class _AnyMoment(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, Real)


def move_clock(ahead: dt.timedelta) -> None:
    """Let `datetime.now` answer with the time that it will be after `ahead`."""

    class Ahead(Real, metaclass=_AnyMoment):
        """Makes plain moments only, so that no other code meets a class it does not know."""

        def __new__(cls, *parts: Any, **named: Any) -> Any:
            return Real(*parts, **named)

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return Real.now(tz) + ahead

    setattr(dt, "datetime", Ahead)
    real_ns, ahead_ns = time.time_ns, round(ahead.total_seconds() * 1_000_000_000)
    # SQLite's clock is this process's.
    setattr(time, "time_ns", lambda: real_ns() + ahead_ns)


def main() -> int:
    """Run the command behind the number of hours."""
    hours = float(sys.argv.pop(1))
    # Those whose own code compares exact classes keep the real one.
    import asyncpg
    import pydantic
    import sqlalchemy

    del asyncpg, pydantic, sqlalchemy
    move_clock(dt.timedelta(hours=hours))
    from order_cli.main import main as order_core

    return order_core(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
