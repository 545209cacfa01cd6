"""The rules by which the pretended provider moves money, inside one database transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from order_core.money import MAX_MINOR_UNITS, Money
from order_core.payment import PaymentTransaction, TransactionKind
from order_sandbox.entries import Entries
from order_sandbox.movement import Movement, Standing
from order_sandbox.tokens import Behaviour, Effect

_VOIDABLE: Final = frozenset(
    {
        Standing.BEGUN,
        Standing.ACTION_REQUIRED,
        Standing.PENDING,
        Standing.AUTHORIZED,
        Standing.VOIDED,
    }
)
_WAITING: Final = {
    Effect.WAIT_THEN_PAY: Standing.SUCCEEDED,
    Effect.WAIT_THEN_DECLINE: Standing.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Books:
    """What the provider does at the moment `now` (seconds since 1970), and enters."""

    entries: Entries
    now: float
    settle_seconds: float

    def act(self, transaction: PaymentTransaction, behaviour: Behaviour) -> Movement:
        """Enter what the provider does with the request, and answer with the entry."""
        match behaviour.effect:
            case Effect.DECLINE:
                return self._enter(transaction, Standing.DECLINED, behaviour)
            case Effect.ASK_BUYER:
                return self._enter(transaction, Standing.ACTION_REQUIRED, behaviour)
            case Effect.WAIT_THEN_PAY | Effect.WAIT_THEN_DECLINE:
                return self._enter(transaction, Standing.PENDING, behaviour)
            case Effect.FIRST_STEP:
                return self._enter(transaction, Standing.BEGUN, behaviour)
            case _:
                return self._carry_out(transaction, behaviour)

    def decline(self, transaction: PaymentTransaction, reason: str) -> Movement:
        """Enter a refusal."""
        return self._enter(transaction, Standing.DECLINED, Behaviour("", reason=reason))

    # By kind ------------------------------------------------------------------------------

    def _carry_out(self, transaction: PaymentTransaction, behaviour: Behaviour) -> Movement:
        if transaction.kind is TransactionKind.CHARGE:
            return self._enter(transaction, Standing.SUCCEEDED, behaviour)
        if transaction.kind is TransactionKind.AUTHORIZATION:
            return self._enter(transaction, Standing.AUTHORIZED, behaviour)
        rule = {
            TransactionKind.CAPTURE: self._capture_refusal,
            TransactionKind.VOID: self._void_refusal,
            TransactionKind.REFUND: self._refund_refusal,
        }
        refusal = rule[transaction.kind](transaction)
        if refusal:
            return self.decline(transaction, refusal)
        if transaction.kind is TransactionKind.VOID:
            self.entries.stand(transaction.parent_reference or "", Standing.VOIDED)
        return self._enter(transaction, Standing.SUCCEEDED, behaviour)

    def _capture_refusal(self, transaction: PaymentTransaction) -> str | None:
        parent = self.entries.movement(transaction.parent_reference)
        if parent is None or parent.standing is not Standing.AUTHORIZED:
            return "not_authorized"
        taken = self.entries.sum_of(parent.reference, TransactionKind.CAPTURE)
        left = parent.amount.minor_units - taken
        same_currency = transaction.amount.currency == parent.amount.currency
        fits = same_currency and transaction.amount.minor_units <= left
        return None if fits else "capture_exceeds_authorization"

    def _void_refusal(self, transaction: PaymentTransaction) -> str | None:
        parent = self.entries.movement(transaction.parent_reference)
        if parent is None:
            return "no_such_payment"
        captured = self.entries.sum_of(parent.reference, TransactionKind.CAPTURE)
        if captured or parent.standing not in _VOIDABLE:
            return "already_captured" if parent.standing is not Standing.DECLINED else "declined"
        return None

    def _refund_refusal(self, transaction: PaymentTransaction) -> str | None:
        parent = self.entries.movement(transaction.parent_reference)
        takes = {TransactionKind.CHARGE, TransactionKind.CAPTURE}
        if parent is None or parent.kind not in takes or parent.standing is not Standing.SUCCEEDED:
            return "not_captured"
        returned = self.entries.sum_of(parent.reference, TransactionKind.REFUND)
        left = parent.amount.minor_units - returned
        same_currency = transaction.amount.currency == parent.amount.currency
        fits = same_currency and transaction.amount.minor_units <= left
        return None if fits else "refund_exceeds_capture"

    # Entries ------------------------------------------------------------------------------

    def _enter(
        self, transaction: PaymentTransaction, standing: Standing, behaviour: Behaviour
    ) -> Movement:
        reference = transaction.provider_reference
        if reference:
            ended = self.entries.end_begun(reference, standing, behaviour.reason)
            if ended:
                return ended
        return self._enter_anew(transaction, standing, behaviour)

    def _enter_anew(
        self, transaction: PaymentTransaction, standing: Standing, behaviour: Behaviour
    ) -> Movement:
        more = 1 if behaviour.effect is Effect.PAY_WRONG_AMOUNT else 0
        minor_units = min(transaction.amount.minor_units + more, MAX_MINOR_UNITS)
        of = transaction.parent_reference
        parent = self.entries.movement(of) if of else None
        movement = Movement(
            reference=f"sb-{transaction.kind}-{self.entries.next_number()}",
            transaction_id=transaction.id,
            order_id=transaction.order_id,
            installation=transaction.installation,
            kind=transaction.kind,
            amount=Money(minor_units, transaction.amount.currency),
            standing=standing,
            # A refund of a capture behaves as the token of the first payment says.
            token=transaction.token or (parent.token if parent else ""),
            reason=behaviour.reason,
            retryable=behaviour.retryable,
            parent_reference=of,
            return_url=transaction.return_url,
            at=datetime.fromtimestamp(self.now, UTC),
        )
        settles_as = _WAITING.get(behaviour.effect)
        settles = (self.now + self.settle_seconds, settles_as) if settles_as else None
        return self.entries.enter(movement, settles=settles)
