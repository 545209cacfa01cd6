"""`python -m tests.chaos`: break a whole shop for a while, then compare everybody's books.

Exit code 0: nothing contradicts anything. 1: something does, and its story is printed.
2: the run itself could not be carried out.
"""

import argparse
import asyncio
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.run import carry_out
from tests.chaos.telling import say
from tests.chaos.town import Plan

_BROKEN: Final = (RuntimeError, OSError, subprocess.SubprocessError, ExceptionGroup)
"""What may go wrong with the run itself; time-outs are OSErrors."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, help="which disorder (default: a new one)")
    parser.add_argument(
        "--database", choices=("postgresql", "sqlite"), default="postgresql", help="%(default)s"
    )
    parser.add_argument(
        "--capture", choices=("immediate", "on_processing"), help="default: as the seed says"
    )
    return parser.parse_args()


def _seconds(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,6}", text) and 5 <= int(text) <= 86_400:
        return float(text)
    raise argparse.ArgumentTypeError(f"must be between 5 and 86400, not {text!r}")


def main() -> int:
    """Run, tell, and leave the logs behind only if something was wrong."""
    asked = _arguments()
    seed: int = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    capture = asked.capture or Random(seed).choice(("immediate", "on_processing"))
    folder = Path(tempfile.mkdtemp(prefix="order-core-chaos-"))
    plan = Plan(asked.seconds, seed, asked.database, capture, folder)
    same = f" CAPTURE={capture}" if asked.capture else ""
    say(
        f"chaos on {plan.database} for {plan.seconds:g} s, capture {capture}; the same again: "
        f"make chaos SECONDS={plan.seconds:g} SEED={seed} DATABASE={plan.database}{same}"
    )
    try:
        outcome = asyncio.run(carry_out(plan))
    except _BROKEN as error:
        say(f"logs and journals: {folder}")
        say(f"the run could not be carried out: {error!r}")
        return 2
    say(outcome.tells)
    if outcome.is_clean:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"logs and journals: {folder}")
    # Last, because a long log is often read from its end, and the summary of all checks shows it.
    say(outcome.verdict)
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
