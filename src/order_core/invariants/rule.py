"""What a rule about one order is, and what breaking it is called."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from order_core.invariants.evidence import Evidence


class Scope(Enum):
    """When an invariant holds."""

    ALWAYS = auto()
    AT_REST = auto()
    """When nothing is open any more, and no person has to decide or has decided."""
    AT_REST_UNDECIDED = auto()
    """When nothing is open any more, also if a person has to decide, and none has decided."""
    AT_REST_WHOEVER_DECIDES = auto()
    """When nothing is open any more, also if a person has to decide or has decided."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that must be true: a name to find it by, and a sentence."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Invariant(Rule):
    """A rule about one order. `check` yields a sentence for each contradiction that it finds."""

    scope: Scope
    check: Callable[[Evidence], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    """An order that breaks an invariant, and how."""

    invariant: Invariant
    order_id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant.name}: order {self.order_id}: {self.detail}"
