"""The payment gateway of one Adyen merchant account."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from order_adyen import answers, requests
from order_adyen.amounts import check_amount
from order_adyen.failures import outcome_of
from order_core.money import Money
from order_core.outcomes import NotFound, NotSent, Outcome, OutcomeUnknown
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.payment_terms import GatewayProfile

CALL_SECONDS: Final = 15.0
_SLOT_SECONDS: Final = 2.0
_SLOTS: Final = 16


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AdyenGateway:
    """Moves money through `checkout` (Adyen's AdyenCheckoutApi), for `merchant`.

    The SDK blocks, so each call has a thread; a call without a free one is not sent. Captures,
    voids and refunds are pending until Adyen's event tells how they ended.
    """

    def __init__(
        self,
        checkout: Any,  # noqa: ANN401 - the SDK has no types
        *,
        merchant: str,
        account: str,
        call_seconds: float = CALL_SECONDS,
        slots: int = _SLOTS,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._checkout = checkout
        self._merchant = merchant
        self._call_seconds = call_seconds
        self._now = now
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="adyen")
        self._free = asyncio.Semaphore(slots)
        self._profile = GatewayProfile(
            provider="adyen",
            account=account,
            call_budget=timedelta(seconds=call_seconds + _SLOT_SECONDS + 1),
            # Adyen promises at least seven days; without a look-up there is no use for more.
            key_life=timedelta(days=1),
            looks_up=frozenset(),
        )

    @property
    def profile(self) -> GatewayProfile:
        return self._profile

    def check(self, amount: Money, token: str, /) -> None:
        check_amount(amount)
        requests.stored_method(token)

    def is_single_use(self, _token: str, /) -> bool:
        return False

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        try:
            call = self._call(transaction)
        except Exception as failure:  # noqa: BLE001 - whatever it is, nothing was sent
            return NotSent(str(failure) if isinstance(failure, requests.RequestImpossible) else "")
        try:
            # A job that waits for a thread could leave after we said that it was not sent.
            async with asyncio.timeout(_SLOT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            return NotSent("no_free_slot")
        if self._now() >= transaction.send_until:
            self._free.release()
            return NotSent("too_late")
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, _outcome_of_call, call)
        running.add_done_callback(lambda _: self._free.release())
        try:
            async with asyncio.timeout(self._call_seconds):
                return await asyncio.shield(running)
        except TimeoutError:
            return OutcomeUnknown("no_answer_in_time")

    async def look_up(self, _transaction: PaymentTransaction, /) -> Outcome | NotFound:
        return OutcomeUnknown("adyen_has_no_look_up")

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    def _call(self, transaction: PaymentTransaction) -> Callable[[], Outcome]:
        """The request, ready to leave. Raises: RequestImpossible."""
        key = requests.key(transaction)
        changes = self._checkout.modifications_api
        match transaction.kind:
            case TransactionKind.CHARGE | TransactionKind.AUTHORIZATION:
                body = requests.payment(transaction, self._merchant)
                pay = self._checkout.payments_api.payments
                return lambda: answers.of_payment(
                    pay(body, idempotency_key=key).message, transaction
                )
            case TransactionKind.CAPTURE:
                ask = changes.capture_authorised_payment
            case TransactionKind.VOID:
                ask = changes.cancel_authorised_payment_by_psp_reference
            case TransactionKind.REFUND:
                ask = changes.refund_captured_payment
            case _:
                raise requests.RequestImpossible(f"adyen_has_no_{transaction.kind}")
        body = requests.change(transaction, self._merchant)
        parent = requests.path_id(transaction.parent_reference)
        return lambda: answers.of_change(ask(body, parent, idempotency_key=key).message)


def _outcome_of_call(call: Callable[[], Outcome]) -> Outcome:
    try:
        return call()
    except Exception as failure:  # noqa: BLE001 - whatever the SDK throws has an outcome
        return outcome_of(failure)
