"""Decide about a payment that contradicts what we asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.order import Order
from order_core.payment import fingerprint
from order_core.payment_terms import PaymentTerms
from order_core.ports import RequestRecord
from order_core.reviewing import ReviewDecision, reviewed
from order_core.use_cases.change_order import ChangeOrder

ROUTE: Final = "POST /api/orders/{order_id}/review"


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """A person has the last word."""

    change_order: ChangeOrder

    async def __call__(
        self,
        order_id: str,
        *,
        transaction_id: str,
        decision: ReviewDecision,
        note: str,
        by: str,
        key: str | None = None,
    ) -> Order:
        """The order after the decision about one of its transactions.

        Raises:
            OrderNotFound: there is no such order.
            CannotReview: there is nothing of this to review, with the reason.
            InvalidValue: the note is empty or too long.
            IdempotencyKeyReused: the key came before, with another request.
            StoreUnavailable, ProviderUnavailable: nothing happened.
            CommitUnknown: it may be done; ask again with the same key.
        """

        def after_review(
            order: Order, *, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
        ) -> Order:
            return reviewed(
                order,
                transaction_id,
                decision,
                note=note,
                by=by,
                at=at,
                new_id=new_id,
                terms=terms,
            )

        body = fingerprint(order_id, transaction_id, decision, note)
        request = RequestRecord(by, ROUTE, key, body) if key else None
        return await self.change_order(order_id, after_review, request=request)
