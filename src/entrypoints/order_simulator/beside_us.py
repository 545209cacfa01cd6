"""What happens to our payments at the provider without us: dashboard, bank and buyer's bank."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from order_core.money import Money
from order_core.outcomes import Restored, Reversed
from order_core.payment import TransactionKind
from order_memory import LedgerEntry, Standing
from order_simulator.faults import Fault
from order_simulator.virtual_time import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from order_simulator.provider import Provider
    from order_simulator.shop import Shop

_HOLD: Final = 7 * DAY
_K = TransactionKind
_TAKEN: Final = frozenset({Standing.SUCCEEDED, Standing.PENDING})


class BesideUs:
    """Decides, for each payment, what else will happen to it."""

    def __init__(self, shop: "Shop", provider: "Provider") -> None:
        self._shop = shop
        self._provider = provider

    def held(self, entry: LedgerEntry) -> None:
        """Money is held: it may be taken or let go by hand, and runs out by itself."""
        shop, knobs = self._shop, self._shop.knobs
        reference = entry.reference
        shop.scheduler.after(_HOLD, lambda: self._runs_out(reference))
        if shop.chance.happens(knobs.dashboard):
            early = int(shop.chance.random() * _HOLD)
            shop.scheduler.after(early, lambda: self._runs_out(reference))
        chance = shop.chance.random()
        delay = int(MINUTE + shop.chance.random() * 2 * DAY)
        if chance < knobs.dashboard:
            shop.scheduler.after(delay, lambda: self._taken_by_hand(reference))
        elif chance < 2 * knobs.dashboard:
            shop.scheduler.after(delay, lambda: self._let_go_by_hand(reference))
        elif chance < 2 * knobs.dashboard + knobs.carried_out_twice:
            shop.scheduler.after(delay, lambda: self._carried_out_again(reference))

    def moved(self, entry: LedgerEntry) -> None:
        """Money was taken or given back: it may go the other way."""
        shop, knobs = self._shop, self._shop.knobs
        chance = shop.chance.random()
        reference = entry.reference
        if entry.transaction.kind is _K.REFUND:
            if chance < knobs.returned_refund:
                delay = int(HOUR + shop.chance.random() * 2 * DAY)
                shop.scheduler.after(delay, lambda: self._refund_returns(reference))
            return
        if entry.transaction.kind not in {_K.CHARGE, _K.CAPTURE}:
            return
        by_hand = 0.2 if shop.is_unlucky(entry.transaction.order_id) else knobs.dashboard
        if chance < by_hand:
            slow = shop.chance.happens(0.7)
            delay = int(shop.chance.random() * (DAY if slow else 5 * SECOND))
            shop.scheduler.after(delay, lambda: self._given_back_by_hand(reference))
        elif chance < by_hand + knobs.dispute:
            delay = int(HOUR + shop.chance.random() * 3 * DAY)
            shop.scheduler.after(delay, lambda: self._disputed(reference))
        elif entry.transaction.kind is _K.CHARGE and (
            chance < by_hand + knobs.dispute + knobs.carried_out_twice
        ):
            delay = int(shop.chance.random() * shop.chance.choice((MINUTE, HOUR, 2 * DAY)))
            shop.scheduler.after(delay, lambda: self._carried_out_again(reference))

    def _runs_out(self, reference: str) -> None:
        if self._provider.ledger.entry(reference).standing is Standing.AUTHORIZED:
            if self.is_captured(reference):
                return
            entry = self._provider.ends(reference, Standing.VOIDED, "expired")
            self._shop.inject(Fault.HOLD_RAN_OUT, "provider", entry.transaction.order_id)
            self._provider.post.about(entry)

    def is_captured(self, reference: str) -> bool:
        """Whether a hold was taken, in whole or in part, or is about to be."""
        return any(
            child.transaction.kind is _K.CAPTURE and child.standing in _TAKEN
            for child in self._provider.ledger.children(reference)
        )

    def _taken_by_hand(self, reference: str) -> None:
        hold = self._provider.ledger.entry(reference)
        if self._provider.post.is_untold(reference):
            return
        if hold.standing is Standing.AUTHORIZED and not self.is_captured(reference):
            part, whole = self._shop.chance.happens(0.3), hold.amount.minor_units
            fault = Fault.DASHBOARD_PART_CAPTURE if part else Fault.DASHBOARD_CAPTURE
            self._shop.inject(fault, "provider", hold.transaction.order_id)
            taken = self._provider.by_hand(hold, _K.CAPTURE, 1 + whole // 3 if part else whole)
            self._provider.post.by_hand(taken)
            self.moved(taken)

    def _let_go_by_hand(self, reference: str) -> None:
        hold = self._provider.ledger.entry(reference)
        if hold.standing is Standing.AUTHORIZED and not self.is_captured(reference):
            self._shop.inject(Fault.DASHBOARD_VOID, "provider", hold.transaction.order_id)
            if _K.VOID not in self._shop.looks_up and not self._provider.post.is_untold(reference):
                # Told as what was done, and not as what became of the hold.
                done = self._provider.by_hand(hold, _K.VOID, hold.amount.minor_units)
                self._provider.post.by_hand(done)
                return
            self._provider.post.about(
                self._provider.ends(reference, Standing.VOIDED, "voided_by_hand")
            )

    def _carried_out_again(self, reference: str) -> None:
        entry = self._provider.ledger.entry(reference)
        has_a_name = entry.is_marked and self._provider.is_asked_for(entry)
        if self._shop.is_calm or not has_a_name:
            return
        if not (self._shop.has_record or self._is_on_record(entry)):
            # Its event may be lost, for a look-up shows it; and of two that carry one name of ours,
            # of which one is told, nobody looks for another.
            return
        holds = entry.transaction.kind is _K.AUTHORIZATION
        fault = Fault.HELD_TWICE if holds else Fault.CHARGED_TWICE
        self._shop.inject(fault, "provider", entry.transaction.order_id)
        second = self._provider.carries_out_again(entry)
        self._provider.post.about(second)
        (self.held if holds else self.moved)(second)

    def _is_on_record(self, entry: LedgerEntry) -> bool:
        order = self._shop.store.row(entry.transaction.order_id).order
        return any(
            each.provider_reference == entry.reference and not each.is_undecided
            for each in order.transactions
        )

    def _is_too_early(self, reference: str) -> bool:
        if self._provider.post.is_untold(reference):
            # What is told of it would name a payment that nobody can find.
            return True
        return not (self._shop.knobs.hasty_dashboard or self._provider.is_known(reference))

    def _later(self, call: Callable[[], None]) -> None:
        if not self._shop.is_calm:
            self._shop.scheduler.after(HOUR, call)

    def _given_back_by_hand(self, reference: str) -> None:
        if self._is_too_early(reference):
            self._later(lambda: self._given_back_by_hand(reference))
            return
        left = self._provider.ledger.refundable(reference)
        if left:
            paid = self._provider.ledger.entry(reference)
            part = left if self._shop.chance.happens(0.5) else 1 + left // 3
            self._shop.inject(Fault.DASHBOARD_REFUND, "provider", paid.transaction.order_id)
            self._provider.post.by_hand(self._provider.by_hand(paid, _K.REFUND, part))

    def _disputed(self, reference: str) -> None:
        if self._is_too_early(reference):
            self._later(lambda: self._disputed(reference))
            return
        paid = self._provider.ledger.entry(reference)
        self._shop.inject(Fault.DISPUTE, "provider", paid.transaction.order_id)
        amount = Money(paid.amount.minor_units, paid.amount.currency)
        dispute = Reversed(f"dispute-{reference}", amount, "disputed", open=True)
        self._provider.post.disputed(paid, dispute)
        shop = self._shop
        if shop.chance.happens(0.7):
            # The rest is decided when nobody looks any more, or by whoever reads the bank's letter.
            delay = int(shop.chance.random() * shop.chance.choice((HOUR, DAY, 10 * DAY)))
            is_won = shop.chance.happens(0.5)
            shop.scheduler.after(delay, lambda: self._decided(reference, dispute, is_won=is_won))

    def _decided(self, reference: str, dispute: Reversed, *, is_won: bool) -> None:
        paid = self._provider.ledger.entry(reference)
        fault = Fault.DISPUTE_WON if is_won else Fault.DISPUTE_LOST
        self._shop.inject(fault, "provider", paid.transaction.order_id)
        end, amount = (Restored if is_won else Reversed), dispute.amount
        if self._shop.chance.happens(0.3):
            # The bank decides about a part, and the buyer does not get the rest.
            amount = Money(1 + amount.minor_units // 3, amount.currency)
        self._provider.post.disputed(paid, end(dispute.reference, amount, "decided"))

    def _refund_returns(self, reference: str) -> None:
        refund = self._provider.ledger.entry(reference)
        if refund.standing is Standing.SUCCEEDED:
            self._shop.inject(Fault.REFUND_RETURNED, "provider", refund.transaction.order_id)
            self._provider.ends(reference, Standing.DECLINED, "returned")
            self._provider.post.returned(refund)
