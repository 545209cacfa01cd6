"""When two worlds are the same: everything that can still make a difference, and nothing else."""

from collections.abc import Hashable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from order_core.order import Order
from order_core.payment import PaymentTransaction
from order_explorer.live import Snapshot

_PASSING = {"attempts", "attend_at"}
_lasting = attrgetter(*(f.name for f in fields(PaymentTransaction) if f.name not in _PASSING))


def meaning(snapshot: Snapshot, moments: Sequence[datetime]) -> Hashable:
    """A key that two worlds share if nobody can ever tell them apart.

    History is left out, and a time that somebody waits for is the first of `moments` at
    which it has come. Versions stay: they decide who loses a race.
    """
    rows = sorted(snapshot["store"]["_rows"].items())
    return (
        tuple(
            (
                row.order.version,
                _lease(row.lease, moments),
                tuple(type(happened.event) for happened in row.events),
            )
            for _, row in rows
        ),
        prospects(snapshot, moments),
    )


def prospects(snapshot: Snapshot, moments: Sequence[datetime]) -> Hashable:
    """A key that two worlds share if the same becomes of both once nobody takes turns any more.

    Versions and leases are past by then; of the events, those count that are told.
    """
    store, gateway, ledger = snapshot["store"], snapshot["gateway"], snapshot["ledger"]
    return (
        tuple(
            (_folded(row.order, moments), sum(happened.is_told for happened in row.events))
            for _, row in sorted(store["_rows"].items())
        ),
        frozenset((key, order_id) for key, (_, order_id) in store["_requests"].items()),
        frozenset(store["_received"]),
        frozenset((key, answer, at) for key, (_, answer, at) in gateway["_answers"].items()),
        tuple((late.id, late.step) for late in gateway["_late"]),
        tuple(
            (entry.reference, entry.transaction.id, entry.amount, entry.standing)
            for entry in ledger["_entries"].values()
        ),
        frozenset(ledger["_used_tokens"].items()),
    )


def _folded(order: Order, moments: Sequence[datetime]) -> Hashable:
    return (
        order.id,
        order.status,
        tuple(
            (_lasting(transaction), _moment(transaction.attend_at, moments))
            for transaction in order.transactions
        ),
    )


def _lease(lease: Any, moments: Sequence[datetime]) -> Hashable:  # noqa: ANN401 - HeldLease | None
    return lease and (lease.token, lease.by_request, _moment(lease.until, moments))


def _moment(at: datetime | None, moments: Sequence[datetime]) -> int | None:
    if at is None:
        return None
    return next((n for n, moment in enumerate(moments) if at <= moment), len(moments))
