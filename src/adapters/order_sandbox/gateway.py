"""The payment gateway of the pretended provider."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import NotFound, NotSent, Outcome, OutcomeUnknown
from order_core.payment import PaymentTransaction
from order_core.payment_terms import GatewayProfile
from order_sandbox.clerk import Clerk
from order_sandbox.ledger import LedgerBusy, SandboxLedger
from order_sandbox.tokens import SINGLE_USE, TOKENS, Way

_SLOW_SECONDS: Final = 3.0
_LEDGER_SECONDS: Final = 6.0
_LONGEST_TOKEN: Final = 255

_Result = TypeVar("_Result")


class SandboxGateway:
    """Answers as the token says (`order_sandbox.tokens`), and moves money only in `ledger`.

    `hang_seconds` is how long it waits where nobody answers.
    """

    def __init__(
        self,
        ledger: SandboxLedger,
        *,
        hang_seconds: float = 2.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.ledger = ledger
        self._hang_seconds = hang_seconds
        self._sleep = sleep
        self._clerk = Clerk(ledger)
        self._profile = GatewayProfile(
            provider="sandbox",
            account=ledger.account,
            call_budget=timedelta(seconds=_LEDGER_SECONDS + max(_SLOW_SECONDS, hang_seconds)),
            # The ledger forgets no key, and a request lives as long as the process.
            key_life=timedelta(days=30),
            horizon=timedelta(minutes=1),
        )

    @property
    def profile(self) -> GatewayProfile:
        return self._profile

    def check(self, amount: Money, token: str, /) -> None:  # noqa: ARG002 - it takes any amount
        if len(token) > _LONGEST_TOKEN or not (token in TOKENS or self.is_single_use(token)):
            raise InvalidValue(
                ("payment_method",),
                "unknown_payment_method",
                f"must be one of {', '.join(TOKENS)}, or begin with {SINGLE_USE}",
            )

    def is_single_use(self, token: str, /) -> bool:
        return token.startswith(SINGLE_USE)

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        try:
            received = await self._asked(partial(self.ledger.receive, transaction))
        except LedgerBusy:
            return NotSent("ledger_busy")
        except (TimeoutError, sqlite3.Error) as error:
            return OutcomeUnknown(f"ledger_failed:{type(error).__name__}")
        match received.way:
            case Way.ANSWER_LOST | Way.REQUEST_LOST:
                await self._sleep(self._hang_seconds)
                return OutcomeUnknown("no_answer_in_time")
            case Way.UNREADABLE:
                return OutcomeUnknown("unreadable_answer")
            case Way.SLOW:
                await self._sleep(_SLOW_SECONDS)
        return received.answer

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        try:
            return await self._asked(partial(self.ledger.look_up, transaction))
        except (LedgerBusy, TimeoutError, sqlite3.Error) as error:
            return OutcomeUnknown(f"ledger_failed:{type(error).__name__}")

    async def close(self) -> None:
        await self._clerk.close()
        self.ledger.close()

    async def _asked(self, question: Callable[[], _Result]) -> _Result:
        return await self._clerk.ask(question, seconds=_LEDGER_SECONDS)
