"""Asks Stripe what it has on record about a movement."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import stripe

from order_core.outcomes import NotFound, Outcome, OutcomeUnknown
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_stripe import requests
from order_stripe.answers import Json, Unreadable, action_required, metadata, of_movement, of_refund
from order_stripe.errors import intent_in, is_missing
from order_stripe.requests import BadReference, intent_id, refund_id

_MARGIN: Final = timedelta(minutes=5)
"""Our clock and Stripe's may differ."""
_A_PAGE: Final = 100
_MOST_PAGES: Final = 50
_UNFINISHED: Final = {"requires_payment_method", "requires_confirmation"}


class _TooMany(Exception):
    """The list is longer than what can be read in one look-up."""


class CannotAsk(Exception):
    """Stripe gave no answer that can be read, or not the whole of it."""


class Asking:
    """Looks up by Stripe's own id, or through the lists, which are complete at once.

    Not through Stripe's search: it lags, so it would call a payment absent that was made.
    """

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def about(self, transaction: PaymentTransaction) -> Outcome | NotFound:
        """What is on record. Every failure to ask is `OutcomeUnknown`."""
        try:
            match transaction.kind:
                case TransactionKind.REFUND:
                    return await self._about_refund(transaction)
                case TransactionKind.CAPTURE | TransactionKind.VOID:
                    reference = intent_id(transaction.parent_reference)
                    return of_movement(await self._intent(reference), transaction)
                case TransactionKind.CHARGE | TransactionKind.AUTHORIZATION:
                    return await self._about_payment(transaction)
        except stripe.StripeError as error:
            if is_missing(error):
                # This is another account or mode.
                return NotFound(by_id=True)
            return OutcomeUnknown("could_not_ask")
        except (Unreadable, BadReference):
            return OutcomeUnknown("unreadable_answer")
        except _TooMany:
            return OutcomeUnknown("too_many_to_look_through")
        return OutcomeUnknown("cannot_be_asked")

    async def refunds_of(self, intent: str) -> tuple[Json, ...]:
        """Every refund of a payment, whoever made it; none of a payment that is not known here.

        Raises:
            CannotAsk: nobody knows, and it may be asked again.
        """
        try:
            params = {"payment_intent": intent_id(intent)}
            return tuple([refund async for refund in self._all(self._client.v1.refunds, params)])
        except BadReference:
            return ()
        except stripe.StripeError as error:
            if is_missing(error):
                return ()
            raise CannotAsk from error
        except (Unreadable, _TooMany) as error:
            raise CannotAsk from error

    async def _about_payment(self, transaction: PaymentTransaction) -> Outcome | NotFound:
        if transaction.provider_reference:
            intent = await self._intent(intent_id(transaction.provider_reference))
        else:
            found = await self._find_payment(transaction)
            if found is None:
                return NotFound()
            intent = found
        if intent.get("status") in _UNFINISHED:
            return await self._unfinished(intent, transaction)
        return of_movement(intent, transaction)

    async def _unfinished(self, intent: Json, transaction: PaymentTransaction) -> Outcome:
        """A failed try. The buyer may try again, if he has the client secret."""
        # Its owner ends it by a void when the buyer's time is over; until then it is open.
        if transaction.status is TransactionStatus.ACTION_REQUIRED or transaction.client_secret:
            return action_required(intent)
        try:
            # No key: cancelling twice does no harm, and a remembered error would be for ever.
            canceled = await self._client.v1.payment_intents.cancel_async(
                intent_id(intent.get("id")), {"cancellation_reason": "abandoned"}
            )
        except stripe.InvalidRequestError as error:
            shown = intent_in(error)
            if shown is None:
                raise
            return _final(shown, transaction)
        return _final(canceled.to_dict(), transaction)

    async def _find_payment(self, transaction: PaymentTransaction) -> Json | None:
        since = transaction.recorded_at - _MARGIN
        until = transaction.send_until + transaction.horizon + _MARGIN
        params = {
            "created": {"gte": int(since.timestamp()), "lte": int(until.timestamp())},
            "expand": ["data.latest_charge"],
        }
        found: Json | None = None
        async for intent in self._all(self._client.v1.payment_intents, params):
            if metadata(intent, "transaction_id") != transaction.id:
                continue
            if intent.get("status") in {"succeeded", "requires_capture"}:
                return intent
            found = found or intent
        return found

    async def _about_refund(self, transaction: PaymentTransaction) -> Outcome | NotFound:
        if transaction.provider_reference:
            reference = refund_id(transaction.provider_reference)
            return of_refund((await self._client.v1.refunds.retrieve_async(reference)).to_dict())
        params = {"payment_intent": intent_id(transaction.parent_reference)}
        async for refund in self._all(self._client.v1.refunds, params):
            if metadata(refund, "transaction_id") == transaction.id:
                return of_refund(refund)
        return NotFound()

    async def _intent(self, reference: str) -> Json:
        params: Any = {"expand": ["latest_charge"]}
        intent = await self._client.v1.payment_intents.retrieve_async(reference, params)
        return intent.to_dict()

    async def _all(self, service: Any, params: requests.Params) -> AsyncIterator[Json]:  # noqa: ANN401 - two services of the SDK without a common type
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = (await service.list_async({**params, "limit": _A_PAGE, **after})).to_dict()
            rows = page.get("data")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise Unreadable("a list without data")
            for row in rows:
                yield row
            if page.get("has_more") is not True:
                return
            if not rows or not isinstance(rows[-1].get("id"), str):
                raise Unreadable("a list that goes on from nowhere")
            after = {"starting_after": rows[-1]["id"]}
        raise _TooMany


def _final(intent: Json, transaction: PaymentTransaction) -> Outcome:
    outcome = of_movement(intent, transaction)
    if isinstance(outcome, NotFound):
        return OutcomeUnknown("cancel_did_not_help")
    return outcome
