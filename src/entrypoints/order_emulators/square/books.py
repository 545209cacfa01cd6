"""The pretended Square's books: what happened to the money, and what is told about it."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from order_emulators.chassis import Decision, Event, LedgerEntry
from order_emulators.square import sources
from order_emulators.square.payment import HOLD, Payment, Refund, stamp
from order_emulators.square.record import EventRecord
from order_emulators.square.refusal import (
    VERSION_CHANGED,
    Refusal,
    in_wrong_state,
    not_found,
    unusable,
)

_REFUND_TAKES: Final = timedelta(seconds=2)
_MOST: Final = 100_000


class Books:
    """Payments and refunds, oldest first. Amounts are minor units of the location's currency."""

    def __init__(self, clock: Callable[[], datetime], run: str) -> None:
        self._clock = clock
        self._run = run
        self._numbers = 0
        self.payments: dict[str, Payment] = {}
        self.refunds: dict[str, Refund] = {}
        self.record: Final = EventRecord()
        self._used: set[str] = set()
        self._ledger: list[LedgerEntry] = []
        self._events: list[Event] = []

    # Payments -----------------------------------------------------------------------------

    def pay(self, payment: Payment, source: str) -> Payment:
        """Let `source` pay, or refuse; both stay in the books."""
        if len(self.payments) >= _MOST:
            raise OverflowError(f"more than {_MOST} payments; start the emulator again")
        code = self._refusal_of(source)
        self.payments[payment.id] = payment
        if code is not None:
            payment.failure, payment.status = code, "FAILED"
            self._tell("payment.created", "payment", payment)
            raise Refusal(402, code, "PAYMENT_METHOD_ERROR", payment=payment.shown())
        payment.approved = payment.amount
        if sources.is_bank(source):
            payment.status, payment.source_type = "PENDING", "BANK_ACCOUNT"
        else:
            self._used.add(source)
            payment.status = "COMPLETED" if payment.autocomplete else "APPROVED"
            self._book("charge" if payment.autocomplete else "authorization", payment)
        self._tell("payment.created", "payment", payment)
        return payment

    def _refusal_of(self, source: str) -> str | None:
        if source in sources.REFUSED:
            return sources.REFUSED[source]
        if source.startswith(sources.PAYS_ONCE) and source in self._used:
            return "CARD_TOKEN_USED"
        if not (sources.pays(source) or sources.is_bank(source)):
            raise not_found()
        return None

    def lower(self, payment: Payment, amount: int, version_token: str | None) -> None:
        """Change what a hold will take; never to more than the bank allowed."""
        self._must_be_held(payment, version_token)
        if amount > payment.approved:
            raise unusable("AMOUNT_TOO_HIGH", "payment.amount_money.amount")
        payment.amount = amount
        payment.changed(self._clock())
        self._tell("payment.updated", "payment", payment)

    def complete(self, payment: Payment, version_token: str | None) -> None:
        """Take what is held; what was approved above it is let go."""
        self._must_be_held(payment, version_token)
        payment.changed(self._clock(), "COMPLETED")
        self._book("capture", payment)
        self._tell("payment.updated", "payment", payment)

    def cancel(self, payment: Payment) -> None:
        """Let a hold go."""
        if payment.status not in {"APPROVED", "PENDING"}:
            raise in_wrong_state("payment_id")
        self._let_go(payment, self._clock())

    def _let_go(self, payment: Payment, at: datetime) -> None:
        payment.changed(at, "CANCELED")
        self._book("void", payment)
        self._tell("payment.updated", "payment", payment, at)

    def _must_be_held(self, payment: Payment, version_token: str | None) -> None:
        if payment.status != "APPROVED":
            raise in_wrong_state("payment_id")
        if version_token not in {None, payment.version_token}:
            raise VERSION_CHANGED

    # Refunds ------------------------------------------------------------------------------

    def refund(self, payment: Payment, amount: int, reason: str | None) -> Refund:
        """Begin to give back a part of a payment, or all."""
        if payment.status != "COMPLETED":
            raise Refusal(400, "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", "REFUND_ERROR")
        if amount > payment.amount - payment.given_back:
            raise Refusal(400, "REFUND_AMOUNT_INVALID", "REFUND_ERROR", field="amount_money")
        now = self._clock()
        refund = Refund(
            id=f"{payment.id}_{self.new_id('R')}",
            payment=payment,
            created_at=now,
            updated_at=now,
            amount=amount,
            reason=reason,
        )
        self.refunds[refund.id] = refund
        payment.refunds.append(refund)
        self._tell("refund.created", "refund", refund)
        return refund

    # By itself ----------------------------------------------------------------------------

    def pass_time(self) -> None:
        """Finish the refunds that are old enough, and give up holds that are too old."""
        # Looked at once: a journal tells each request what the clock showed, look by look.
        now = self._clock()
        for refund in self.refunds.values():
            if refund.status == "PENDING" and now >= refund.created_at + _REFUND_TAKES:
                self._end_refund(refund, "COMPLETED", now)
        for payment in self.payments.values():
            if payment.status == "APPROVED" and now >= payment.created_at + HOLD:
                self._let_go(payment, now)

    def act(self, reference: str, decision: Decision) -> bool:
        """Decide about a bank payment or a refund that waits; refuse a payment: a dispute."""
        approves = decision is Decision.APPROVE
        refund = self.refunds.get(reference)
        if refund is not None and refund.status == "PENDING":
            self._end_refund(refund, "COMPLETED" if approves else "FAILED", self._clock())
            return True
        payment = self.payments.get(reference)
        if payment is not None and payment.status == "PENDING":
            payment.changed(self._clock(), "COMPLETED" if approves else "FAILED")
            if approves:
                self._book("charge", payment)
            self._tell("payment.updated", "payment", payment)
            return True
        if payment is not None and payment.status == "COMPLETED" and not approves:
            self._dispute(payment)
            return True
        return False

    def _end_refund(self, refund: Refund, status: str, at: datetime) -> None:
        refund.status, refund.updated_at = status, at
        if status == "COMPLETED":
            self._ledger.append(
                LedgerEntry(
                    kind="refund",
                    reference=refund.id,
                    amount=refund.amount,
                    currency=refund.payment.currency,
                    status=status,
                    moved=True,
                    transaction_id=(refund.reason or "").split(" ")[0] or None,
                    parent_reference=refund.payment.id,
                )
            )
        self._tell("refund.updated", "refund", refund, at)

    def _dispute(self, payment: Payment) -> None:
        number = self.new_id("D")
        money = {"amount": payment.amount, "currency": payment.currency}
        dispute = {
            "dispute_id": number,
            "id": number,
            "amount_money": money,
            "reason": "NO_KNOWLEDGE",
            "state": "EVIDENCE_REQUIRED",
            "disputed_payment": {"payment_id": payment.id},
            "location_id": payment.location_id,
            "created_at": stamp(self._clock()),
        }
        self._book("dispute", payment, reference=number)
        at = self._clock()
        self._event("dispute.created", "dispute", number, payment.location_id, dispute, at=at)

    # What is told -------------------------------------------------------------------------

    def new_id(self, prefix: str) -> str:
        """An id that no emulator gave before, not even one that was stopped."""
        self._numbers += 1
        return f"{prefix}{self._run}{self._numbers:06}"

    def ledger(self) -> Sequence[LedgerEntry]:
        return tuple(self._ledger)

    def take_events(self) -> Sequence[Event]:
        events, self._events = tuple(self._events), []
        return events

    def _book(self, kind: str, payment: Payment, *, reference: str | None = None) -> None:
        begins = kind in {"charge", "authorization"}
        self._ledger.append(
            LedgerEntry(
                kind=kind,
                reference=reference or payment.id,
                amount=payment.amount,
                currency=payment.currency,
                status=payment.status,
                moved=True,
                # A capture and a void have no id of ours at Square.
                transaction_id=payment.reference_id if begins else None,
                parent_reference=None if begins else payment.id,
            )
        )

    def _tell(
        self, event: str, what: str, subject: Payment | Refund, at: datetime | None = None
    ) -> None:
        location = subject.location_id if isinstance(subject, Payment) else None
        place = location or (subject.payment.location_id if isinstance(subject, Refund) else "")
        self._event(event, what, subject.id, place, subject.shown(), at=at or self._clock())

    def _event(
        self, name: str, what: str, number: str, place: str, shown: dict[str, Any], *, at: datetime
    ) -> None:
        event_id = self.new_id("E")
        body = {
            "merchant_id": "MEMULATED",
            "location_id": place,
            "type": name,
            "event_id": event_id,
            "created_at": stamp(at),
            "data": {"type": what, "id": number, "object": {what: shown}},
        }
        self._events.append(Event(event_id, name, json.dumps(body).encode()))
        self.record.keep(body, at)
