"""The provider's events on their way: lost, late, repeated, in any order, and forged."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    StoreUnavailable,
    WebhookRejected,
)
from order_core.invariants.promises import (
    FORGERY_IS_REFUSED,
    KNOWN_MONEY_IS_MATCHED,
    UNKNOWN_MONEY_IS_SHOWN,
    WEBHOOK_IS_TAKEN,
)
from order_core.outcomes import Declined, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact, ReceivedEvent, WebhookEvent
from order_memory import InMemoryEventLog, LedgerEntry, Standing
from order_simulator.faults import Fault
from order_simulator.look_ups import CHANGES
from order_simulator.virtual_time import DAY, HOUR, MINUTE, SECOND, Task

if TYPE_CHECKING:
    from order_simulator.shop import Shop

NAME: Final = "sim"
"""The provider's."""

_SIGNATURE: Final = "sim-signature"
_MOST_DELIVERIES: Final = 60
_LATER: Final = (StoreUnavailable, CommitUnknown, ConcurrentUpdate)
_TAKES: Final = SECOND // 50
"""So long a process needs to take an event."""
_LOST: Final = "lost-"
_ELSEWHERE: Final = "elsewhere"
UNKNOWN_MONEY: Final = "unknown_transaction"


class SignedEvents:
    """The `WebhookParser`: a body names an event, and its signature must be the provider's."""

    def __init__(self, post: "Post") -> None:
        self._post = post

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        name = body.decode()
        if headers.get(_SIGNATURE) != f"signed {name}":
            raise WebhookRejected("the signature is not the provider's")
        return self._post.record.event(name)


class Post:
    """Delivers events until they are taken, as providers do for days."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self.record = InMemoryEventLog(shop.true_clock)
        """Everything that was ever told, delivered or not."""
        self._undelivered: list[str] = []
        self._untold: set[str] = set()
        self.delivered = 0
        self.strangers = 0
        """Events about money that no order of ours can know of."""

    def about(self, entry: LedgerEntry) -> None:
        """Tell what became of a movement of ours, in its present state."""
        ours = entry.transaction
        if not entry.is_marked:
            # Money of others comes to the same account, and whoever has no name is one of them.
            return
        fact = ProviderFact(
            kind=ours.kind,
            outcome=entry.outcome,
            reference=entry.reference,
            transaction_id=ours.id,
            installation=ours.installation,
            parent_reference=entry.reference if self._is_end(entry) else ours.parent_reference,
        )
        # A second hold of one request is shown to nobody who does not know its reference.
        found = self._shop.provider.is_asked_for(entry) and self._is_found_untold(entry)
        if self._is_told_without_a_name(entry):
            self._shop.inject(Fault.UNMARKED_CHANGE, "provider", ours.order_id)
            fact = replace(fact, transaction_id=None, installation=None)
            if isinstance(entry.outcome, Succeeded):
                fact = replace(fact, outcome=replace(entry.outcome, transaction_id=""))
        self._publish(fact, ours.order_id, can_be_looked_up=found)

    def _is_told_without_a_name(self, entry: LedgerEntry) -> bool:
        """Whether the event of a change names its payment alone, and no look-up shows whose it is.

        Of another sum than was asked, nobody could tell it from one by hand.
        """
        ours, shop = entry.transaction, self._shop
        told_by_sum = ours.kind in {TransactionKind.CAPTURE, TransactionKind.REFUND}
        unasked = ours.kind not in shop.looks_up and ours.amount == entry.amount
        return told_by_sum and unasked and shop.chance.happens(shop.knobs.unmarked)

    def _is_found_untold(self, entry: LedgerEntry) -> bool:
        """Whether a look-up shows it, or a person who is asked about it and reads the pages."""
        ours = entry.transaction
        if ours.kind in self._shop.looks_up:
            return True
        if entry.amount != ours.amount or ours.id in self._shop.provider.overdue:
            # No decision can say another amount; and after the horizon nobody asks anybody.
            return False
        # The end of a hold is found by whoever let it go, or is about to, or to take it.
        let_go = self._shop.provider.was_let_go(entry)
        return not self._is_end(entry) or let_go or self._lives_on(entry)

    def _is_end(self, entry: LedgerEntry) -> bool:
        """Whether a hold has ended of which nobody can ask: its event names what has ended."""
        hold = entry.transaction.kind is TransactionKind.AUTHORIZATION
        asked = entry.transaction.kind in self._shop.looks_up
        return hold and not asked and entry.standing is Standing.VOIDED

    def _lives_on(self, hold: LedgerEntry) -> bool:
        order = self._shop.store.row(hold.transaction.order_id).order
        return order.hold is not None and order.hold.provider_reference == hold.reference

    def other_try_declined(self, entry: LedgerEntry) -> None:
        """Tell that another try of the buyer's was declined, which carries the same name."""
        ours = entry.transaction
        fact = ProviderFact(
            kind=ours.kind,
            outcome=Declined("card_declined", reference=f"try-{entry.reference}"),
            reference=f"try-{entry.reference}",
            transaction_id=ours.id,
            installation=ours.installation,
        )
        self._publish(fact, ours.order_id, can_be_looked_up=True)

    def by_hand(self, entry: LedgerEntry) -> None:
        """Tell of a movement at the dashboard: it carries what the payment carries, or nothing."""
        move, named = entry.transaction, self._shop.chance.happens(0.5)
        parent = self._shop.provider.ledger.entry(move.parent_reference or "").transaction
        fact = ProviderFact(
            kind=move.kind,
            outcome=Succeeded(entry.reference, entry.amount, parent.id),
            reference=entry.reference,
            transaction_id=parent.id if named else None,
            installation=move.installation if named else None,
            parent_reference=move.parent_reference,
        )
        self._publish(fact, move.order_id, can_be_looked_up=False)

    def disputed(self, paid: LedgerEntry, outcome: Reversed | Restored) -> None:
        """Tell that a bank takes money back from us, or what became of that."""
        # Some providers number their words about one dispute.
        numbered = paid.reference.endswith(("1", "3", "5", "7", "9"))
        fact = ProviderFact(
            kind=TransactionKind.REVERSAL,
            outcome=outcome,
            reference=outcome.reference,
            parent_reference=paid.reference,
            sequence=self._shop.scheduler.now if numbered else None,
        )
        self._publish(fact, paid.transaction.order_id, can_be_looked_up=False)

    def returned(self, refund: LedgerEntry) -> None:
        """Tell that a refund came back."""
        ours = refund.transaction
        fact = ProviderFact(
            kind=TransactionKind.REFUND,
            outcome=Reversed(f"returned-{refund.reference}", refund.amount, "returned"),
            reference=refund.reference,
            transaction_id=ours.id,
            installation=ours.installation,
            parent_reference=ours.parent_reference,
        )
        self._publish(fact, ours.order_id, can_be_looked_up=False)

    def is_untold(self, reference: str) -> bool:
        """Whether nobody here knows this payment's reference, and nothing may ever tell it."""
        provider = self._shop.provider
        unasked = provider.ledger.entry(reference).transaction.kind not in self._shop.looks_up
        return unasked and reference in self._untold and not provider.is_known(reference)

    def has_unread_events(self) -> bool:
        """Whether something is told in the record alone, and nobody has read it yet."""
        is_known = self._shop.store.has_received
        while self._undelivered and is_known(NAME, self._undelivered[-1]):
            self._undelivered.pop()
        return bool(self._undelivered)

    # On the way ---------------------------------------------------------------------------

    def _publish(self, fact: ProviderFact, order_id: str, *, can_be_looked_up: bool) -> None:
        shop, chance = self._shop, self._shop.chance
        event = WebhookEvent(f"evt-{len(self.record) + 1}", fact.kind, (fact,))
        self.record.enter(event)
        delay = int(chance.expovariate(1 / (2 * SECOND)))
        if not shop.is_calm:
            self._publish_others(fact, order_id)
            rate = 0.6 if shop.is_unlucky(order_id) else shop.knobs.webhook_fault
            if chance.happens(rate):
                fault = chance.choice(
                    (Fault.WEBHOOK_DROPPED, Fault.WEBHOOK_REPEATED, Fault.WEBHOOK_LATE)
                )
                if fact.transaction_id in shop.provider.overdue:
                    # So that only the second look can find it.
                    fault = Fault.WEBHOOK_DROPPED
                if fault is Fault.WEBHOOK_DROPPED and not (can_be_looked_up or shop.has_record):
                    # Nothing but the event tells of it, and providers deliver for days.
                    fault = Fault.WEBHOOK_LATE
                shop.inject(fault, event.id, order_id)
                if fault is Fault.WEBHOOK_DROPPED:
                    if shop.has_record:
                        self._undelivered.append(event.id)
                    else:
                        self._untold.add(fact.reference)
                    return
                if fault is Fault.WEBHOOK_LATE:
                    latest = chance.choice((MINUTE, HOUR, 30 * HOUR))
                    if self._comes_after_a_decision(fact):
                        latest = 20 * DAY
                    delay = int(chance.random() * latest)
                else:
                    again = int(chance.random() * chance.choice((SECOND, MINUTE, 5 * HOUR)))
                    shop.scheduler.after(again, lambda: self._deliver(event, order_id, 1))
        shop.scheduler.after(delay, lambda: self._deliver(event, order_id, 1))

    def _comes_after_a_decision(self, fact: ProviderFact) -> bool:
        """Whether people may have decided about it by then, because nothing else tells of it."""
        shop = self._shop
        changed = fact.kind in CHANGES and fact.kind not in shop.looks_up
        return changed and not shop.has_record and shop.chance.happens(0.5)

    def _publish_others(self, fact: ProviderFact, order_id: str) -> None:
        shop, chance = self._shop, self._shop.chance
        if chance.happens(shop.knobs.forgery):
            shop.inject(Fault.WEBHOOK_FORGED, "somebody", order_id)
            shop.scheduler.after(int(chance.random() * SECOND), lambda: self._forge(order_id))
        if chance.happens(shop.knobs.foreign_event) and isinstance(fact.outcome, Succeeded):
            shop.inject(Fault.WEBHOOK_FOREIGN, "provider", None)
            other = replace(fact, transaction_id="elsewhere-1", installation=_ELSEWHERE)
            event = WebhookEvent(f"evt-{len(self.record) + 1}", fact.kind, (other,))
            self.record.enter(event)
            shop.scheduler.after(SECOND, lambda: self._deliver(event, None, 1))

        is_charge = fact.parent_reference is None and isinstance(fact.outcome, Succeeded)
        if chance.happens(shop.knobs.unknown_event) and is_charge:
            shop.inject(Fault.WEBHOOK_UNKNOWN, "provider", None)
            other = replace(fact, transaction_id="lost-1", reference="ref-lost")
            event = WebhookEvent(f"{_LOST}{len(self.record) + 1}", fact.kind, (other,))
            self.record.enter(event)
            shop.scheduler.after(SECOND, lambda: self._deliver(event, None, 1))

    def _deliver(self, event: WebhookEvent, order_id: str | None, attempt: int) -> None:
        shop = self._shop
        process = shop.an_api_instance()
        if process is None:
            if shop.away_for() and order_id and shop.chance.happens(0.7):
                # Providers deliver for days, and then no more.
                shop.inject(Fault.WEBHOOK_DROPPED, event.id, order_id)
                self._undelivered.append(event.id)
                return
            later = max(shop.away_for(), 5 * SECOND)
            shop.scheduler.after(later, lambda: self._deliver(event, order_id, attempt))
            return

        def ended(task: Task) -> None:
            if isinstance(task.result, ReceivedEvent):
                self.delivered += 1
                self._expect(task.result, event, order_id)
                return
            if task.error is not None and not isinstance(task.error, _LATER):
                shop.judge.found(WEBHOOK_IS_TAKEN, order_id, f"{event.id}: {task.error!r}")
                return
            if attempt >= _MOST_DELIVERIES:
                shop.judge.found(WEBHOOK_IS_TAKEN, order_id, f"{event.id} was never taken")
                return
            shop.inject(Fault.WEBHOOK_REDELIVERED, event.id, order_id)
            delay = min(5 * SECOND * 2 ** min(attempt, 12), HOUR)
            shop.scheduler.after(delay, lambda: self._deliver(event, order_id, attempt + 1))

        if shop.story is not None:
            shop.story.tell(
                shop.scheduler.now, process.name, f"webhook {event.id}: {event.facts}", order_id
            )
        if order_id and shop.is_unlucky(order_id) and shop.chance.happens(0.2):
            shop.inject(Fault.CRASH_IN_WEBHOOK, process.name, order_id)
            shop.scheduler.after(int(shop.chance.random() * _TAKES), process.crash)
        headers = {_SIGNATURE: f"signed {event.id}"}
        received = process.core.receive_webhook(NAME, event.id.encode(), headers)
        process.run(received, "webhook", on_end=ended)

    def has_early_events(self) -> bool:
        """Whether an event that overtook its payment is not matched yet."""
        # What is told to another installation is unknown money to a worker that has its settings.
        return any(
            event.facts
            and not event.event_id.startswith(_LOST)
            and event.facts[0].installation != _ELSEWHERE
            and not self._ends_what_is_untold(event.facts[0])
            for event in self._shop.store.unmatched()
        )

    def _ends_what_is_untold(self, fact: ProviderFact) -> bool:
        """Whether it is the end of a hold whose beginning is lost: that is kept for a person."""
        names_itself = fact.parent_reference == fact.reference
        return names_itself and self.is_untold(fact.reference)

    def _expect(self, received: ReceivedEvent, event: WebhookEvent, order_id: str | None) -> None:
        is_lost = event.id.startswith(_LOST)
        if is_lost and received.verdict != UNKNOWN_MONEY:
            self._shop.judge.found(
                UNKNOWN_MONEY_IS_SHOWN, None, f"{event.id} came to {received.verdict}"
            )
        # What is kept with its facts is matched once the payment is known, or the shop never rests.
        if not is_lost and received.verdict == UNKNOWN_MONEY and not received.facts:
            self._shop.judge.found(
                KNOWN_MONEY_IS_MATCHED, order_id, f"nobody knows what {event.id} is about: {event}"
            )

    def _forge(self, order_id: str) -> None:
        shop = self._shop
        process = shop.an_api_instance()
        if process is None:
            return

        def ended(task: Task) -> None:
            if not (task.was_killed or isinstance(task.error, WebhookRejected)):
                shop.judge.found(FORGERY_IS_REFUSED, order_id, f"{task.result} {task.error!r}")

        headers = {_SIGNATURE: "signed by somebody"}
        forged = process.core.receive_webhook(NAME, b"evt-1", headers)
        process.run(forged, "forgery", on_end=ended)
