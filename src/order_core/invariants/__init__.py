"""What is true of every order: each rule with a name, a sentence and a check.

Tests, the explorer, the simulator, the chaos run and `order-core verify` all ask here, so
that a promise is written once. A check looks at the evidence about one order and says what
contradicts its sentence; evidence that nobody collected contradicts nothing.
"""

from typing import Final

from order_core.invariants.always import ALWAYS
from order_core.invariants.at_rest import AT_REST
from order_core.invariants.evidence import Evidence, MovedMoney, StoredTotals
from order_core.invariants.over_time import OVER_TIME
from order_core.invariants.rule import Invariant, Scope, Violation

__all__ = [
    "INVARIANTS",
    "Evidence",
    "Invariant",
    "MovedMoney",
    "Scope",
    "StoredTotals",
    "Violation",
    "violations",
]

INVARIANTS: Final = (*ALWAYS, *OVER_TIME, *AT_REST)
"""Every rule about a single order."""

_ALWAYS: Final = tuple(rule for rule in INVARIANTS if rule.scope is Scope.ALWAYS)


def violations(evidence: Evidence) -> tuple[Violation, ...]:
    """Every contradiction between the evidence and the invariants."""
    quiet = evidence.at_rest and not evidence.left_to_people
    return tuple(
        [
            Violation(invariant, evidence.order.id, detail)
            for invariant in (INVARIANTS if quiet else _ALWAYS)
            for detail in invariant.check(evidence)
        ]
    )
