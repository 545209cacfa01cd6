"""Look for what breaks a reader of strangers' bytes, guided by which code it reaches.

    tools/fuzz/run.py [--seconds 30] [TARGET ...]

Each target of `tests/fuzz/targets.py` is played for so long, beginning with its samples and the
corpus. What breaks it is kept in `build/fuzz/TARGET`: mend the code, and put the file into
`tests/fuzz/corpus/TARGET` under a name that says what it is.
"""

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / "src" / each) for each in ("", "adapters", "entrypoints"))]
FOUND = ROOT / "build" / "fuzz"
OURS = [
    *("order_adyen", "order_core", "order_http", "order_jwt", "order_oauth"),
    *("order_paypal", "order_prices", "order_square", "order_stripe"),
]
LONGEST_BYTES = 4_096
LONGEST_SECONDS = 5
MOST_MEGABYTES = 1_024


def main() -> int:
    """Answer 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    chosen = parser.parse_args()
    if chosen.only:
        return _play(chosen.only, chosen.seconds)
    # One process for each: a finding ends it, and so does a reader that hangs.
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - not instrumented there

    broken = [name for name in chosen.targets or TARGETS if not _goes_well(name, chosen.seconds)]
    print(f"Broken: {', '.join(broken) or 'none'}, of {len(chosen.targets or TARGETS)} readers.")
    return 1 if broken else 0


def _goes_well(target: str, seconds: int) -> bool:
    command = [sys.executable, __file__, "--only", target, "--seconds", str(seconds)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    last = [line for line in done.stderr.splitlines() if line.startswith(("#", "Done"))][-1:]
    print(
        f"{target:18} {'well' if done.returncode == 0 else 'BROKEN'}  {' '.join(last)}", flush=True
    )
    if done.returncode:
        print(done.stderr[-4_000:])
    return done.returncode == 0


def _play(target: str, seconds: int) -> int:
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415 - only its own environment has it

    with atheris.instrument_imports(include=OURS):
        from tests.fuzz.samples import samples_of  # noqa: PLC0415 - instrumented here
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    found = FOUND / target
    begin = found / "begin"
    begin.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(samples_of(target)):
        (begin / f"sample-{number}").write_bytes(sample)
    corpus = ROOT / "tests" / "fuzz" / "corpus" / target
    loop = asyncio.new_event_loop()

    def once(data: bytes) -> None:
        loop.run_until_complete(TARGETS[target](data))

    places = [str(begin), *([str(corpus)] if corpus.is_dir() else [])]
    limits = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_BYTES}",
        f"-timeout={LONGEST_SECONDS}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=0",
    ]
    atheris.Setup([sys.argv[0], *limits, *places], once)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
