"""Plant known bugs, one after the other, and see that each is found.

    tools/mutants/run.py [NAME...]        the named mutants, or all; exit status 1 if one survives
    tools/mutants/run.py --every-killer   with explorer and simulator too, where they are named
    tools/mutants/run.py --write-docs     and write docs/mutants.md, where a mutant that is not
                                          named keeps the row that it has

Each *.toml beside this file is a list of mutants:

    [[mutant]]
    name = "time-out-is-a-decline"      # unique over all lists: small letters, digits, dashes
    says = "A time-out is read as a decline."              # the bug in words, one sentence
    breaks = "The buyer pays and is told that he did not." # at the provider or buyer; optional
    file = "src/order_core/settlement.py"
    old = '''exactly one place of the file'''              # must be found exactly once
    new = '''what a reasonable programmer might have written'''
    killed_by = ["tests/unit/core/test_place_order.py::test_silence_is_never_a_decline"]
    explorer = ["scenario --faults 1"]  # optional: `python -m order_explorer SCENARIO --faults 1`
    simulator = true                    # optional: `order-core simulate`

One red test of `killed_by` is enough; the quickest come first. Red means: an assertion, a
missing exception or an error of order_core, raised by the test itself; a mutant that cannot be
imported, or stumbles over its own text (NameError, TypeError...), is a mistake in the list and
fails the run. Every killer must be green on the code as it is. A time-out counts as survived.
With --every-killer each kind that is named must find the mutant.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A script is found beside its neighbours only; the tests import it as part of the project.
sys.path.insert(0, str(ROOT))

from tools.mutants.document import TARGET, found, page, rows_in  # noqa: E402
from tools.mutants.killing import Verdict, green, killers_of, snapshot, tried  # noqa: E402
from tools.mutants.mutant import ListMistake, Mutant, MutantList, all_lists  # noqa: E402


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/mutants/run.py", description=__doc__.split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of mutants; all if none is named")
    parser.add_argument("--every-killer", action="store_true", help="not only the quickest kind")
    parser.add_argument("--write-docs", action="store_true", help="implies --every-killer")
    parser.add_argument(
        "--green", action="store_true", help="the tests have just passed: do not run them first"
    )
    parser.add_argument("--parallel", type=int, default=2, help="how many at once (2)")
    return parser.parse_args(given)


def _chosen(lists: Sequence[MutantList], names: Sequence[str]) -> list[Mutant]:
    known = {mutant.name: mutant for each in lists for mutant in each.mutants}
    if unknown := [name for name in names if name not in known]:
        raise ListMistake(f"no list has {', '.join(unknown)}")
    return [known[name] for name in names] or list(known.values())


def _shown(verdict: Verdict) -> str:
    if verdict.mistake is not None:
        return f"MISTAKE  {verdict.seconds:5.1f} s  {verdict.mutant.name}: {verdict.mistake}"
    if verdict.survived:
        missed_by = f" (missed by the {', '.join(verdict.missed)})"
        return (
            f"SURVIVED {verdict.seconds:5.1f} s  {verdict.mutant.name}: "
            f"{verdict.mutant.says}{missed_by}"
        )
    found = "; ".join(f"{kill.kind} {kill.by} ({kill.because})" for kill in verdict.kills)
    return f"killed   {verdict.seconds:5.1f} s  {verdict.mutant.name}  {found}"


def _all_tried(
    mutants: Sequence[Mutant], original: Path, *, every: bool, parallel: int
) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        trials = [pool.submit(tried, mutant, original, every=every) for mutant in mutants]
        try:
            for number, trial in enumerate(as_completed(trials), start=1):
                verdict = trial.result()
                verdicts[verdict.mutant.name] = verdict
                print(f"[{number:3}/{len(mutants)}] {_shown(verdict)}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return verdicts


def _summary(verdicts: Sequence[Verdict], seconds: float) -> str:
    lines = ["", "Who found how many:"]
    for kind in ("suite", "explorer", "simulator"):
        found = sum(any(kill.kind == kind for kill in v.kills) for v in verdicts)
        if found:
            lines.append(f"  {kind:10} {found:4}")
    lost = [v for v in verdicts if v.survived or v.mistake is not None]
    lines += [f"  {_shown(verdict)}" for verdict in lost]
    killed = len(verdicts) - len(lost)
    lines.append(f"  {killed} of {len(verdicts)} mutants killed, in {seconds:.0f} s.")
    return "\n".join(lines)


def main(given: Sequence[str]) -> int:
    """Answer with the exit status: 0 if every mutant was found, 1 if not, 2 for a mistake."""
    arguments = _arguments(given)
    every = arguments.every_killer or arguments.write_docs
    began = time.monotonic()
    try:
        lists = all_lists()
        mutants = _chosen(lists, arguments.names)
    except ListMistake as mistake:
        print(mistake, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        original = snapshot(Path(folder))
        killers = [k for mutant in mutants for k in killers_of(mutant, every=every)]
        if arguments.green:
            print(f"{len(mutants)} mutants; their killers are green.", flush=True)
        else:
            print(f"{len(mutants)} mutants; first their killers on the code as it is.", flush=True)
            if why := green(original, killers):
                print(why, file=sys.stderr)
                return 2
            print(f"All green, in {time.monotonic() - began:.0f} s.", flush=True)
        verdicts = _all_tried(mutants, original, every=every, parallel=arguments.parallel)
    print(_summary(list(verdicts.values()), time.monotonic() - began))
    if any(v.survived or v.mistake is not None for v in verdicts.values()):
        return 1
    if arguments.write_docs:
        written = rows_in(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
        known = written | {name: found(verdict) for name, verdict in verdicts.items()}
        TARGET.write_text(page(lists, known), encoding="utf-8")
        print(f"Written: {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
