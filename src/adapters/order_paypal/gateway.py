"""The payment gateway of PayPal: Orders v2 and Payments v2."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from order_core.money import Money
from order_core.outcomes import Declined, NotFound, NotSent, Outcome, OutcomeUnknown
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.payment_terms import GatewayProfile
from order_paypal import identifiers
from order_paypal.amounts import check_amount
from order_paypal.api import NoAnswer, PayPalApi, RequestNotSent
from order_paypal.conversation import Conversation
from order_paypal.giving_back import capture, give_back, void
from order_paypal.looking_up import (
    capture_on_record,
    payment_on_record,
    refund_on_record,
    void_on_record,
)
from order_paypal.paying import pay
from order_paypal.threads import Threads

_CALL_SECONDS: Final = 24.0
_BUDGET: Final = timedelta(seconds=25)
_SLOTS: Final = 16


class PayPalGateway:
    """One account at PayPal, behind `api`.

    `account` names the account and its mode, `now` is the present moment, and at most
    `slots` requests are under way at once.
    """

    def __init__(
        self,
        api: PayPalApi,
        *,
        account: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        slots: int = _SLOTS,
        call_seconds: float = _CALL_SECONDS,
    ) -> None:
        self.threads: Final = Threads(api, slots)
        """What else asks PayPal shares the connections and the slots, until `close`."""
        self._now = now
        self._call_seconds = min(call_seconds, _CALL_SECONDS)
        self._profile = GatewayProfile(
            provider="paypal",
            account=account,
            call_budget=_BUDGET,
            # Orders v2 remembers a PayPal-Request-Id for six hours (Payments v2 for 45 days).
            key_life=timedelta(hours=6),
            horizon=timedelta(minutes=30),
        )

    @property
    def profile(self) -> GatewayProfile:
        return self._profile

    def check(self, amount: Money, token: str, /) -> None:
        identifiers.token(token)
        check_amount(amount)

    def is_single_use(self, token: str, /) -> bool:
        return token.startswith("order:")

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        if not self._may_send(transaction):
            return NotSent("too_late")
        talk = Conversation(
            self.threads,
            seconds=self._call_seconds,
            may_send=lambda: self._may_send(transaction),
        )
        try:
            return await self._sent(talk, transaction)
        except identifiers.BadReference:
            # No request was built, so none has moved or will move anything.
            return Declined("bad_reference")
        except RequestNotSent as error:
            return NotSent(error.because)
        except NoAnswer as error:
            return OutcomeUnknown(error.because)

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        talk = Conversation(self.threads, seconds=self._call_seconds)
        look_up = {
            TransactionKind.CAPTURE: capture_on_record,
            TransactionKind.REFUND: refund_on_record,
            TransactionKind.VOID: void_on_record,
        }.get(transaction.kind, payment_on_record)
        try:
            return await look_up(talk, transaction)
        except identifiers.BadReference:
            return OutcomeUnknown("bad_reference")
        except (RequestNotSent, NoAnswer) as error:
            return OutcomeUnknown(f"could_not_be_asked:{error.because}")

    async def close(self) -> None:
        await self.threads.close()

    def _may_send(self, transaction: PaymentTransaction) -> bool:
        return self._now() < transaction.send_until

    async def _sent(self, talk: Conversation, transaction: PaymentTransaction) -> Outcome:
        match transaction.kind:
            case TransactionKind.CAPTURE:
                return await capture(talk, transaction)
            case TransactionKind.REFUND:
                return await give_back(talk, transaction)
            case TransactionKind.VOID:
                return await void(talk, transaction, self._now)
            case TransactionKind.REVERSAL:
                return NotSent("only_the_provider_reverses")
            case _:
                return await pay(talk, transaction)
