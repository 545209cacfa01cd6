"""A change that the provider has only received: whether it can be carried out, shows later."""

from typing import Final

from order_core.payment import TransactionKind
from order_memory import LedgerEntry, ProviderLedger, Standing

_K = TransactionKind
_LETS_GO: Final = frozenset(
    {Standing.BEGUN, Standing.ACTION_REQUIRED, Standing.PENDING, Standing.AUTHORIZED}
)


def can_be_done(ledger: ProviderLedger, received: LedgerEntry) -> bool:
    """By what the payment is now: held, taken, or let go already."""
    name = received.transaction.parent_reference
    if name is None:
        return False
    parent = ledger.entry(name)
    if received.transaction.kind is _K.REFUND:
        # What is received counts as given back already.
        return ledger.taken(parent.reference) > 0 and ledger.refundable(parent.reference) >= 0
    taken = sum(
        child.amount.minor_units
        for child in ledger.children(parent.reference)
        if child.transaction.kind is _K.CAPTURE and child.standing is Standing.SUCCEEDED
    )
    if received.transaction.kind is _K.VOID:
        return not taken and parent.standing in _LETS_GO
    left = parent.amount.minor_units - taken
    return parent.standing is Standing.AUTHORIZED and received.amount.minor_units <= left
