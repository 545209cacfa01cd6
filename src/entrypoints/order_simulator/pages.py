"""The provider's own pages, as a person reads them who has to decide what nobody can ask about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from order_core.order import Order
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import ALL_KINDS
from order_core.reviewing import ReviewDecision
from order_core.settlement.refused import REVERSAL_REFUSED
from order_memory import LedgerEntry, Standing
from order_simulator.faults import Fault

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_D = ReviewDecision
_UNDER_WAY: Final = frozenset({Standing.PENDING, Standing.ACTION_REQUIRED})
_DONE: Final = frozenset({Standing.SUCCEEDED, Standing.AUTHORIZED})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person decides who has looked: the first that is not refused."""

    decisions: tuple[ReviewDecision, ...]
    is_certain: bool = True
    """Whether the books then say what the provider's say, so that no rule makes an exception."""


NOTHING_YET: Final = Seen(())
"""He looks again later: what pends, or waits for its buyer, may still be paid."""


class Pages:
    """What they say about a doubt. They show what arrived there, and no request on its way."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def say(self, order: Order, doubtful: PaymentTransaction) -> Seen | None:
        """None: nothing about this, or the provider can be asked."""
        if self._shop.looks_up == ALL_KINDS:
            return None
        if doubtful.is_given_up and doubtful.kind not in self._shop.looks_up:
            return self._became_of(doubtful)
        if (doubtful.review or "").startswith("refused_after_all"):
            paid = self._shown(order.transaction(doubtful.parent_id or ""))
            is_there = paid is not None and paid.standing in _DONE
            return Seen((_D.DISPUTE_WON if is_there else _D.DISPUTE_LOST,), is_certain=False)
        if (doubtful.review or "").startswith(REVERSAL_REFUSED):
            return self._refused(order, doubtful)
        return None

    def _became_of(self, given_up: PaymentTransaction) -> Seen:
        entry = self._shown(given_up)
        self._shop.inject(Fault.LEFT_TO_A_PERSON, "staff", given_up.order_id)
        if entry is not None and entry.standing in _UNDER_WAY:
            if not self._is_hasty(entry):
                return NOTHING_YET
            if given_up.kind is TransactionKind.VOID and given_up.parent_id:
                # He takes its hold for gone, which may stand.
                self._shop.provider.overlooked.add(given_up.parent_id)
            return Seen((_D.ACCEPT,), is_certain=False)
        if entry is not None and entry.standing is Standing.VOIDED:
            # That somebody let it go may be on record beside it: accepted, it is what is there.
            return Seen((_D.NEVER_HAPPENED, _D.ACCEPT))
        if entry is None or entry.standing not in _DONE:
            return Seen((_D.NEVER_HAPPENED,))
        if self._overlooks(entry):
            self._shop.provider.overlooked.add(given_up.id)
            return Seen((_D.NEVER_HAPPENED,), is_certain=False)
        wanted = self._shop.chance.happens(0.7)
        decisions = (_D.ACCEPT,) if wanted else (_D.REFUND, _D.ACCEPT)
        # That it is another amount he sees, too, and cannot say: the event is on its way.
        return Seen(decisions, is_certain=entry.amount == given_up.amount)

    def _refused(self, order: Order, refused: PaymentTransaction) -> Seen | None:
        parent = order.transaction(refused.parent_id or "")
        if parent.kind in self._shop.looks_up:
            return None
        if refused.kind is not TransactionKind.VOID:
            # Of what the provider has not named to us, nothing goes back by asking again.
            unnamed = parent.provider_reference is None
            return Seen((_D.ACCEPT,), is_certain=False) if unnamed else None
        held = self._shown(parent)
        if held is None or held.standing in {Standing.VOIDED, Standing.DECLINED}:
            return Seen((_D.HOLD_ENDED, _D.ACCEPT))
        if parent.status is TransactionStatus.ACTION_REQUIRED and held.standing in _DONE:
            # The buyer has paid, and the next void is refused like this one: what he paid is
            # decided about once it is given up.
            return NOTHING_YET
        return Seen((_D.ACCEPT,), is_certain=False)

    def _is_hasty(self, entry: LedgerEntry) -> bool:
        """Whether he takes what pends for done, where its end is sure to be told."""
        pends = entry.standing is Standing.PENDING
        return pends and self._shop.has_record and self._shop.chance.happens(0.1)

    def _overlooks(self, entry: LedgerEntry) -> bool:
        """Whether he does not see what was done, where it is sure to be told: as late money."""
        told = entry.is_marked and self._shop.has_record
        return told and self._shop.chance.happens(0.05)

    def _shown(self, transaction: PaymentTransaction) -> LedgerEntry | None:
        """The entry that has its reference, if that is known, or its name."""
        return self._shop.provider.ledger.shown(transaction)
