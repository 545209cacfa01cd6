# ruff: noqa: T201 - a command line prints
"""python -m order_explorer [SCENARIO ...] [--faults N]: explore, and say what was found."""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Final

from order_explorer.scenario import Scenario
from order_explorer.scenarios import SCENARIOS
from order_explorer.search import Finding, Outcome, Search, moments_of
from order_explorer.telling import follow, from_line, told

MOST_STATES: Final = 20_000_000
"""Beyond that a search is cut off, and counts as failed."""

FAULTS: Final = 2
_MOST_FAULTS: Final = 5
_NAMES: Final = {scenario.name: scenario for scenario in SCENARIOS}
_HEAD: Final = (
    f"{'scenario':24}{'faults':>7}{'rounds':>7}{'times':>7}{'states':>11}{'transitions':>13}"
    f"{'worlds':>9}{'endings':>9}{'seconds':>9}"
)
_QUIET_SECONDS: Final = 30.0
"""A search that says nothing for longer looks like a dead one."""


def explored(name: str, faults: int, most_states: int) -> tuple[Outcome, tuple[str, ...]]:
    """One scenario's outcome, and the story of what it found."""
    search = Search(_NAMES[name], faults)
    outcome = search.run(most_states=most_states, progress=_Progress(name))
    return outcome, tuple(told(search, outcome.finding)) if outcome.finding else ()


class _Progress:
    """Says now and then how far a search is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said_at = time.monotonic()

    def __call__(self, visited: int, known: int) -> None:
        if time.monotonic() - self._said_at > _QUIET_SECONDS:
            self._said_at = time.monotonic()
            print(f"  ... {self._name}: {visited:,} of {known:,} states so far", flush=True)


def replay(scenario: Scenario, faults: int, line: str) -> int:
    """Tell one schedule again, and what is wrong where it ends; 1 if something is."""
    search = Search(scenario, faults)
    schedule = from_line(search, line)
    state = search.first
    broken: tuple[str, ...] = ()
    for action in schedule:
        following = follow(search, state, action)
        broken = search.wrong_between(state, following)
        state = following
    at_the_end = not broken
    finding = Finding(broken or search.wrong_from(state), schedule, at_the_end)
    print("\n".join(told(search, finding)))
    return 1 if finding.broken else 0


def _row(outcome: Outcome) -> str:
    scenario = _NAMES[outcome.scenario]
    verdict = "" if outcome.complete else "  BROKEN" if outcome.finding else "  CUT OFF"
    return (
        f"{outcome.scenario:24}{outcome.faults:7}{scenario.rounds_of_workers:7}"
        f"{len(moments_of(scenario)):7}{outcome.states:11,}{outcome.transitions:13,}"
        f"{outcome.worlds:9,}{outcome.endings:9,}{outcome.seconds:9.1f}{verdict}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 if every state was visited and is right, 1 if not, 2 for a wrong command."""
    parser = argparse.ArgumentParser(prog="python -m order_explorer", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(_NAMES))
    parser.add_argument("--faults", type=int, default=FAULTS, choices=range(_MOST_FAULTS + 1))
    parser.add_argument(
        "--quick", action="store_true", help="one fault fewer in the large scenarios"
    )
    parser.add_argument("--processes", type=int, default=2, choices=range(1, 65), metavar="N")
    parser.add_argument("--most-states", type=int, default=MOST_STATES, metavar="N")
    parser.add_argument("--replay", metavar="SCHEDULE", help="tell one schedule of one scenario")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.scenarios if name not in _NAMES]:
        parser.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(_NAMES)}")
    if asked.replay is not None:
        if len(asked.scenarios) != 1:
            parser.error("--replay needs exactly one scenario")
        try:
            return replay(_NAMES[asked.scenarios[0]], asked.faults, asked.replay)
        except ValueError as error:
            parser.error(str(error))
    names: Sequence[str] = asked.scenarios or tuple(_NAMES)
    fewer = 1 if asked.quick and asked.faults else 0
    faults = {name: asked.faults - fewer * _NAMES[name].large for name in names}
    return explore(faults, asked.processes, asked.most_states)


def explore(faults: dict[str, int], processes: int, most_states: int) -> int:
    """Explore these scenarios, each with so many faults; a line for each as it is done."""
    print(
        "Every order of turns, with every combination of so many faults, so many rounds of workers"
        f" and so many\nfolded times in one schedule; at most {most_states:,} states a scenario:",
        flush=True,
    )
    print(_HEAD, flush=True)
    outcomes = []
    with ProcessPoolExecutor(processes) as pool:
        # The longest ones, begun last, would keep everybody waiting.
        longest_first = [*reversed(faults)]
        longest_first.sort(key=lambda name: -faults[name])
        searches = [
            pool.submit(explored, name, faults[name], most_states) for name in longest_first
        ]
        for search in as_completed(searches):
            outcome, story = search.result()
            outcomes.append(outcome)
            print(_row(outcome), flush=True)
            for line in story:
                print(line, flush=True)
    states = sum(outcome.states for outcome in outcomes)
    transitions = sum(outcome.transitions for outcome in outcomes)
    wrong = sum(not outcome.complete for outcome in outcomes)
    print(f"{states:,} states and {transitions:,} transitions; {wrong} scenarios are not clean.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
