"""The books of a pretended provider: what it really did, whatever anybody heard of it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from order_core.immutable import replace
from order_core.money import MAX_MINOR_UNITS, Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    NotFound,
    Outcome,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.ports import Clock

_HELD_FOR: Final = timedelta(days=7)


class Standing(StrEnum):
    """Where a movement stands at the provider."""

    BEGUN = "begun"
    ACTION_REQUIRED = "action_required"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    AUTHORIZED = "authorized"
    DECLINED = "declined"
    VOIDED = "voided"


_VOIDABLE: Final = frozenset(
    {Standing.BEGUN, Standing.ACTION_REQUIRED, Standing.PENDING, Standing.AUTHORIZED}
)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement as the provider has it, with the metadata that came with the request."""

    reference: str
    transaction: PaymentTransaction
    """As it was sent."""
    amount: Money
    standing: Standing
    reason: str = "declined"
    retryable: bool = False
    is_marked: bool = True
    """Whether it carries our id, as what the buyer paid on the provider's page may not."""

    @property
    def mark(self) -> str:
        """Our id of the movement, as the provider shows it; empty if it shows none."""
        return self.transaction.id if self.is_marked else ""

    @property
    def outcome(self) -> Outcome:
        """What the provider says about the movement now."""
        ours = self.transaction
        match self.standing:
            case Standing.SUCCEEDED:
                return Succeeded(self.reference, self.amount, self.mark)
            case Standing.AUTHORIZED:
                until = ours.recorded_at + _HELD_FOR
                return Authorized(self.reference, self.amount, self.mark, until)
            case Standing.BEGUN:
                return Continue(self.reference)
            case Standing.ACTION_REQUIRED:
                return ActionRequired(self.reference, url=f"https://pay.test/{self.reference}")
            case Standing.PENDING:
                return Pending(self.reference)
            case Standing.DECLINED:
                return Declined(self.reason, self.retryable, self.reference)
            case Standing.VOIDED:
                return Declined("voided", reference=self.reference)


class ProviderLedger:
    """Obeys the natural rules of money: nothing is given back that was not taken."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, LedgerEntry] = {}
        self._used_tokens: dict[str, str] = {}
        self._newest: dict[str, str] = {}
        self._children: dict[str, tuple[str, ...]] = {}

    @property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """Every movement that reached the provider, oldest first."""
        return tuple(self._entries.values())

    def of(self, transaction: PaymentTransaction) -> LedgerEntry | None:
        """The newest entry that carries the id of `transaction` as metadata."""
        reference = self._newest.get(transaction.id)
        return None if reference is None else self._entries[reference]

    def shown(self, transaction: PaymentTransaction) -> LedgerEntry | None:
        """What a look-up finds: by the provider's own reference, once that is known."""
        known = self._entries.get(transaction.provider_reference or "")
        return known if known and transaction.takes_money else self.of(transaction)

    def says(self, entry: LedgerEntry, *, to: PaymentTransaction) -> Outcome | NotFound:
        """What a look-up answers: who asks for a hold by its reference is told of its capture."""
        if entry.standing is Standing.BEGUN:
            # The first step moves nothing, so once it is known it is no trace of the second,
            # unless the second had to ask the buyer, and he has agreed.
            asked_again = to.status is TransactionStatus.ACTION_REQUIRED
            return entry.outcome if to.step == 1 or asked_again else NotFound()
        named = to.provider_reference == entry.reference
        if named and entry.standing is Standing.AUTHORIZED:
            for child in self.children(entry.reference):
                if self.taken(child.reference):
                    return Succeeded(child.reference, child.amount, entry.mark)
        return entry.outcome

    def entry(self, reference: str) -> LedgerEntry:
        """Raises KeyError: the provider never gave out this reference."""
        return self._entries[reference]

    def write(
        self,
        transaction: PaymentTransaction,
        standing: Standing,
        *,
        amount: Money | None = None,
        reason: str = "declined",
        retryable: bool = False,
    ) -> Outcome:
        """Enter a movement, or the next step of one, and answer what the provider would say."""
        begun = self._entries.get(transaction.provider_reference or "")
        continues = begun is not None and begun.standing is Standing.BEGUN
        reference = begun.reference if begun and continues else f"ref-{len(self._entries) + 1:06}"
        entry = LedgerEntry(
            reference, transaction, amount or transaction.amount, standing, reason, retryable
        )
        if reference not in self._entries:
            self._newest[transaction.id] = reference
            parent = transaction.parent_reference or ""
            self._children[parent] = (*self._children.get(parent, ()), reference)
        self._entries[reference] = entry
        return entry.outcome

    def carry_out_again(self, first: LedgerEntry) -> LedgerEntry:
        """Take or hold once more, whatever became of `first`; by our id the first is shown."""
        reference = f"ref-{len(self._entries) + 1:06}"
        held = first.transaction.kind is TransactionKind.AUTHORIZATION
        standing = Standing.AUTHORIZED if held else Standing.SUCCEEDED
        second = replace(first, reference=reference, standing=standing)
        self._entries[reference] = second
        return second

    def carry_out(self, transaction: PaymentTransaction) -> Outcome:
        """Do what is asked, or decline it by the rules."""
        match transaction.kind:
            case TransactionKind.CHARGE:
                return self.write(transaction, Standing.SUCCEEDED)
            case TransactionKind.AUTHORIZATION:
                return self.write(transaction, Standing.AUTHORIZED)
            case TransactionKind.CAPTURE:
                return self._capture(transaction)
            case TransactionKind.VOID:
                return self._void(transaction)
            case TransactionKind.REFUND:
                return self._refund(transaction)
            case TransactionKind.REVERSAL:
                raise ValueError("nobody asks for a reversal: the provider makes it")

    def overpay(self, transaction: PaymentTransaction) -> Outcome:
        """Take another amount than was asked."""
        more = min(transaction.amount.minor_units + 1, MAX_MINOR_UNITS)
        amount = Money(more, transaction.amount.currency)
        return self.write(transaction, Standing.SUCCEEDED, amount=amount)

    def use_up(self, token: str, transaction: PaymentTransaction) -> bool:
        """Whether a token that pays once may pay this; from now on it pays nothing else."""
        return self._used_tokens.setdefault(token, transaction.id) == transaction.id

    def resolve(
        self,
        reference: str,
        *,
        approved: bool,
        is_marked: bool = True,
        amount: Money | None = None,
    ) -> bool:
        """End what waits for the buyer or the bank; False if it does not wait any more.

        `amount` is what is moved; None: what was asked for.

        Raises:
            KeyError: the provider never gave out this reference.
        """
        entry = self._entries[reference]
        if entry.standing not in {Standing.ACTION_REQUIRED, Standing.PENDING}:
            return False
        held = entry.transaction.kind is TransactionKind.AUTHORIZATION
        yes = Standing.AUTHORIZED if held else Standing.SUCCEEDED
        standing = yes if approved else Standing.DECLINED
        self._entries[reference] = replace(
            entry, standing=standing, is_marked=is_marked, amount=amount or entry.amount
        )
        return True

    def children(self, reference: str) -> tuple[LedgerEntry, ...]:
        """Everything that was done to this entry, oldest first."""
        return tuple(self._entries[child] for child in self._children.get(reference, ()))

    def agree(self, reference: str) -> bool:
        """The buyer approves a payment that the shop must then take; False if it is too late."""
        entry = self._entries[reference]
        if entry.standing is not Standing.ACTION_REQUIRED:
            return False
        self._entries[reference] = replace(entry, standing=Standing.BEGUN)
        return True

    def end(self, reference: str, standing: Standing, *, reason: str) -> None:
        """The provider goes back on an entry by itself: a hold runs out, a refund returns.

        Raises:
            KeyError: the provider never gave out this reference.
        """
        entry = self._entries[reference]
        self._entries[reference] = replace(entry, standing=standing, reason=reason)

    def refundable(self, reference: str) -> int:
        """How many minor units of this entry nobody has given back, or is about to."""
        return self._left(self.taken(reference), reference, TransactionKind.REFUND)

    def taken(self, reference: str) -> int:
        """How many minor units went from the buyer to the shop by this entry."""
        entry = self._entries.get(reference)
        takes = {TransactionKind.CHARGE, TransactionKind.CAPTURE}
        if entry and entry.transaction.kind in takes and entry.standing is Standing.SUCCEEDED:
            return entry.amount.minor_units
        return 0

    def given_back(self, reference: str) -> int:
        """How many minor units of this entry went back to the buyer."""
        done = frozenset({Standing.SUCCEEDED})
        return self._sum_of_children(reference, TransactionKind.REFUND, done)

    def _left(self, amount: int, reference: str, kind: TransactionKind) -> int:
        # What is pending may still happen, so it counts.
        spent = frozenset({Standing.SUCCEEDED, Standing.PENDING})
        return amount - self._sum_of_children(reference, kind, spent)

    def _sum_of_children(
        self, reference: str, kind: TransactionKind, standings: frozenset[Standing]
    ) -> int:
        return sum(
            entry.amount.minor_units
            for entry in self.children(reference)
            if entry.transaction.kind is kind and entry.standing in standings
        )

    def _capture(self, transaction: PaymentTransaction) -> Outcome:
        parent = self._entries.get(transaction.parent_reference or "")
        if parent is None or parent.standing is not Standing.AUTHORIZED:
            return self.write(transaction, Standing.DECLINED, reason="not_authorized")
        left = self._left(parent.amount.minor_units, parent.reference, TransactionKind.CAPTURE)
        if transaction.amount.minor_units > left:
            return self.write(
                transaction, Standing.DECLINED, reason="capture_exceeds_authorization"
            )
        return self.write(transaction, Standing.SUCCEEDED)

    def _void(self, transaction: PaymentTransaction) -> Outcome:
        parent = self._entries.get(transaction.parent_reference or "")
        if parent is None:
            return self.write(transaction, Standing.DECLINED, reason="no_such_payment")
        captured = self._left(0, parent.reference, TransactionKind.CAPTURE) < 0
        if captured or parent.standing not in {*_VOIDABLE, Standing.VOIDED}:
            return self.write(transaction, Standing.DECLINED, reason="already_captured")
        self._entries[parent.reference] = replace(parent, standing=Standing.VOIDED)
        return self.write(transaction, Standing.SUCCEEDED)

    def _refund(self, transaction: PaymentTransaction) -> Outcome:
        reference = transaction.parent_reference or ""
        if transaction.amount.minor_units > self.refundable(reference):
            return self.write(transaction, Standing.DECLINED, reason="refund_exceeds_capture")
        return self.write(transaction, Standing.SUCCEEDED)
