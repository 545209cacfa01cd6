"""The payment provider: what it does with requests, and what happens to payments there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from order_core.invariants import AliveMovement
from order_core.money import Money
from order_core.outcomes import Declined, NotFound, Outcome, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import GatewayProfile
from order_memory import LedgerEntry, ScriptedGateway, Standing
from order_memory.ledger_evidence import alive
from order_memory.reactions import OBEY, Delivery, Effect, Reaction
from order_simulator.beside_us import BesideUs
from order_simulator.faults import Fault
from order_simulator.post import NAME, Post
from order_simulator.received import can_be_done
from order_simulator.tokens import PAYMENT_METHODS, REFUSED
from order_simulator.virtual_time import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from order_simulator.shop import Shop

PROFILE: Final = GatewayProfile(provider=NAME, account="acct-1")
_K = TransactionKind
_BY_HAND: Final = "by-hand-"


class Provider:
    """One provider, with one account of the shop's. It lives by the true time."""

    def __init__(self, shop: "Shop") -> None:
        self.shop = shop
        profile = replace(PROFILE, looks_up=shop.looks_up)
        self.account = ScriptedGateway(shop.true_clock, profile=profile, tokens=PAYMENT_METHODS)
        self.ledger = self.account.ledger
        self.post = Post(shop)
        self._beside_us = BesideUs(shop, self)
        self.sent_at: dict[str, int] = {}
        """When the last request about a movement left."""
        self.overdue: set[str] = set()
        """The movements to which the provider does not keep its promise of a horizon."""
        self.overlooked: set[str] = set()
        """The movements of which a person has said, wrongly, that they never happened, or that
        they were let go."""
        self._last_paid: LedgerEntry | None = None
        self._under_way: Counter[str] = Counter()
        self._written: dict[str, int] = {}
        self._doubles: set[str] = set()

    def leaves(self, transaction: PaymentTransaction) -> None:
        """A request is on its way."""
        self._under_way[transaction.id] += 1

    def alive(self, transaction: PaymentTransaction) -> AliveMovement | None:
        """What the provider makes, or may still make, of a movement of ours; None if nothing.

        Nothing also where it does not keep its promises, and where a person was wrong about it.
        """
        if transaction.id in self.overdue or transaction.id in self.overlooked:
            return None
        # Of two that carry one name of ours, the other stands in our books as well.
        entry = self.ledger.shown(transaction)
        if entry is not None and (movement := self._alive(entry)):
            return movement
        # An answer ends a movement too, and the echo of its request changes nothing any more.
        is_failed = transaction.status is TransactionStatus.FAILED
        if is_failed and self._under_way[transaction.id]:
            says = "a request is on its way"
            return AliveMovement(transaction.id, transaction.kind, is_done=False, says=says)
        return None

    def alive_among(self, entries: Iterable[LedgerEntry]) -> tuple[AliveMovement, ...]:
        """What of this the provider has done, or may still do, keeping its promises."""
        excused = self.overdue | self.overlooked
        kept = (
            self._alive(entry)
            for entry in entries
            if entry.transaction.id not in excused and not self._went_back(entry)
        )
        return tuple(movement for movement in kept if movement is not None)

    def _went_back(self, entry: LedgerEntry) -> bool:
        """Whether it was taken or given back by hand, and all of it is back: it is not kept.

        A hold that was taken is held no longer, whatever part of it that was.
        """
        if self._beside_us.is_captured(entry.reference):
            return True
        both = (entry, *self.ledger.children(entry.reference))
        by_hand = any(each.transaction.id.startswith(_BY_HAND) for each in both)
        amount = entry.amount.minor_units
        return by_hand and 0 < amount == self.ledger.given_back(entry.reference)

    def arrive(self, transaction: PaymentTransaction, delivery: Delivery) -> Outcome:
        """A request reaches the provider, now; what it answers."""
        self._under_way[transaction.id] -= 1
        if self.account.knows(transaction.key):
            return self._answer_again(transaction)
        reaction = self._reaction_to(transaction)
        if delivery is Delivery.SERVER_ERROR:
            is_before = self.shop.chance.happens(0.5)
            effect = Effect.NOTHING if is_before else reaction.effect
            reaction = replace(reaction, delivery=delivery, effect=effect)
            fault = Fault.ERROR_BEFORE if is_before else Fault.ERROR_AFTER
            self.shop.inject(fault, NAME, transaction.order_id)
        before = self.ledger.of(transaction)
        answer = self.account.arrive(transaction, reaction)
        self._note(transaction, "answers", answer)
        entry = self.ledger.of(transaction)
        if entry is not None and entry != before:
            self._written[entry.reference] = self.shop.scheduler.now
            self._begun(entry)
        return answer

    def _answer_again(self, transaction: PaymentTransaction) -> Outcome:
        # Some providers replay the first answer, and some refuse whatever is like it.
        shop = self.shop
        answer = self.account.arrive(transaction)
        unlucky = shop.is_unlucky(transaction.order_id)
        if shop.chance.happens(0.9 if unlucky else shop.knobs.echo_declined):
            once = self.account.is_single_use(transaction.token or "")
            fault = Fault.TOKEN_DECLINED if once else Fault.ECHO_DECLINED
            shop.inject(fault, NAME, transaction.order_id)
            answer = Declined("token_already_used" if once else "duplicate_request")
        self._note(transaction, "answers again", answer)
        return answer

    def found(self, transaction: PaymentTransaction) -> Outcome | NotFound:
        """What a look-up shows now; for a while after a request it may be behind."""
        entry, shop = self.ledger.shown(transaction), self.shop
        unlucky = shop.is_unlucky(transaction.order_id)
        if transaction.takes_money and shop.chance.happens(
            max(shop.knobs.mixed_up, 0.05 * unlucky)
        ):
            other = self._another_payment(transaction)
            if other is not None:
                shop.inject(Fault.ANSWER_OF_ANOTHER, NAME, transaction.order_id)
                return Succeeded(other.reference, transaction.amount, other.transaction.id)
        if entry is None:
            return NotFound()
        written = self._written.get(entry.reference, 0)
        complete_at = self.sent_at.get(transaction.id, 0) + 30 * MINUTE
        is_fresh = shop.scheduler.now < min(written + 5 * MINUTE, complete_at)
        if is_fresh and shop.chance.happens(max(shop.knobs.look_up_fault * 3, 0.8 * unlucky)):
            shop.inject(Fault.LOOK_UP_BEHIND, NAME, transaction.order_id)
            return NotFound()
        return self.ledger.says(entry, to=transaction)

    def _another_payment(self, transaction: PaymentTransaction) -> LedgerEntry | None:
        other = self._last_paid
        return other if other and other.transaction.id != transaction.id else None

    # What it does with a request ----------------------------------------------------------

    def _reaction_to(self, transaction: PaymentTransaction) -> Reaction:
        shop = self.shop
        chance = shop.chance
        if transaction.takes_money:
            if transaction.step > 1:
                return OBEY
            reaction = PAYMENT_METHODS.get(transaction.token or "", OBEY)
            if reaction.effect is Effect.WRONG_AMOUNT:
                if transaction.kind is not _K.CHARGE:
                    return OBEY
                shop.inject(Fault.WRONG_AMOUNT, NAME, transaction.order_id)
            return reaction
        if chance.happens(shop.knobs.refused_reversal) and not shop.is_calm:
            kind = transaction.kind is _K.CAPTURE
            fault = Fault.CAPTURE_REFUSED if kind else Fault.REVERSAL_REFUSED
            shop.inject(fault, NAME, transaction.order_id)
            return REFUSED
        if shop.only_receives:
            shop.inject(Fault.RECEIVED_ONLY, NAME, transaction.order_id)
            return Reaction(Effect.WAIT)
        if transaction.kind not in shop.looks_up and self._is_gone(transaction):
            return REFUSED
        left = transaction.kind is _K.REFUND and self.ledger.refundable(
            transaction.parent_reference or ""
        )
        if left >= transaction.amount.minor_units and self._slow_refund():
            shop.inject(Fault.REFUND_PENDING, NAME, transaction.order_id)
            return Reaction(Effect.WAIT)
        return OBEY

    def _is_gone(self, void: PaymentTransaction) -> bool:
        """Whether it is to let go what has ended by itself, or by hand: some refuse that."""
        if void.kind is not _K.VOID or void.parent_reference is None:
            return False
        held = self.ledger.entry(void.parent_reference)
        return held.standing is Standing.VOIDED and not self.was_let_go(held)

    def was_let_go(self, held: LedgerEntry) -> bool:
        """Whether a void of ours ended this."""
        return any(
            child.transaction.kind is _K.VOID
            and child.standing is Standing.SUCCEEDED
            and self.is_asked_for(child)
            for child in self.ledger.children(held.reference)
        )

    def _slow_refund(self) -> bool:
        return self.shop.chance.happens(self.shop.knobs.asynchronous_refund)

    # What happens to a payment afterwards -------------------------------------------------

    def _begun(self, entry: LedgerEntry) -> None:
        ours, chance = entry.transaction, self.shop.chance
        self.post.about(entry)
        if ours.takes_money and chance.happens(self.shop.knobs.other_try):
            self._fails_beside(entry)
        if ours.kind is _K.VOID and entry.standing is Standing.SUCCEEDED:
            self.post.about(self.ledger.entry(ours.parent_reference or ""))
        match entry.standing:
            case Standing.ACTION_REQUIRED:
                self._wait_for_the_buyer(entry)
            case Standing.PENDING if not ours.takes_money and self.shop.only_receives:
                delay = int(chance.choice((MINUTE, HOUR, DAY)) * chance.random())
                self.shop.scheduler.after(delay, lambda: self._carries_out(entry.reference))
            case Standing.PENDING:
                pays = ours.token != "bank-refuses" and chance.happens(0.93)  # noqa: S105
                delay = int(chance.choice((MINUTE, HOUR, 2 * DAY)) * chance.random())
                self._later(delay, entry.reference, approved=pays)
            case Standing.AUTHORIZED:
                self._beside_us.held(entry)
            case Standing.SUCCEEDED:
                if ours.takes_money:
                    self._last_paid = entry
                self._beside_us.moved(entry)
            case _:
                pass

    def _fails_beside(self, entry: LedgerEntry) -> None:
        """Another try of the buyer's is declined, which carries the same name of ours."""

        def tell() -> None:
            shop.inject(Fault.OTHER_TRY_DECLINED, NAME, entry.transaction.order_id)
            self.post.other_try_declined(entry)

        def tell_if_it_can_be_told_apart() -> None:
            if self.is_known(entry.reference):
                tell()

        shop = self.shop
        if entry.transaction.kind in shop.looks_up:
            tell()
        else:
            # Of what nobody can ask about, a decline by our name is ours, unless ours has another.
            later = int(shop.chance.random() * shop.chance.choice((5 * SECOND, HOUR)))
            shop.scheduler.after(later, tell_if_it_can_be_told_apart)

    def _wait_for_the_buyer(self, entry: LedgerEntry) -> None:
        shop, chance, token = self.shop, self.shop.chance, entry.transaction.token or ""
        if entry.transaction.kind not in shop.looks_up:
            # We may not know its name, and cannot end it then; its page has an end of its own.
            self._later(DAY, entry.reference, approved=False)
        if token == "buyer-never":  # noqa: S105
            shop.inject(Fault.BUYER_NEVER, NAME, entry.transaction.order_id)
            return
        delay = int(10 * SECOND + chance.random() * 5 * MINUTE)
        if token.endswith("late"):
            shop.inject(Fault.BUYER_LATE, NAME, entry.transaction.order_id)
            # Around the moment at which the shop gives up waiting.
            delay = int(29 * MINUTE + chance.random() * 3 * MINUTE)
        if token.startswith("wallet"):
            shop.scheduler.after(delay, lambda: self._agreed(entry.reference))
        else:
            self._later(delay, entry.reference, approved=token != "buyer-refuses")  # noqa: S105

    def _agreed(self, reference: str) -> None:
        if self.ledger.agree(reference):
            self._changed(reference)

    def _later(self, delay: int, reference: str, *, approved: bool) -> None:
        def resolve() -> None:
            shop = self.shop
            # What carries no name of ours is found by its reference alone.
            unmarked = shop.chance.happens(shop.knobs.unmarked) and self.is_known(reference)
            amount = self._given_back(reference) if approved else None
            if self.ledger.resolve(
                reference, approved=approved, is_marked=not unmarked, amount=amount
            ):
                if unmarked and approved:
                    ours = self.ledger.entry(reference).transaction
                    shop.inject(Fault.UNMARKED, NAME, ours.order_id)
                self._changed(reference)

        self.shop.scheduler.after(delay, resolve)

    def _carries_out(self, reference: str) -> None:
        """What it has received is done now, if that is possible still."""
        received = self.ledger.entry(reference)
        done = can_be_done(self.ledger, received)
        amount = self._given_back(reference) if done else None
        self.ledger.resolve(reference, approved=done, amount=amount)
        self._changed(reference)
        if done and received.transaction.kind is _K.VOID:
            held = received.transaction.parent_reference or ""
            self.post.about(self.ends(held, Standing.VOIDED, "voided"))

    def _given_back(self, reference: str) -> Money | None:
        """What goes back by a refund, if that is another sum than was asked."""
        refund, shop = self.ledger.entry(reference), self.shop
        ours = refund.transaction
        if ours.kind is not _K.REFUND or ours.kind in shop.looks_up or shop.is_calm:
            return None
        if not shop.chance.happens(shop.knobs.refund_of_another_sum):
            return None
        asked = refund.amount.minor_units
        left = self.ledger.refundable(ours.parent_reference or "")
        sums = [1 + asked // 3, asked + 1 + left // 3 if left else asked]
        shop.inject(Fault.REFUND_OF_ANOTHER_SUM, NAME, ours.order_id)
        return Money(shop.chance.choice(sums), refund.amount.currency)

    def is_known(self, reference: str) -> bool:
        """Whether the shop has this payment on record by its reference, whatever became of it."""
        return bool(self.shop.store.payers(PROFILE.provider, PROFILE.account, reference))

    def _changed(self, reference: str) -> None:
        entry = self.ledger.entry(reference)
        self._written[reference] = self.shop.scheduler.now
        self._note(entry.transaction, reference, entry.standing)
        self.post.about(entry)
        if entry.standing is Standing.AUTHORIZED:
            self._beside_us.held(entry)
        elif entry.standing is Standing.SUCCEEDED:
            self._beside_us.moved(entry)

    def ends(self, reference: str, standing: Standing, reason: str) -> LedgerEntry:
        """The provider goes back on an entry by itself."""
        self.ledger.end(reference, standing, reason=reason)
        entry = self.ledger.entry(reference)
        self._note(entry.transaction, f"{reference} {reason}", standing)
        return entry

    def carries_out_again(self, entry: LedgerEntry) -> LedgerEntry:
        """The provider breaks its promise: it takes or holds twice for one request."""
        second = self.ledger.carry_out_again(entry)
        self._doubles.add(second.reference)
        self._written[second.reference] = self.shop.scheduler.now
        self._note(second.transaction, f"again, beside {entry.reference}", second.standing)
        return second

    def is_asked_for(self, entry: LedgerEntry) -> bool:
        """Whether a request of ours led to this entry, and it is the first one that did."""
        by_hand = entry.transaction.id.startswith(_BY_HAND)
        return not by_hand and entry.reference not in self._doubles

    def by_hand(self, parent: LedgerEntry, kind: TransactionKind, amount: int) -> LedgerEntry:
        """Somebody moves money at the dashboard; the entry carries no name of ours."""
        move = replace(
            parent.transaction,
            id=f"{_BY_HAND}{len(self._written)}-{kind}",
            kind=kind,
            amount=Money(amount, parent.amount.currency),
            parent_reference=parent.reference,
            provider_reference=None,
            token=None,
        )
        self.ledger.carry_out(move)
        entry = self.ledger.of(move)
        if entry is None:
            raise ValueError(f"{move.id} left no trace")
        self._written[entry.reference] = self.shop.scheduler.now
        self._note(move, f"by hand, of {parent.reference}", entry.standing)
        return entry

    def _note(self, transaction: PaymentTransaction, what: str, result: object) -> None:
        if self.shop.story is not None:
            self.shop.story.tell(
                self.shop.scheduler.now,
                "provider",
                f"{transaction.key}: {what} -> {result}",
                transaction.order_id,
            )

    def _alive(self, entry: LedgerEntry) -> AliveMovement | None:
        return alive(entry, asked_for=self.is_asked_for(entry))
