"""What a provider tells of a payment without our mark: whose it is, as far as anybody can say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.order import Order
from order_core.outcomes import Declined, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import GatewayProfile
from order_core.ports import ProviderFact

ANONYMOUS: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.VOID})
"""What a provider may tell of without saying whose it is."""

_TOLD_BY_SUM: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.REFUND})


@dataclass(frozen=True, slots=True)
class Unmarked:
    """The fact, the payment that it names, and when it came here first.

    What we have asked for since is not what it tells.
    """

    order: Order
    parent: PaymentTransaction
    fact: ProviderFact
    heard_at: datetime
    gateway: GatewayProfile

    def ours(self) -> PaymentTransaction | None:
        """Ours that nobody has seen, if it must be the one that is told.

        Booked beside it, the same money would count twice. It must be if a person has accepted it,
        or if there is no room for two, of whatever sum it was asked for.
        """
        returned = self._returned_as()
        match self.fact.outcome:
            case Succeeded() if returned is None or returned.provider_reference is not None:
                return self._done()
            case Reversed() if returned is None:
                return self._came_back()
            case Declined() if returned is None:
                return self._refused()
        return returned

    def _done(self) -> PaymentTransaction | None:
        same = self._of_the_same_sum()
        waits = any(t.is_undecided for t in same)
        done = [t for t in same if t.status is TransactionStatus.SUCCEEDED]
        if still_there := self._still_there(same):
            return still_there[0]
        return done[0] if done and not waits else self._only_one(same)

    def _came_back(self) -> PaymentTransaction | None:
        same = self._of_the_same_sum()
        if still_there := self._still_there(same):
            return still_there[0]
        return None if same else self._seen() or self._only_one([])

    def _refused(self) -> PaymentTransaction | None:
        same = self._of_the_same_sum()
        if any(t.is_undecided for t in same) or self.one_of_several():
            # A refusal is told with no sum: it may be that of the one which is on its way.
            return None
        # One that has come back was refused, perhaps, and is told of once more.
        return next(iter(self._still_there(same) or same), None)

    def _only_one(self, same: list[PaymentTransaction]) -> PaymentTransaction | None:
        """The last one that has no name, of the same sum or else of another."""
        others = [t for t in self._without_a_name() if _is_decided_by_people(t)]
        candidates = same or others
        if len(candidates) != 1 or not self._leaves_no_room():
            return None
        (ours,) = candidates
        if ours.is_done_unseen:
            return ours
        # What an open capture came to is shown by its answer, or by a look at its hold.
        return ours if ours.is_given_up or ours.kind is TransactionKind.REFUND else None

    def one_of_several(self) -> list[PaymentTransaction]:
        """What a person accepted, of different sums, of which a refusal may be any; else empty."""
        refusal = self.fact.kind is TransactionKind.REFUND and isinstance(
            self.fact.outcome, Declined
        )
        if not refusal:
            return []
        accepted = self._still_there(self._of_the_same_sum())
        return accepted if len({t.amount for t in accepted}) > 1 else []

    def may_be_ours(self) -> bool:
        """Whether nobody knows yet if it is ours, and somebody will."""
        fact = self.fact
        if any(t.is_undecided for t in self._of_the_same_sum()):
            return True
        if self._is_not_shown and fact.kind is TransactionKind.REFUND and self._leaves_no_room():
            # Of another sum than was asked for, it is the last of ours that has no name by then.
            return bool(self._without_a_name())
        return fact.kind in ANONYMOUS and any(
            t.kind is fact.kind
            and t.parent_id == self.parent.id
            and t.is_open
            # One that is answered by nothing but events has its own name from its answer on.
            and (t.provider_reference is None or not self._is_not_shown)
            for t in self.order.transactions
        )

    @property
    def _is_not_shown(self) -> bool:
        return self.fact.kind not in self.gateway.looks_up

    def _seen(self) -> PaymentTransaction | None:
        """The refund whose return it must be, though its name is another one's.

        There is no room for another refund of that sum, and nobody can ask.
        """
        if not (self._is_not_shown and self._leaves_no_room()) or self._is_on_record():
            return None
        told = (TransactionKind.REFUND, self.parent.id, getattr(self.fact.outcome, "amount", None))
        for t in self.order.transactions:
            done = t.status is TransactionStatus.SUCCEEDED and not self.order.returned_of(t)
            if (t.kind, t.parent_id, t.amount) == told and done:
                return t
        return None

    def _is_on_record(self) -> bool:
        """Whether its name is known: told again, it is the one that it was found to be."""
        name = (self.fact.kind, self.fact.reference)
        return any((t.kind, t.provider_reference) == name for t in self.order.transactions)

    def _returned_as(self) -> PaymentTransaction | None:
        """The refund that has come back by this name, which need not be the refund's own."""
        if self.fact.kind is not TransactionKind.REFUND:
            return None
        back = (TransactionKind.REVERSAL, self.fact.reference)
        for t in self.order.transactions:
            if (t.kind, t.provider_reference) == back and t.parent_id is not None:
                refund = self.order.transaction(t.parent_id)
                if refund.kind is TransactionKind.REFUND:
                    return refund
        return None

    def _still_there(self, those: list[PaymentTransaction]) -> list[PaymentTransaction]:
        # What came back is told of once more only by the name of its return.
        return [
            t
            for t in those
            if t.status is TransactionStatus.SUCCEEDED and not self.order.returned_of(t)
        ]

    def _of_the_same_sum(self) -> list[PaymentTransaction]:
        """What may be what the fact tells: ours, by no reference yet.

        That a refund came back is told with its sum, too; that it failed, with none.
        """
        amount = getattr(self.fact.outcome, "amount", None)
        return [
            t
            for t in self._without_a_name()
            if (t.is_undecided or t.is_done_unseen if amount is None else t.amount == amount)
        ]

    def _without_a_name(self) -> list[PaymentTransaction]:
        """What may be what the fact tells, of whatever sum: ours, by no reference yet."""
        fact, told = self.fact, self.fact.outcome
        tells = fact.kind in _TOLD_BY_SUM or moves_nothing(fact)
        says = tells and isinstance(told, Succeeded | Reversed | Declined)
        if not says or self._is_on_record():
            return []
        paid = self._same_payment()
        return [
            t
            for t in self.order.transactions
            if (t.kind, t.provider_reference) == (fact.kind, None)
            and t.parent_id in paid
            and t.is_live
            and t.may_have_run
            and t.recorded_at <= self.heard_at
        ]

    def _same_payment(self) -> set[str]:
        # A hold that stands although it was said to be let go is on record twice.
        name = self.parent.provider_reference
        again = [t for t in self.order.transactions if t.takes_money and name is not None]
        return {self.parent.id} | {t.id for t in again if t.provider_reference == name}

    def _leaves_no_room(self) -> bool:
        """Whether less is left of the payment than is told to have moved."""
        outcome = self.fact.outcome
        if not isinstance(outcome, Succeeded | Reversed):
            return False
        return self._room() < outcome.amount.minor_units

    def _room(self) -> int:
        """How much more can be taken of a hold, or given back of a payment."""
        if self.fact.kind is TransactionKind.REFUND:
            return self.order.left_of(self.parent)
        same = (self.fact.kind, self.parent.id)
        taken = [t for t in self.order.transactions if (t.kind, t.parent_id) == same]
        return self.parent.amount.minor_units - sum(
            t.amount.minor_units for t in taken if t.is_live
        )


def moves_nothing(fact: ProviderFact) -> bool:
    """Whether it is the refusal of a capture or void: whatever was there before is there still."""
    return fact.kind in ANONYMOUS and isinstance(fact.outcome, Declined)


def _is_decided_by_people(transaction: PaymentTransaction) -> bool:
    """Whether nothing is on its way any more, and only a person has said what became of it."""
    # Of a capture he has to say so first: it is told which one it was once he has.
    refund = transaction.kind is TransactionKind.REFUND
    return transaction.is_done_unseen or (refund and transaction.is_given_up)
