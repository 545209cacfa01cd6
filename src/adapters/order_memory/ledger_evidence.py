"""The books of a pretended provider, read as evidence for the invariants."""

from collections.abc import Iterable
from typing import Final

from order_core.invariants import AliveMovement, MovedMoney
from order_core.payment import TransactionKind
from order_memory.provider_ledger import LedgerEntry, Standing

_MOVES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE, TransactionKind.REFUND})
_DONE: Final = frozenset({Standing.SUCCEEDED, Standing.AUTHORIZED})
_DEAD: Final = frozenset({Standing.BEGUN, Standing.DECLINED, Standing.VOIDED})


def alive(entry: LedgerEntry, *, asked_for: bool = True) -> AliveMovement | None:
    """What the provider has done or may still do by itself; None if that is nothing.

    `asked_for`: whether the entry came of a request of ours.
    """
    if entry.standing in _DEAD:
        return None
    ours = entry.transaction
    return AliveMovement(
        transaction_id=ours.id if asked_for else None,
        kind=ours.kind,
        is_done=entry.standing in _DONE,
        says=f"the provider has {entry.reference} ({ours.kind} of {entry.amount}) {entry.standing}",
    )


def moved(entries: Iterable[LedgerEntry]) -> tuple[MovedMoney, ...]:
    """The money that was taken and given back."""
    return tuple(
        MovedMoney(entry.transaction.kind, entry.amount, entry.reference)
        for entry in entries
        if entry.transaction.kind in _MOVES and entry.standing is Standing.SUCCEEDED
    )


def holds(entries: Iterable[LedgerEntry]) -> int:
    """How many of an order's entries are holds that nobody has taken."""
    entries = tuple(entries)
    taken = {
        entry.transaction.parent_reference
        for entry in entries
        if entry.transaction.kind is TransactionKind.CAPTURE
        and entry.standing is Standing.SUCCEEDED
    }
    return sum(
        entry.standing is Standing.AUTHORIZED and entry.reference not in taken for entry in entries
    )
