"""The way to a broken invariant: as a story for people, and as a line that replays it."""

from collections.abc import Iterator, Sequence
from typing import Any

from order_core.order import Order
from order_core.payment import PaymentTransaction
from order_explorer.faults import Fault
from order_explorer.search import LATE, TIME, Action, Finding, Search, State
from order_explorer.steps import Call, Raised

_NOBODY = {TIME: "time", LATE: "late"}
_WIDTH = 46


def as_line(search: Search, schedule: Sequence[Action]) -> str:
    """The schedule in one line: `client time worker!crash late`."""
    return " ".join(
        _name(search, who) + (f"!{fault.value}" if fault is not Fault.NONE else "")
        for who, fault in schedule
    )


def from_line(search: Search, line: str) -> tuple[Action, ...]:
    """The schedule that `as_line` wrote.

    Raises:
        ValueError: a participant or a fault that the scenario does not have.
    """
    numbers = {_name(search, who): who for who in (*_NOBODY, *search.names.values())}
    schedule = []
    for word in line.split():
        name, _, fault = word.partition("!")
        if name not in numbers:
            raise ValueError(f"nobody here is called {name!r}: there are {', '.join(numbers)}")
        schedule.append((numbers[name], Fault(fault)))
    return tuple(schedule)


def told(search: Search, finding: Finding) -> Iterator[str]:
    """The story, line by line."""
    state = search.first
    yield f"  {search.scenario.says}"
    for number, action in enumerate(finding.schedule, 1):
        following = follow(search, state, action)
        yield f"  {number:3}. {_turn(search, state, following, action)}"
        state = following
    if finding.at_the_end:
        yield "       Then nothing goes wrong any more, and everything comes to rest."
    yield from (f"  BROKEN  {broken}" for broken in finding.broken)
    yield "  Replay:"
    yield (
        f"    python -m order_explorer {search.scenario.name} --faults {search.faults}"
        f" --replay '{as_line(search, finding.schedule)}'"
    )


def follow(search: Search, state: State, action: Action) -> State:
    """The state that an action leads to.

    Raises:
        ValueError: nobody can do that in this state.
    """
    for possible, following in search.successors(state):
        if possible == action:
            return following
    raise ValueError(f"this cannot happen here: {as_line(search, [action])}")


def _name(search: Search, who: int) -> str:
    return _NOBODY.get(who) or search.scenario.participants[who].name


def _turn(search: Search, before: State, after: State, action: Action) -> str:
    who, fault = action
    if who == TIME:
        passed = search.worlds.now(after[0]) - search.worlds.now(search.first[0])
        while_busy = ", while somebody is in the middle of something" if fault.value else ""
        return f"It is {passed} after the beginning{while_busy}."
    if who == LATE:
        return "A request that was given up arrives at the provider after all."
    call = search.call_of(before, who)
    made = _described(call) if call else "begins"
    answer = search.answer_of(before, who, fault)
    name = _name(search, who)
    luck = f"  *** {fault.value.replace('-', ' ')}" if fault is not Fault.NONE else ""
    return f"{name:9} {made:{_WIDTH}} {_heard(answer, fault)}{luck}".rstrip()


def _described(call: Call) -> str:
    about = next((_short(a) for a in call.arguments if _short(a)), "")
    return f"{call.port}.{call.method} {about}".rstrip()


def _short(value: Any) -> str:  # noqa: ANN401 - any argument or answer
    if isinstance(value, PaymentTransaction):
        return f"{value.kind} {value.id} ({value.status}, send {value.sends})"
    if isinstance(value, Order):
        movements = ", ".join(f"{t.kind} {t.status}" for t in value.transactions)
        return f"{value.id} v{value.version} {value.status} [{movements}]"
    return value if isinstance(value, str) else ""


def _heard(answer: object, fault: Fault) -> str:
    if fault is Fault.CRASH or answer is None:
        return ""
    if isinstance(answer, Raised):
        return f"-> {type(answer.error).__name__}"
    order = getattr(answer, "order", answer)
    return f"-> {_short(order) or type(answer).__name__}"
