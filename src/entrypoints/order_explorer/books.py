"""The books of the scripted provider, read as evidence for the invariants."""

from collections.abc import Iterable, Iterator
from typing import Final

from order_core.invariants import AliveMovement, MovedMoney
from order_core.payment import PaymentTransaction, TransactionKind
from order_explorer.provider import AT_THE_DASHBOARD
from order_memory.provider_ledger import LedgerEntry, Standing

_MOVES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE, TransactionKind.REFUND})
_DONE: Final = frozenset({Standing.SUCCEEDED, Standing.AUTHORIZED})
_DEAD: Final = frozenset({Standing.BEGUN, Standing.DECLINED, Standing.VOIDED})

Alive = dict[str, tuple[AliveMovement, ...]]
"""By order."""


def alive(entries: Iterable[LedgerEntry], late: Iterable[PaymentTransaction]) -> Alive:
    """What the provider has done or may still do; `late` are requests that may still arrive."""
    found: dict[str, list[AliveMovement]] = {}
    for entry in entries:
        if entry.standing in _DEAD:
            continue
        ours = entry.transaction
        movement = AliveMovement(
            None if ours.id == AT_THE_DASHBOARD else ours.id,
            ours.kind,
            is_done=entry.standing in _DONE,
            says=f"the provider has {entry.reference} ({ours.kind}) as {entry.standing}",
        )
        found.setdefault(ours.order_id, []).append(movement)
    for request in late:
        says = f"the request of {request.id} may still arrive"
        movement = AliveMovement(request.id, request.kind, is_done=False, says=says)
        found.setdefault(request.order_id, []).append(movement)
    return {order_id: tuple(movements) for order_id, movements in found.items()}


def moved(entries: Iterable[LedgerEntry], order_id: str) -> tuple[MovedMoney, ...]:
    """The money that was taken and given back for an order."""
    return tuple(
        MovedMoney(entry.transaction.kind, entry.amount, entry.reference)
        for entry in entries
        if entry.transaction.order_id == order_id
        and entry.transaction.kind in _MOVES
        and entry.standing is Standing.SUCCEEDED
    )


def holds(entries: Iterable[LedgerEntry], order_id: str) -> int:
    """How many holds the provider keeps for an order."""
    taken = set(_captured(entries))
    return sum(
        entry.standing is Standing.AUTHORIZED and entry.reference not in taken
        for entry in entries
        if entry.transaction.order_id == order_id
    )


def _captured(entries: Iterable[LedgerEntry]) -> Iterator[str | None]:
    for entry in entries:
        capture = entry.transaction.kind is TransactionKind.CAPTURE
        if capture and entry.standing is Standing.SUCCEEDED:
            yield entry.transaction.parent_reference
