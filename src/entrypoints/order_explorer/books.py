"""What the scripted provider has done or may still do, order by order."""

from collections.abc import Iterable

from order_core.invariants import AliveMovement
from order_core.payment import PaymentTransaction
from order_explorer.provider import AT_THE_DASHBOARD
from order_memory import ledger_evidence
from order_memory.provider_ledger import LedgerEntry

Alive = dict[str, tuple[AliveMovement, ...]]
"""By order."""


def alive(entries: Iterable[LedgerEntry], late: Iterable[PaymentTransaction]) -> Alive:
    """Every movement that is alive; `late` are requests that may still arrive."""
    found: dict[str, list[AliveMovement]] = {}
    for entry in entries:
        asked_for = entry.transaction.id != AT_THE_DASHBOARD
        movement = ledger_evidence.alive(entry, asked_for=asked_for)
        if movement is not None:
            found.setdefault(entry.transaction.order_id, []).append(movement)
    for request in late:
        says = f"the request of {request.id} may still arrive"
        coming = AliveMovement(request.id, request.kind, is_done=False, says=says)
        found.setdefault(request.order_id, []).append(coming)
    return {order_id: tuple(movements) for order_id, movements in found.items()}
