"""The payment gateway of one Square location."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from square import AsyncSquare
from square.core.request_options import RequestOptions

from order_core.money import Money
from order_core.outcomes import (
    Declined,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
)
from order_core.payment import TAKING_KINDS, PaymentTransaction, TransactionKind
from order_core.payment_terms import GatewayProfile
from order_square import answers, requests, search
from order_square.amounts import check_amount
from order_square.failures import is_unknown_id, outcome_of
from order_square.sightings import SeenPayment, SeenRefund, code, seen_payment, seen_refund
from order_square.tokens import pays_once, source

CALL_SECONDS: Final = 18.0
_MOST_ALIVE: Final = ("COMPLETED", "APPROVED", "PENDING", "CANCELED", "FAILED")


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _leave_open() -> None:
    """Whoever made the client closes it."""


class SquareGateway:
    """Moves money through `client`, which belongs to `location_id`.

    `account` names location and mode; `currency` is the location's own, if known; `close`
    gives the client's connections back. The SDK's own retries are switched off for each call.
    """

    def __init__(
        self,
        client: AsyncSquare,
        *,
        location_id: str,
        account: str,
        currency: str | None = None,
        call_seconds: float = CALL_SECONDS,
        now: Callable[[], datetime] = _utc_now,
        close: Callable[[], Awaitable[None]] = _leave_open,
    ) -> None:
        self._client = client
        self._location_id = location_id
        self._currency = currency
        self._call_seconds = call_seconds
        self._now = now
        self._close = close
        self._options: RequestOptions = {
            "max_retries": 0,
            "timeout_in_seconds": max(1, int(call_seconds)),
        }
        # How long Square remembers a key is not published, so the default of one hour stands.
        self._profile = GatewayProfile(
            provider="square",
            account=account,
            call_budget=timedelta(seconds=call_seconds + 2),
        )

    @property
    def profile(self) -> GatewayProfile:
        return self._profile

    def check(self, amount: Money, token: str, /) -> None:
        check_amount(amount, self._currency)
        source(token)

    def is_single_use(self, token: str, /) -> bool:
        return pays_once(token)

    async def close(self) -> None:
        await self._close()

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._move(transaction)
        except Exception as failure:  # noqa: BLE001 - whatever the SDK throws has an outcome
            return outcome_of(failure)

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._find(transaction)
        except Exception as failure:  # noqa: BLE001 - whatever the SDK throws has an outcome
            if is_unknown_id(failure):
                return NotFound(by_id=True)
            # Whether the question could be put says nothing about the movement.
            return OutcomeUnknown(f"look_up:{_word(outcome_of(failure))}")

    # Moving -------------------------------------------------------------------------------

    async def _move(self, transaction: PaymentTransaction) -> Outcome:
        match transaction.kind:
            case TransactionKind.CHARGE | TransactionKind.AUTHORIZATION:
                return await self._pay(transaction)
            case TransactionKind.CAPTURE:
                return await self._capture(transaction)
            case TransactionKind.VOID:
                return await self._void(transaction)
            case TransactionKind.REFUND:
                return await self._refund(transaction)
        return NotSent(f"square_has_no_{transaction.kind}")

    async def _pay(self, transaction: PaymentTransaction) -> Outcome:
        request = requests.payment(transaction, self._location_id)
        if self._too_late(transaction):
            return NotSent("too_late")
        answer = await self._client.payments.create(**request, request_options=self._options)
        return answers.of_payment(_payment_in(answer))

    async def _refund(self, transaction: PaymentTransaction) -> Outcome:
        request = requests.refund(transaction)
        if self._too_late(transaction):
            return NotSent("too_late")
        answer = await self._client.refunds.refund_payment(**request, request_options=self._options)
        return answers.of_refund(_refund_in(answer))

    async def _capture(self, transaction: PaymentTransaction) -> Outcome:
        """Complete the payment, after lowering it to the part that is captured.

        Completing takes no idempotency key, so what was done already is read first.
        """
        payment = await self._held(transaction)
        if isinstance(payment, NotSent):
            return payment
        if payment.status == "COMPLETED" and transaction.sends <= 1:
            # This capture was never asked for, so another one took the hold.
            return Declined("already_captured", reference=payment.id)
        if payment.status != "APPROVED":
            return _known(answers.of_capture(payment, transaction))
        if payment.total.currency != transaction.amount.currency:
            return Declined("currency_mismatch")
        if payment.total.minor_units < transaction.amount.minor_units:
            return Declined("more_than_held")
        if payment.total != transaction.amount:
            payment = await self._lowered(payment, transaction)
        if payment.total != transaction.amount:
            return OutcomeUnknown("hold_not_lowered")
        if self._too_late(transaction):
            return NotSent("too_late")
        request = requests.completion(transaction, payment.version_token)
        answer = await self._client.payments.complete(**request, request_options=self._options)
        return _known(answers.of_capture(_payment_in(answer), transaction))

    async def _lowered(self, payment: SeenPayment, transaction: PaymentTransaction) -> SeenPayment:
        request = requests.amount_change(transaction, payment.version_token)
        answer = await self._client.payments.update(**request, request_options=self._options)
        return _payment_in(answer)

    async def _void(self, transaction: PaymentTransaction) -> Outcome:
        """Cancel the payment. That takes no idempotency key either."""
        payment = await self._held(transaction)
        if isinstance(payment, NotSent):
            return payment
        seen = answers.of_void(payment, transaction)
        if not isinstance(seen, NotFound):
            return seen
        if self._too_late(transaction):
            return NotSent("too_late")
        answer = await self._client.payments.cancel(payment.id, request_options=self._options)
        return _known(answers.of_void(_payment_in(answer), transaction))

    async def _held(self, transaction: PaymentTransaction) -> SeenPayment | NotSent:
        """The payment to capture or void; nothing was asked for while it cannot be read."""
        reference = requests.path_id(transaction.parent_reference)
        if self._too_late(transaction):
            return NotSent("too_late")
        try:
            return await self._payment(reference)
        except Exception as failure:  # noqa: BLE001 - whatever the SDK throws has an outcome
            return NotSent(f"payment_not_readable:{_word(outcome_of(failure))}")

    def _too_late(self, transaction: PaymentTransaction) -> bool:
        return self._now() >= transaction.send_until

    # Asking -------------------------------------------------------------------------------

    async def _find(self, transaction: PaymentTransaction) -> Outcome | NotFound:
        if transaction.kind in TAKING_KINDS:
            payment = await self._our_payment(transaction)
            return NotFound() if payment is None else answers.of_payment(payment)
        if transaction.kind is TransactionKind.REFUND:
            refund = await self._our_refund(transaction)
            return NotFound() if refund is None else answers.of_refund(refund)
        payment = await self._payment(requests.path_id(transaction.parent_reference))
        if transaction.kind is TransactionKind.CAPTURE:
            return answers.of_capture(payment, transaction)
        return answers.of_void(payment, transaction)

    async def _our_payment(self, transaction: PaymentTransaction) -> SeenPayment | None:
        if transaction.provider_reference is not None:
            return await self._payment(requests.path_id(transaction.provider_reference))
        shown = await search.everything(
            self._client.payments.list, "payments", self._in_time(transaction)
        )
        ours = [seen_payment(one) for one in shown if one.get("reference_id") == transaction.id]
        # A try that failed must not hide one that took the money.
        return min(ours, key=_deadness, default=None)

    async def _our_refund(self, transaction: PaymentTransaction) -> SeenRefund | None:
        if transaction.provider_reference is not None:
            reference = requests.path_id(transaction.provider_reference)
            return _refund_in(
                await self._client.refunds.get(reference, request_options=self._options)
            )
        shown = await search.everything(
            self._client.refunds.list, "refunds", self._in_time(transaction)
        )
        begins = f"{transaction.id} "
        ours = [one for one in shown if str(one.get("reason") or "").startswith(begins)]
        return seen_refund(ours[0]) if ours else None

    async def _payment(self, reference: str) -> SeenPayment:
        return _payment_in(
            await self._client.payments.get(reference, request_options=self._options)
        )

    def _in_time(self, transaction: PaymentTransaction) -> Mapping[str, Any]:
        return {
            **search.span(transaction, self._now()),
            "location_id": self._location_id,
            "request_options": self._options,
        }


def _payment_in(answer: Any) -> SeenPayment:  # noqa: ANN401 - one of the SDK's answers
    return seen_payment(answer.model_dump(warnings=False).get("payment"))


def _refund_in(answer: Any) -> SeenRefund:  # noqa: ANN401 - one of the SDK's answers
    return seen_refund(answer.model_dump(warnings=False).get("refund"))


def _known(seen: Outcome | NotFound) -> Outcome:
    """What the answer to our own request shows; nothing, although Square said yes, is unclear."""
    return OutcomeUnknown("not_done_yet") if isinstance(seen, NotFound) else seen


def _deadness(payment: SeenPayment) -> int:
    alive = payment.status in _MOST_ALIVE
    return _MOST_ALIVE.index(payment.status) if alive else len(_MOST_ALIVE)


def _word(outcome: Outcome) -> str:
    match outcome:
        case NotSent(because) | OutcomeUnknown(because):
            return because
        case Declined(reason):
            return reason
    return code(type(outcome).__name__.upper())
