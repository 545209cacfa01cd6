"""The rules by which the pretended provider moves money, inside one database transaction."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from order_core.money import MAX_MINOR_UNITS
from order_core.payment import PaymentTransaction, TransactionKind
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

# Each answers with its row, because a thread may have to wait for the event loop after every call
# of SQLite. The number is not among the values: SQLite gives a new row the one after the highest.
_ENTER: Final = """
    INSERT INTO movements (
        reference, transaction_id, order_id, installation, kind, minor_units, currency, standing,
        token, reason, retryable, parent_reference, return_url, at, settles_at, settles_as
    ) VALUES (
        'sb-' || :kind || '-' || (SELECT coalesce(max(number), 0) + 1 FROM movements),
        :transaction_id, :order_id, :installation, :kind, :minor_units, :currency, :standing,
        :token, :reason, :retryable, :parent_reference, :return_url, :at, :settles_at, :settles_as
    )
    RETURNING *
"""
_END_BEGUN: Final = """
    UPDATE movements SET standing = ?, reason = ? WHERE reference = ? AND standing = 'begun'
    RETURNING *
"""


@dataclass(frozen=True, slots=True)
class Books:
    """The movements, as of `now` (seconds since 1970). The caller begins and commits."""

    connection: sqlite3.Connection
    now: float
    settle_seconds: float

    def settle(self) -> None:
        """Give the movements that waited long enough their end."""
        self.connection.execute(
            "UPDATE movements SET standing = settles_as "
            "WHERE standing = 'pending' AND settles_at <= ?",
            (self.now,),
        )

    def movement(self, reference: str | None) -> Movement | None:
        """The movement with the provider's id `reference`."""
        return self._one("SELECT * FROM movements WHERE reference = ?", reference)

    def movement_of(self, transaction_id: str) -> Movement | None:
        """The newest movement that names our transaction."""
        return self._one(
            "SELECT * FROM movements WHERE transaction_id = ? ORDER BY number DESC LIMIT 1",
            transaction_id,
        )

    def all(self) -> tuple[Movement, ...]:
        """Every movement, oldest first."""
        rows = self.connection.execute("SELECT * FROM movements ORDER BY number")
        return tuple(Movement.of_row(row) for row in rows)

    def stand(self, reference: str, standing: Standing) -> None:
        """Let the movement stand differently from now on."""
        self.connection.execute(
            "UPDATE movements SET standing = ? WHERE reference = ?", (standing, reference)
        )

    def token_pays(self, token: str, transaction: PaymentTransaction) -> bool:
        """Whether a token that pays once may pay this; from now on it pays nothing else."""
        self.connection.execute(
            "INSERT OR IGNORE INTO used_tokens VALUES (?, ?)", (token, transaction.id)
        )
        (user,) = self.connection.execute(
            "SELECT transaction_id FROM used_tokens WHERE token = ?", (token,)
        ).fetchone()
        return bool(user == transaction.id)

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
            self.stand(transaction.parent_reference or "", Standing.VOIDED)
        return self._enter(transaction, Standing.SUCCEEDED, behaviour)

    def _capture_refusal(self, transaction: PaymentTransaction) -> str | None:
        parent = self.movement(transaction.parent_reference)
        if parent is None or parent.standing is not Standing.AUTHORIZED:
            return "not_authorized"
        left = parent.amount.minor_units - self._sum(parent.reference, TransactionKind.CAPTURE)
        same_currency = transaction.amount.currency == parent.amount.currency
        fits = same_currency and transaction.amount.minor_units <= left
        return None if fits else "capture_exceeds_authorization"

    def _void_refusal(self, transaction: PaymentTransaction) -> str | None:
        parent = self.movement(transaction.parent_reference)
        if parent is None:
            return "no_such_payment"
        captured = self._sum(parent.reference, TransactionKind.CAPTURE)
        if captured or parent.standing not in _VOIDABLE:
            return "already_captured" if parent.standing is not Standing.DECLINED else "declined"
        return None

    def _refund_refusal(self, transaction: PaymentTransaction) -> str | None:
        parent = self.movement(transaction.parent_reference)
        takes = {TransactionKind.CHARGE, TransactionKind.CAPTURE}
        if parent is None or parent.kind not in takes or parent.standing is not Standing.SUCCEEDED:
            return "not_captured"
        left = parent.amount.minor_units - self._sum(parent.reference, TransactionKind.REFUND)
        same_currency = transaction.amount.currency == parent.amount.currency
        fits = same_currency and transaction.amount.minor_units <= left
        return None if fits else "refund_exceeds_capture"

    def _sum(self, parent_reference: str, kind: TransactionKind) -> int:
        # What is pending may still happen, so it counts.
        (total,) = self.connection.execute(
            "SELECT coalesce(sum(minor_units), 0) FROM movements "
            "WHERE parent_reference = ? AND kind = ? AND standing IN ('succeeded', 'pending')",
            (parent_reference, kind),
        ).fetchone()
        return int(total)

    # Rows ---------------------------------------------------------------------------------

    def _one(self, sql: str, *values: object) -> Movement | None:
        row = self.connection.execute(sql, values).fetchone()
        return Movement.of_row(row) if row else None

    def _enter(
        self, transaction: PaymentTransaction, standing: Standing, behaviour: Behaviour
    ) -> Movement:
        reference = transaction.provider_reference
        ended = self._one(_END_BEGUN, standing, behaviour.reason, reference) if reference else None
        return ended or self._insert(transaction, standing, behaviour)

    def _insert(
        self, transaction: PaymentTransaction, standing: Standing, behaviour: Behaviour
    ) -> Movement:
        more = 1 if behaviour.effect is Effect.PAY_WRONG_AMOUNT else 0
        of = transaction.parent_reference
        parent = self.movement(of) if of else None
        settles_as = _WAITING.get(behaviour.effect)
        row = {
            "transaction_id": transaction.id,
            "order_id": transaction.order_id,
            "installation": transaction.installation,
            "kind": transaction.kind,
            "minor_units": min(transaction.amount.minor_units + more, MAX_MINOR_UNITS),
            "currency": transaction.amount.currency,
            "standing": standing,
            # A refund of a capture behaves as the token of the first payment says.
            "token": transaction.token or (parent.token if parent else ""),
            "reason": behaviour.reason,
            "retryable": behaviour.retryable,
            "parent_reference": of,
            "return_url": transaction.return_url,
            "at": self.now,
            "settles_at": self.now + self.settle_seconds if settles_as else None,
            "settles_as": settles_as,
        }
        return Movement.of_row(self.connection.execute(_ENTER, row).fetchone())
