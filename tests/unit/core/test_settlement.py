"""Facts about an order's money, in any order and any number of times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from order_core.cancelling import cancelled
from order_core.errors import CannotCancel
from order_core.giving_back import refunding
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_item import OrderItem
from order_core.order_status import TRANSITIONS, OrderStatus
from order_core.outcomes import (
    Absence,
    ActionRequired,
    Answer,
    Authorized,
    Continue,
    Declined,
    Fact,
    InProgress,
    NotSent,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Report,
    Succeeded,
)
from order_core.payment import (
    NO_LOOK_UP,
    NOT_IN_THIS_ACCOUNT,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import GatewayProfile, PaymentTerms
from order_core.settlement import beyond_proof, settled
from order_core.shipping_address import ShippingAddress

NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)
TERMS = PaymentTerms(GatewayProfile("stripe", "acct_test"))
PRICE = Money(4200, "JPY")
CHARGE = PaymentTransaction(
    id="charge-1",
    order_id="order-1",
    customer_id="akiko",
    kind=TransactionKind.CHARGE,
    amount=PRICE,
    provider="stripe",
    account="acct_test",
    installation="default",
    request_version="1",
    recorded_at=NOON,
    send_until=TERMS.charge_sent_until(NOON),
    horizon=TERMS.gateway.horizon,
    token="pm_card_jp",
    attend_at=NOON + timedelta(seconds=30),
    action_expires_at=NOON + timedelta(minutes=30),
)


def an_order(charge: PaymentTransaction = CHARGE) -> Order:
    return Order.open(
        order_id="order-1",
        customer_id="akiko",
        items=(OrderItem("tea bowl", 1, PRICE),),
        shipping_address=ShippingAddress("Kyoto"),
        email=None,
        charge=charge.sending(NOON),
        at=NOON,
    )


def after(order: Order, *facts: Fact, at: datetime = NOON) -> Order:
    ids = (f"new-{number}" for number in count(len(order.transactions)))
    for fact in facts:
        order = settled(order, "charge-1", fact, at=at, new_id=ids.__next__, terms=TERMS)
    return order


PAID = Succeeded("pi_1", PRICE, "charge-1")
EVERY_OUTCOME = [
    PAID,
    Authorized("pi_1", PRICE, "charge-1"),
    Declined("do_not_honor"),
    ActionRequired("pi_1", url="https://bank.example/3ds"),
    Pending("pi_1"),
    Continue("pi_1"),
    NotSent("no socket"),
    RateLimited(),
    InProgress(),
    OutcomeUnknown("read time-out"),
]


@pytest.mark.parametrize("outcome", EVERY_OUTCOME, ids=lambda outcome: type(outcome).__name__)
@pytest.mark.parametrize("carrier", [Report, lambda outcome: Answer(outcome, send=1)])
def test_a_fact_that_comes_twice_changes_nothing_the_second_time(
    outcome: Any, carrier: Any
) -> None:
    once = after(an_order(), carrier(outcome))

    assert after(once, carrier(outcome)) is once


@pytest.mark.parametrize("later", EVERY_OUTCOME, ids=lambda outcome: type(outcome).__name__)
def test_nothing_takes_a_placed_order_back(later: Any) -> None:
    placed = after(an_order(), Report(PAID))

    assert after(placed, Report(later)).status is OrderStatus.PENDING


@pytest.mark.parametrize("later", EVERY_OUTCOME, ids=lambda outcome: type(outcome).__name__)
def test_nothing_revives_a_failed_order(later: Any) -> None:
    failed = after(an_order(), Report(Declined("do_not_honor")))

    assert after(failed, Report(later)).status is OrderStatus.PAYMENT_FAILED


def test_money_for_a_failed_order_is_recorded_and_goes_back() -> None:
    order = after(an_order(), Report(Declined("do_not_honor")), Report(PAID))
    _charge, late, refund = order.transactions

    assert (late.origin, late.status) == (Origin.PROVIDER, TransactionStatus.SUCCEEDED)
    assert (refund.kind, refund.amount) == (TransactionKind.REFUND, PRICE)
    assert refund.parent_reference == "pi_1"


def test_a_second_debit_for_a_placed_order_is_reviewed_not_hidden() -> None:
    placed = after(an_order(), Report(PAID))
    order = after(placed, Report(Succeeded("pi_2", PRICE, "charge-1")))

    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert [t.provider_reference for t in order.transactions] == ["pi_1", "pi_2"]


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded("pi_1", Money(4201, "JPY"), "charge-1"),
        Succeeded("pi_1", Money(4200, "USD"), "charge-1"),
        Authorized("pi_1", PRICE, "charge-1"),
    ],
    ids=["amount", "currency", "held instead of taken"],
)
def test_a_success_that_is_not_what_we_asked_for_places_nothing(outcome: Any) -> None:
    order = after(an_order(), Report(outcome))

    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert order.charge.status is TransactionStatus.IN_REVIEW


@pytest.mark.parametrize("because", [NO_LOOK_UP, NOT_IN_THIS_ACCOUNT])
@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded("pi_9", Money(4100, "JPY"), "charge-1"),
        Succeeded("pi_9", Money(4200, "KRW"), "charge-1"),
        Authorized("pi_9", PRICE, "charge-1"),
    ],
)
def test_a_charge_that_was_given_up_is_not_paid_by_what_contradicts_it_twice(
    outcome: Any, because: str
) -> None:
    given_up = beyond_proof(an_order(), "charge-1", at=NOON, because=because)
    once = after(given_up, Report(outcome))
    twice = after(once, Report(outcome))

    assert once.transactions[0].provider_reference == "pi_9"
    assert twice == once
    assert twice.status is OrderStatus.AWAITING_PAYMENT
    assert twice.payment_status is PaymentStatus.IN_REVIEW


def test_a_success_of_another_transaction_is_reviewed_while_ours_goes_on() -> None:
    order = after(an_order(), Report(Succeeded("pi_9", PRICE, "somebody-elses")))

    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert order.charge.is_open
    assert after(order, Report(PAID)).status is OrderStatus.PENDING


def test_a_decline_that_answers_the_only_send_is_believed() -> None:
    order = after(an_order(), Answer(Declined("expired_card"), send=1))

    assert order.status is OrderStatus.PAYMENT_FAILED


def test_a_decline_is_not_believed_once_the_key_was_sent_again() -> None:
    twice = an_order(replace(CHARGE, sends=1))

    assert after(twice, Answer(Declined("expired_card"), send=1)).status is (
        OrderStatus.AWAITING_PAYMENT
    )
    assert after(twice, Answer(Declined("expired_card"), send=2)).status is (
        OrderStatus.AWAITING_PAYMENT
    )


@pytest.mark.parametrize(
    ("reference", "comes_back"), [(None, True), ("re-1", True), ("re-echo", False)]
)
def test_a_refund_comes_back_only_if_the_refusal_is_its_own(
    reference: str | None, *, comes_back: bool
) -> None:
    paid = after(an_order(), Report(Succeeded("pi-1", PRICE, "charge-1")))
    owing = refunding(paid, paid.charge, at=NOON, new_id=lambda: "refund-1", terms=TERMS)
    done = Report(Succeeded("re-1", PRICE, "refund-1"))
    refused = Report(Declined("charge_already_refunded", retryable=True, reference=reference))
    order = owing
    for fact in (done, refused):
        order = settled(order, "refund-1", fact, at=NOON, new_id=lambda: "back-1", terms=TERMS)

    assert [t.id for t in order.transactions[2:]] == (["back-1"] if comes_back else [])
    assert order.refunded_minor_units == (0 if comes_back else 4200)


@pytest.mark.parametrize(
    ("asked_after", "proves"),
    [
        (timedelta(minutes=9, seconds=59), False),
        (timedelta(minutes=10), False),
        (timedelta(minutes=34), False),
        (timedelta(minutes=35, seconds=30), False),
        (timedelta(minutes=40, seconds=29), False),
        (timedelta(minutes=40, seconds=30), True),
    ],
)
def test_absence_is_proof_only_beyond_the_window_and_the_horizon(
    asked_after: timedelta, *, proves: bool
) -> None:
    sent_late = an_order(replace(CHARGE, sends=0)).with_transaction(
        CHARGE.sending(NOON + timedelta(minutes=5))
    )
    order = after(sent_late, Absence(NOON + asked_after))

    assert (order.status is OrderStatus.PAYMENT_FAILED) is proves


def test_a_look_up_that_shows_nothing_after_a_stored_error_may_only_be_behind() -> None:
    arrived = after(an_order(), Answer(OutcomeUnknown("provider_error"), send=1))

    assert after(arrived, Absence(NOON + timedelta(minutes=1))) is arrived


def test_an_answer_to_an_earlier_step_is_old_news() -> None:
    second_step = after(an_order(), Answer(Continue("po_1"), send=1))

    assert after(second_step, Answer(Declined("echo"), send=1, step=1)) is second_step
    assert second_step.charge.key == "charge-1-2"
    assert second_step.charge.provider_reference == "po_1"


@pytest.mark.parametrize("status", list(OrderStatus))
def test_an_order_moves_only_along_the_table(status: OrderStatus) -> None:
    order = replace(an_order(), status=status)
    for target in OrderStatus:
        if target in TRANSITIONS[status]:
            assert order.moved_to(target).status is target
        else:
            with pytest.raises(ValueError, match="never moves"):
                order.moved_to(target)


def test_the_windows_must_fit_into_the_life_of_a_key() -> None:
    with pytest.raises(ValueError, match="shorter than the life of a key"):
        PaymentTerms(GatewayProfile("forgetful", "a", key_life=timedelta(minutes=40)))


class MoneyHistory(RuleBasedStateMachine):
    """Any facts, about any movement of one order, with time passing and a cancel between."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.order = an_order()
        self.ids = (f"new-{number}" for number in count())
        self.placed = self.failed = False

    @rule(
        data=st.data(),
        reference=st.sampled_from(["r-1", "r-2"]),
        amount=st.sampled_from([PRICE, Money(4199, "JPY")]),
        kind=st.sampled_from(
            ["paid", "held", "declined", "action", "pending", "continue", "not sent", "unknown"]
        ),
        reported=st.booleans(),
    )
    def a_fact_arrives(
        self, data: Any, reference: str, amount: Money, kind: str, *, reported: bool
    ) -> None:
        about = data.draw(st.sampled_from(self.order.transactions))
        outcome: Any = {
            "paid": Succeeded(reference, amount, about.id),
            "held": Authorized(reference, amount, about.id),
            "declined": Declined("do_not_honor"),
            "action": ActionRequired(reference),
            "pending": Pending(reference),
            "continue": Continue(reference),
            "not sent": NotSent("no socket"),
            "unknown": OutcomeUnknown("time-out"),
        }[kind]
        answer = Answer(outcome, send=max(about.sends, 1), step=about.step)
        self._settle(about.id, Report(outcome) if reported else answer)

    @rule(data=st.data())
    def a_look_up_finds_nothing(self, data: Any) -> None:
        about = data.draw(st.sampled_from(self.order.transactions))
        self._settle(about.id, Absence(self.now))

    def _settle(self, transaction_id: str, fact: Fact) -> None:
        before = self.order
        self.order = settled(
            before, transaction_id, fact, at=self.now, new_id=self.ids.__next__, terms=TERMS
        )
        assert len(self.order.transactions) >= len(before.transactions)

    @rule(minutes=st.integers(1, 60))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_owner_cancels(self) -> None:
        try:
            self.order = cancelled(
                self.order, by="customer", at=self.now, new_id=self.ids.__next__, terms=TERMS
            )
        except CannotCancel:
            assert self.order.status is OrderStatus.PAYMENT_FAILED

    @precondition(lambda self: self.order.status is OrderStatus.PENDING)
    @rule()
    def remember_that_the_client_was_told_201(self) -> None:
        self.placed = True

    @precondition(lambda self: self.order.status is OrderStatus.PAYMENT_FAILED)
    @rule()
    def remember_that_the_client_was_told_402(self) -> None:
        self.failed = True

    @invariant()
    def what_a_client_was_told_stays_true(self) -> None:
        assert not (self.placed and self.order.status is OrderStatus.PAYMENT_FAILED)
        assert not (self.failed and self.order.status is not OrderStatus.PAYMENT_FAILED)

    @invariant()
    def no_more_is_asked_back_than_was_taken(self) -> None:
        assert self.order.refund_asked_minor_units <= self.order.captured_minor_units

    @invariant()
    def one_charge_of_ours_is_alive_at_most(self) -> None:
        ours = [t for t in self.order.transactions if t.takes_money and t.origin is Origin.OURS]
        assert len(ours) == 1

    @invariant()
    def a_dead_order_owes_back_whatever_it_took(self) -> None:
        dead = {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
        in_review = self.order.payment_status is PaymentStatus.IN_REVIEW
        if self.order.status in dead and not in_review:
            assert self.order.refund_asked_minor_units == self.order.captured_minor_units

    @invariant()
    def a_placed_order_is_paid_or_in_review(self) -> None:
        if self.order.status is OrderStatus.PENDING:
            assert self.order.payment_status in {PaymentStatus.PAID, PaymentStatus.IN_REVIEW}

    @invariant()
    def whatever_is_open_will_be_attended(self) -> None:
        for transaction in self.order.transactions:
            if transaction.is_open:
                assert transaction.attend_at is not None

    @invariant()
    def secrets_are_kept_only_while_they_are_needed(self) -> None:
        for transaction in self.order.transactions:
            assert transaction.is_open or not (transaction.token or transaction.client_secret)

    @invariant()
    def events_are_counted_without_gaps(self) -> None:
        assert [news.sequence for news in self.order.news] == list(
            range(1, self.order.event_count + 1)
        )


MoneyHistory.TestCase.settings = settings(max_examples=300, stateful_step_count=25)
TestMoneyHistory = MoneyHistory.TestCase
