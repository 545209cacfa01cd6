"""Visits every state that a scenario can reach, nearest first."""

import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from order_core.errors import OrderCoreError
from order_core.invariants.promises import NO_BUG
from order_core.order import Order
from order_explorer.faults import Fault, faults_at
from order_explorer.interning import Numbered
from order_explorer.scenario import Participant, Scenario, Told
from order_explorer.steps import Call
from order_explorer.stories import BEGIN, Node, Story, Tree
from order_explorer.worlds import Worlds

MOMENTS: Final = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=10, seconds=10),
    timedelta(minutes=39, seconds=50),
    timedelta(minutes=40, seconds=50),
    timedelta(minutes=72),
)
"""Time, folded: now; leases have ended, the worker looks; a charge may not be sent any more;
what was given up may arrive for the last time; it cannot, and its absence is proof; the second
look."""

WRONG_BY: Final = {
    Fault.SLOW_CLOCK: timedelta(seconds=-20),
    Fault.FAST_CLOCK: timedelta(seconds=20),
}
"""How wrong clocks are: enough to believe that a window is open that has closed, or closed that
is open."""

OVER: Final = -1
"""In place of a node: this participant takes no more turns."""

TIME: Final = -1
LATE: Final = -2

Action = tuple[int, Fault]
"""Who (the number of a participant, or `TIME` or `LATE`), and what goes wrong with it."""

Progress = Callable[[int, int], None]
"""Called now and then with the number of states that were visited and that are known."""

PROGRESS_EVERY: Final = 1_000

State = tuple[int, ...]
"""World, what clients were told, faults left, then a node for each participant."""

_LEFT: Final = 2


Move = tuple[Fault, int, int, int, Told | None]
"""A fault, what it costs, the world and the node that it leads to, and what a client is told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken invariant, and the shortest way to it."""

    broken: tuple[str, ...]
    schedule: tuple[Action, ...]
    at_the_end: bool
    """Whether it shows only once everything has come to rest."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to."""

    scenario: str
    faults: int
    states: int
    transitions: int
    worlds: int
    stories: int
    endings: int
    complete: bool
    """Whether every state within the bounds was visited."""
    seconds: float
    finding: Finding | None = None


class Trail:
    """Every state that was reached, and how it was reached first.

    What can happen with fewer faults left can happen with more of them, so a state is no news
    once the same one is known with as many faults left. The way to it was no longer, either.
    """

    def __init__(self, first: State) -> None:
        self.states = [first]
        self._most_left = {_but_faults(first): first[_LEFT]}
        self._parents = array("q", [-1])
        self._actions: list[Action] = [(TIME, Fault.NONE)]

    def add(self, state: State, parent: int, action: Action) -> None:
        """Note a new state."""
        self._most_left[_but_faults(state)] = state[_LEFT]
        self.states.append(state)
        self._parents.append(parent)
        self._actions.append(action)

    def is_news(self, state: State) -> bool:
        """Whether it is not known with as many faults left, or with more."""
        return self._most_left.get(_but_faults(state), -1) < state[_LEFT]

    def way_to(self, place: int) -> tuple[Action, ...]:
        """The actions that lead from the first state to this one."""
        back = []
        while place > 0:
            back.append(self._actions[place])
            place = self._parents[place]
        return tuple(reversed(back))


def moments_of(scenario: Scenario) -> tuple[timedelta, ...]:
    """The times that a scenario knows."""
    return scenario.moments or MOMENTS


def _but_faults(state: State) -> State:
    return state[:_LEFT] + state[_LEFT + 1 :]


class Search:
    """One scenario under at most so many faults."""

    def __init__(self, scenario: Scenario, faults: int) -> None:
        self.scenario = scenario
        self.faults = faults
        self.worlds = Worlds(scenario, moments_of(scenario))
        self.nodes: list[Node] = []
        self._told = Numbered()
        self._told.number_of(frozenset())
        self._told_after: dict[tuple[int, Told], int] = {}
        self._known_moves: dict[tuple[int, int], tuple[Move, ...]] = {}
        self.names = {p.name: n for n, p in enumerate(scenario.participants)}
        self._after = [tuple(self.names[n] for n in p.after) for p in scenario.participants]
        self._must_end = tuple(self.names[name] for name in scenario.must_end)
        self._next_round: dict[int, int] = {}
        self._wrong_clocks: dict[int, list[tuple[Fault, Tree]]] = {}
        self._ended: set[tuple[int, int]] = set()
        self._compared: set[tuple[int, int]] = set()
        roots = tuple(self._planted(p) for p in scenario.participants)
        self._roots = frozenset(self._next_round) | {OVER}
        self.first: State = (self.worlds.first, 0, faults, *roots)

    def _planted(self, participant: Participant) -> int:
        """The root of the participant's first round."""
        following = OVER
        for number in reversed(range(participant.rounds)):
            prefix = (
                f"{participant.name}{number + 1}" if participant.rounds > 1 else participant.name
            )
            root = self._tree(participant, prefix, timedelta(0)).root
            for fault, wrong_by in WRONG_BY.items():
                if participant.mortal and (participant.concludes or fault is Fault.SLOW_CLOCK):
                    wrong = self._tree(participant, prefix, wrong_by)
                    self._wrong_clocks.setdefault(root, []).append((fault, wrong))
                    self._next_round[wrong.root] = following
            self._next_round[root] = following
            following = root
        return following

    def _tree(self, participant: Participant, prefix: str, wrong_by: timedelta) -> Tree:
        story = Story(participant, prefix, self.scenario.policy, wrong_by)
        return Tree(story, self.worlds.calls, self.worlds.answers, self.nodes)

    # From state to state ------------------------------------------------------------------

    def successors(self, state: State) -> Iterator[tuple[Action, State]]:
        """Everything that may happen next, each with what it leads to."""
        world, told, left, *slots = state
        under_way = False
        for number, slot in enumerate(slots):
            if slot == OVER:
                continue
            if slot not in self._roots:
                under_way = under_way or self.scenario.participants[number].mortal
            elif any(slots[other] != OVER for other in self._after[number]):
                continue
            place = 3 + number
            for fault, cost, reached, following, heard in self._moves(world, number, slot):
                if cost > left:
                    break
                knows = told if heard is None else self._hearing(told, heard)
                yield (
                    (number, fault),
                    (reached, knows, left - cost, *state[3:place], following, *state[place + 1 :]),
                )
        later = self.worlds.later(world)
        if later != world and (left or not under_way) and self.worlds.orders(world):
            fault = Fault.PAUSE if under_way else Fault.NONE
            yield (TIME, fault), (later, told, left - under_way, *slots)
        arrived = self.worlds.after_late_request(world)
        if arrived != world:
            yield (LATE, Fault.NONE), (arrived, told, left, *slots)

    def _moves(self, world: int, number: int, slot: int) -> tuple[Move, ...]:
        """What this participant may do in this world, whatever the others do: cheapest first."""
        known = self._known_moves.get((world, slot))
        if known is None:
            if slot in self._roots:
                moves = self._beginnings(world, number, slot)
            else:
                moves = self._turns(world, number, slot, self.nodes[slot].tree.root)
            known = self._known_moves[world, slot] = tuple(sorted(moves, key=lambda m: m[1]))
        return known

    def _beginnings(self, world: int, number: int, root: int) -> Iterator[Move]:
        if not self.scenario.participants[number].begins(self.worlds.view(world)):
            return
        # To begin touches nobody, so it is one turn with the first call.
        now = self.worlds.now(world)
        node = self.nodes[root].tree.after(root, BEGIN, now)
        self._note_bug(node, world, world)
        yield from self._turns(world, number, node, root)
        for clock, wrong in self._wrong_clocks.get(root, ()):
            node = wrong.after(wrong.root, BEGIN, now)
            for fault, cost, *rest in self._turns(world, number, node, root):
                # A second fault of this participant strikes at a later turn.
                if fault is Fault.NONE:
                    yield (clock, cost + 1, *rest)  # type: ignore[misc] # The rest of a move.

    def _turns(self, world: int, number: int, node: int, root: int) -> Iterator[Move]:
        at = self.nodes[node]
        worlds = self.worlds
        if at.call is None:
            yield (Fault.NONE, 0, world, *self._standing(node, root))
            return
        reached, answer = worlds.after(world, at.call, Fault.NONE)
        following = self._followed(node, answer, world, reached)
        yield (Fault.NONE, 0, reached, *self._standing(following, root))
        if not self.scenario.participants[number].mortal:
            return
        if reached != world:
            yield (Fault.CRASH, 1, reached, self._next_round[root], None)
        for fault in faults_at(worlds.calls.values[at.call]):
            if fault is Fault.LATE_REQUEST and not self.scenario.late_requests:
                continue
            reached, answer = worlds.after(world, at.call, fault)
            following = self._followed(node, answer, world, reached)
            yield (fault, 1, reached, *self._standing(following, root))

    def _followed(self, node: int, answer: int, world: int, reached: int) -> int:
        """The node that the answer leads to."""
        following = self.nodes[node].tree.after(node, answer, self.worlds.now(reached))
        self._note_bug(following, world, reached)
        return following

    def _note_bug(self, node: int, world: int, reached: int) -> None:
        """A participant that breaks, at its first turn or later, is a finding."""
        result = self.nodes[node].result
        if isinstance(result, Exception) and not isinstance(result, OrderCoreError):
            self.worlds.breaches[world, reached] = (f"{NO_BUG.name}: {result!r}",)

    def _standing(self, node: int, root: int) -> tuple[int, Told | None]:
        """Where a participant stands that has come to this node, and what it was told."""
        at = self.nodes[node]
        if at.call is not None:
            return node, None
        heard = Told(at.result.id, at.result.status) if isinstance(at.result, Order) else None
        answered = not isinstance(at.result, Exception)
        if answered and at.tree.story.participant.until_heard:
            return OVER, heard
        return self._next_round[root], heard

    def _hearing(self, told: int, heard: Told) -> int:
        known = self._told_after.get((told, heard))
        if known is None:
            known = self._told.number_of(self._told.values[told] | {heard})
            self._told_after[told, heard] = known
        return known

    # What happened, for those who tell it --------------------------------------------------

    def call_of(self, state: State, who: int) -> Call | None:
        """The call that a participant makes when its turn comes in this state."""
        call = self.nodes[self._node_of(state, who)].call
        return None if call is None else cast("Call", self.worlds.calls.values[call])

    def answer_of(self, state: State, who: int, fault: Fault) -> object:
        """What it then hears."""
        call = self.nodes[self._node_of(state, who)].call
        if call is None:
            return None
        strikes = fault if fault in faults_at(self.worlds.calls.values[call]) else Fault.NONE
        _, answer = self.worlds.after(state[0], call, strikes)
        heard: object = self.worlds.answers.values[answer]
        return heard

    def _node_of(self, state: State, who: int) -> int:
        slot = state[3 + who]
        if slot not in self._roots:
            return slot
        return self.nodes[slot].tree.after(slot, BEGIN, self.worlds.now(state[0]))

    # All of them --------------------------------------------------------------------------

    def run(
        self, *, most_states: int, progress: Progress = lambda _visited, _known: None
    ) -> Outcome:
        """Visit everything, or stop at the first broken invariant, which is a nearest one."""
        started = time.monotonic()
        trail = Trail(self.first)
        transitions = here = 0
        finding: Finding | None = None
        while here < len(trail.states) < most_states and finding is None:
            state = trail.states[here]
            if here % PROGRESS_EVERY == 0:
                progress(here, len(trail.states))
            if broken := self._wrong_at_the_end(state):
                finding = Finding(broken, trail.way_to(here), at_the_end=True)
                break
            for action, reached in self.successors(state):
                transitions += 1
                # Also on the way to a known state: it is the way that may be wrong.
                if broken := self.wrong_between(state, reached):
                    finding = Finding(broken, (*trail.way_to(here), action), at_the_end=False)
                    break
                if trail.is_news(reached):
                    trail.add(reached, here, action)
            here += 1
        return Outcome(
            scenario=self.scenario.name,
            faults=self.faults,
            states=len(trail.states),
            transitions=transitions,
            worlds=len(self.worlds),
            stories=len(self.nodes),
            endings=len(self._ended),
            complete=finding is None and here == len(trail.states),
            seconds=time.monotonic() - started,
            finding=finding,
        )

    def _wrong_at_the_end(self, state: State) -> tuple[str, ...]:
        seen = state[0], state[1]
        quiet = all(slot in self._roots for slot in state[3:])
        if not quiet or seen in self._ended or not self._may_end(state):
            return ()
        self._ended.add(seen)
        return self.worlds.end(state[0], self._told.values[state[1]])

    def wrong_from(self, state: State) -> tuple[str, ...]:
        """What is wrong once this state has come to rest."""
        return self.worlds.end(state[0], self._told.values[state[1]])

    def wrong_between(self, state: State, reached: State) -> tuple[str, ...]:
        """What the way from one state to the next breaks, and what it makes untrue.

        What clients were told is compared once with each world.
        """
        broken = self.worlds.breaches.get((state[0], reached[0]), ())
        heard = reached[0], reached[1]
        if reached[1] and heard not in self._compared:
            self._compared.add(heard)
            broken += self.worlds.contradictions(reached[0], self._told.values[reached[1]])
        return broken

    def _may_end(self, state: State) -> bool:
        return all(state[3 + number] == OVER for number in self._must_end)
