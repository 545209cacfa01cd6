"""Leaves a provider alone that does not answer, before anything is recorded for it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import ProviderUnavailable
from order_core.outcomes import NotSent, Outcome, OutcomeUnknown
from order_core.ports.clock import Clock

SILENCES: Final = 10
"""So many calls without an answer in a row open the circuit."""

MISCONFIGURED: Final = "misconfigured"
"""How a gateway begins the reason of `NotSent` when the provider does not take our key: no
customer's order can be paid then, so the circuit opens at once."""

PAUSE: Final = timedelta(seconds=15)
"""So long nothing new is begun; then one call may try, and its answer decides."""


@dataclass(slots=True)
class _Circuit:
    silences: int = 0
    closed_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """One circuit a provider. It guards new orders only: what is begun is always finished."""

    clock: Clock
    _circuits: defaultdict[str, _Circuit] = field(default_factory=lambda: defaultdict(_Circuit))

    def refuse_if_open(self, provider: str) -> None:
        """Raises ProviderUnavailable while the provider is left alone."""
        circuit = self._circuits[provider]
        if circuit.closed_again_at is None:
            return
        now = self.clock.now()
        if now < circuit.closed_again_at:
            raise ProviderUnavailable(provider)
        # The next one waits for what becomes of this one.
        circuit.closed_again_at = now + PAUSE

    def heard(self, provider: str, outcome: Outcome) -> None:
        """Take note of how a call ended."""
        circuit = self._circuits[provider]
        if _is_answer(outcome):
            circuit.silences, circuit.closed_again_at = 0, None
            return
        circuit.silences += 1
        refused = isinstance(outcome, NotSent) and outcome.because.startswith(MISCONFIGURED)
        if refused or circuit.silences >= SILENCES:
            circuit.closed_again_at = self.clock.now() + PAUSE


def _is_answer(outcome: Outcome) -> bool:
    if isinstance(outcome, OutcomeUnknown):
        return outcome.answered
    return not isinstance(outcome, NotSent)
