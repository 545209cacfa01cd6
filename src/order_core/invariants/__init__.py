"""What is true of every order: each rule with a name, a sentence and a check.

Tests, the explorer, the simulator, the chaos run and `order-core verify` all ask here, so
that a promise is written once. A check looks at the evidence about one order and says what
contradicts its sentence; evidence that nobody collected contradicts nothing.
"""

from typing import Final

from order_core.invariants.always import ALWAYS
from order_core.invariants.at_provider import AT_PROVIDER
from order_core.invariants.at_rest import AT_REST
from order_core.invariants.evidence import (
    AliveMovement,
    Evidence,
    MovedMoney,
    RefundWish,
    StoredTotals,
)
from order_core.invariants.over_time import OVER_TIME
from order_core.invariants.rule import Invariant, Rule, Scope, Violation

__all__ = [
    "INVARIANTS",
    "AliveMovement",
    "Evidence",
    "Invariant",
    "MovedMoney",
    "RefundWish",
    "Rule",
    "Scope",
    "StoredTotals",
    "Violation",
    "violations",
]

INVARIANTS: Final = (*ALWAYS, *OVER_TIME, *AT_REST, *AT_PROVIDER)
"""Every rule about a single order."""


def violations(evidence: Evidence) -> tuple[Violation, ...]:
    """Every contradiction between the evidence and the invariants."""
    return tuple(
        [
            Violation(invariant, evidence.order.id, detail)
            for invariant in _in_force(evidence)
            for detail in invariant.check(evidence)
        ]
    )


def _in_force(evidence: Evidence) -> tuple[Invariant, ...]:
    if not evidence.at_rest:
        return _ALWAYS
    if not evidence.left_to_people:
        return INVARIANTS
    return _DECIDED if evidence.decided_by_people else _IN_REVIEW


def _of(*scopes: Scope) -> tuple[Invariant, ...]:
    return tuple(invariant for invariant in INVARIANTS if invariant.scope in scopes)


_ALWAYS: Final = _of(Scope.ALWAYS)
_DECIDED: Final = _of(Scope.ALWAYS, Scope.AT_REST_WHOEVER_DECIDES)
_IN_REVIEW: Final = _of(Scope.ALWAYS, Scope.AT_REST_WHOEVER_DECIDES, Scope.AT_REST_UNDECIDED)
