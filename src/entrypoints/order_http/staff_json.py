"""An order as staff sees it: whose it is, every movement of its money, and what can be done."""

from typing import Any

from order_core.order import Order
from order_core.payment import PaymentTransaction, TransactionStatus
from order_core.ports.token_verifier import Principal
from order_http.authentication import is_staff
from order_http.order_json import amount_json, order_json
from order_http.staff_actions import refusals


def order_for(principal: Principal, order: Order) -> dict[str, Any]:
    """What this caller may see of the order."""
    document = order_json(order)
    if not is_staff(principal):
        return document
    document["customer_id"] = order.customer_id
    document["transactions"] = [_transaction_json(each) for each in order.transactions]
    if order.customer_id != principal.subject:
        # Cancelling is the owner's.
        document["allowed_actions"], document["refused_actions"] = [], []
    for action, refusal in refusals(order).items():
        if refusal is None:
            document["allowed_actions"].append(action)
        else:
            reason, because = refusal
            document["refused_actions"].append(
                {"action": action, "reason": reason, "detail": because}
            )
    return document


def _transaction_json(transaction: PaymentTransaction) -> dict[str, Any]:
    document: dict[str, Any] = {
        "transaction_id": transaction.id,
        "kind": transaction.kind.value,
        "status": transaction.status.value,
        "origin": transaction.origin.value,
        "amount": amount_json(transaction.amount),
    }
    in_review = transaction.status is TransactionStatus.IN_REVIEW
    optional = {
        "provider_reference": transaction.provider_reference,
        "parent_id": transaction.parent_id,
        "reason": transaction.reason,
        "in_review_because": transaction.review or (in_review and transaction.reason),
    }
    return document | {name: value for name, value in optional.items() if value}
