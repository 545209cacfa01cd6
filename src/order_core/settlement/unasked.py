"""A movement of the provider's own, as a transaction beside ours."""

from order_core.outcomes import Authorized, Restored, Reversed, Succeeded
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import decided_by
from order_core.settlement.settling import Settling


def unasked(
    settling: Settling,
    kind: TransactionKind,
    outcome: Succeeded | Authorized | Reversed | Restored,
    *,
    parent: PaymentTransaction,
    reason: str | None = None,
    sequence: int | None = None,
) -> PaymentTransaction:
    """What the provider did to `parent`, or beside it, without being asked by us."""
    held = isinstance(outcome, Authorized)
    ends = outcome.capture_before if isinstance(outcome, Authorized) else None
    asks = kind in settling.terms.gateway.looks_up
    return PaymentTransaction(
        id=settling.new_id(),
        order_id=settling.order.id,
        customer_id=settling.order.customer_id,
        kind=kind,
        amount=outcome.amount,
        provider=parent.provider,
        account=parent.account,
        installation=parent.installation,
        request_version=parent.request_version,
        recorded_at=settling.at,
        send_until=settling.at,
        horizon=parent.horizon,
        status=TransactionStatus.AUTHORIZED if held else TransactionStatus.SUCCEEDED,
        origin=Origin.PROVIDER,
        parent_id=parent.id,
        parent_reference=parent.provider_reference,
        provider_reference=outcome.reference,
        reason=reason,
        provider_sequence=sequence,
        capture_before=ends,
        # Perhaps no event tells how it ends, so the worker asks.
        attend_at=decided_by(ends, now=settling.at) if held and asks else None,
    )
