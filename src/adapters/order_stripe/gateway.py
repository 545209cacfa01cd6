"""The payment gateway for Stripe."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import stripe

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import NotFound, NotSent, Outcome, OutcomeUnknown
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.payment_terms import GatewayProfile
from order_stripe import answers, requests
from order_stripe.amounts import checked
from order_stripe.answers import Json, Unreadable
from order_stripe.asking import Asking
from order_stripe.errors import outcome_of
from order_stripe.requests import BadReference, intent_id
from order_stripe.tokens import check_token, is_single_use

_CALL_BUDGET: Final = timedelta(seconds=20)
_KEY_LIFE: Final = timedelta(hours=24)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StripeGateway:
    """Takes a ready client (see `stripe_client`); `account` names the account and its mode.

    Stripe remembers a key for at least 24 hours. `close` closes the client's connections.
    """

    def __init__(
        self,
        client: stripe.StripeClient,
        *,
        account: str,
        close: Callable[[], Awaitable[None]] | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._client = client
        self._close = close
        self._now = now
        self._asking = Asking(client)
        self._profile = GatewayProfile(
            provider="stripe",
            account=account,
            request_version=requests.VERSION,
            call_budget=_CALL_BUDGET,
            key_life=_KEY_LIFE,
        )

    @property
    def profile(self) -> GatewayProfile:
        return self._profile

    def check(self, amount: Money, token: str, /) -> None:
        check_token(token)
        checked(amount)

    def is_single_use(self, token: str, /) -> bool:
        return is_single_use(token)

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        try:
            async with asyncio.timeout(_CALL_BUDGET.total_seconds() - 1):
                return await self._send(transaction)
        except TimeoutError:
            return OutcomeUnknown("no_answer_in_time")

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        try:
            async with asyncio.timeout(_CALL_BUDGET.total_seconds() - 1):
                return await self._asking.about(transaction)
        except TimeoutError:
            return OutcomeUnknown("no_answer_in_time")

    async def close(self) -> None:
        if self._close is not None:
            await self._close()

    async def _send(self, transaction: PaymentTransaction) -> Outcome:
        try:
            call = self._call(transaction)
        except BadReference:
            return NotSent("no_payment_to_act_on")
        except InvalidValue:
            # Only a part of a payment can come this far: the whole was checked.
            return NotSent("unsupported_amount")
        # Last of all: a process that was stopped anywhere above must not send any more.
        if self._now() >= transaction.send_until:
            return NotSent("too_late")
        try:
            shown: Json = (await call()).to_dict()
        except stripe.StripeError as error:
            return outcome_of(error, transaction)
        try:
            outcome = _read(shown, transaction)
        except Unreadable:
            return OutcomeUnknown("unreadable_answer")
        return OutcomeUnknown("not_done") if isinstance(outcome, NotFound) else outcome

    def _call(self, transaction: PaymentTransaction) -> Callable[[], Any]:
        """The request, ready to leave."""
        options: Any = {"idempotency_key": transaction.key}
        intents = self._client.v1.payment_intents
        params: Any
        match transaction.kind:
            case TransactionKind.CHARGE | TransactionKind.AUTHORIZATION:
                params = requests.payment(transaction)
                return lambda: intents.create_async(params, options)
            case TransactionKind.CAPTURE:
                params, intent = requests.capture(transaction), _parent(transaction)
                return lambda: intents.capture_async(intent, params, options)
            case TransactionKind.VOID:
                params, intent = requests.cancel(), _parent(transaction)
                return lambda: intents.cancel_async(intent, params, options)
            case TransactionKind.REFUND:
                params = requests.refund(transaction)
                return lambda: self._client.v1.refunds.create_async(params, options)
        raise BadReference(f"a {transaction.kind} is never sent")


def _parent(transaction: PaymentTransaction) -> str:
    return intent_id(transaction.parent_reference)


def _read(shown: Json, transaction: PaymentTransaction) -> Outcome | NotFound:
    if transaction.kind is TransactionKind.REFUND:
        return answers.of_refund(shown)
    return answers.of_movement(shown, transaction)
