"""Every cell of the table of late money, driven through the use cases."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest

from order_core.late_money import LATE_MONEY, MoneyEvent, Verdict, cell
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Outcome, Restored, Reversed, Succeeded
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureLate, CaptureMode
from order_core.ports import ProviderFact, WebhookEvent
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import decide, without_look_ups

_K = TransactionKind
_T = TransactionStatus
_E = MoneyEvent
WHOLE: Final = Money(2500, "EUR")
HOLDING: Final = {"capture": CaptureMode.ON_PROCESSING, "capture_late": CaptureLate.CAPTURE}


class NextEvent:
    """Reads every body as the one event that the test is about to deliver."""

    event: WebhookEvent

    async def parse(self, _body: bytes, _headers: Mapping[str, str], /) -> WebhookEvent:
        return self.event


@pytest.fixture
def make_listening(make_shop: Callable[..., Any]) -> Callable[..., Any]:
    def listening(**policy: Any) -> Any:
        shop = make_shop(**policy)
        shop.parser = NextEvent()
        shop.core = shop.assembled(webhooks={"scripted": shop.parser})
        return shop

    return listening


async def deliver(shop: Any, fact: ProviderFact, *, name: str = "e-news") -> None:
    shop.parser.event = WebhookEvent(name, "payment.changed", (fact,))
    await shop.core.receive_webhook("scripted", b"", {})


WORDS: Final = {
    "P": Verdict.PLACE,
    "B": Verdict.PROCESS,
    "F": Verdict.FAIL,
    "k": Verdict.KEEP,
    "R": Verdict.REFUND,
    "?": Verdict.REVIEW,
    ".": Verdict.IGNORE,
}
# Written down a second time, so that a slip in the table does not become the truth. The
# columns: awaiting payment, pending, processing, shipped, delivered, payment failed, cancelled.
EXPECTED: Final = {
    _E.CHARGED: "P k k k k R R",
    _E.HELD: "P k k k k R R",
    _E.CAPTURED: "k B k k k R R",
    _E.CAPTURED_BEGINNING_NOTHING: "k k k k k R R",
    _E.CAPTURED_UNASKED: "? ? ? ? ? R R",
    _E.SECOND_DEBIT: "? ? ? ? ? R R",
    _E.PAID_AFTER_A_NO: "? ? ? ? ? R R",
    _E.DONE_AGAIN: "? ? ? ? ? ? ?",
    _E.SAME_AGAIN: ". . . . . . .",
    _E.HELD_BEFORE_ITS_END: ". . . . . . .",
    _E.ANOTHER_AMOUNT: "? ? ? ? ? ? ?",
    _E.ANOTHER_TRANSACTION: "? ? ? ? ? ? ?",
    _E.ANOTHER_KIND: "? ? ? ? ? ? ?",
    _E.DECLINED: "F k k k k k k",
    _E.ALREADY_USED: "F . . . . . k",
    _E.NEVER_HAPPENED: "F k k k k k k",
    _E.DECLINED_AFTERWARDS: ". . . . . . .",
    _E.REFUSED_AFTER_ALL: "? ? ? ? ? ? ?",
    _E.HOLD_ENDED: "k k k k k k k",
    _E.VOIDED: "F k k k k k k",
    _E.VOIDED_AFTER_SUCCESS: "? ? ? ? ? ? ?",
    _E.VOIDED_UNASKED: "? ? ? ? ? ? ?",
    _E.REFUNDED: "k k k k k k k",
    _E.REFUNDED_UNASKED: "k k k k k k k",
    _E.REFUNDED_BEYOND: "? ? ? ? ? ? ?",
    _E.REFUND_FAILED_UNASKED: "k k k k k k k",
    _E.REFUND_RETURNED: "? ? ? ? ? ? ?",
    _E.DISPUTE_OPENED: "? ? ? ? ? ? ?",
    _E.DISPUTE_LOST: "? ? ? ? ? ? ?",
    _E.DISPUTE_WON: "k k k k k R R",
    _E.UNKNOWN_TRANSACTION: "? ? ? ? ? ? ?",
    _E.OTHER_INSTALLATION: ". . . . . . .",
}


def expected(event: MoneyEvent, status: OrderStatus) -> Verdict:
    return WORDS[EXPECTED[event].split()[list(OrderStatus).index(status)]]


# What was there before the news ---------------------------------------------------------------


async def charge_open(shop: Any) -> Any:
    return await shop.place(payment_method="lost_request")


async def paid(shop: Any) -> Any:
    return await shop.place()


async def declined(shop: Any) -> Any:
    return await shop.place(payment_method="declined")


async def capture_open(shop: Any) -> Any:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    return await shop.core.process(placed.id, by="staff")


async def capture_before_the_end_open(shop: Any) -> Any:
    placed = await shop.place()
    shop.clock.set(placed.charge.capture_before - timedelta(hours=23))
    shop.gateway.react(reactions.LOSE_REQUEST)
    await shop.core.recover()
    return await shop.orders.get(placed.id)


async def refund_open(shop: Any) -> Any:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    return await shop.core.refund(placed.id, by="staff")


async def refunded(shop: Any) -> Any:
    placed = await shop.place()
    return await shop.core.refund(placed.id, by="staff")


async def hold_ended(shop: Any) -> Any:
    placed = await shop.place()
    await deliver(shop, about(placed.charge, Declined("expired")), name="e-before")
    return await shop.orders.get(placed.id)


async def void_open(shop: Any) -> Any:
    asked = await shop.place(payment_method="action_required")
    shop.gateway.react(reactions.LOSE_REQUEST)
    return await shop.core.cancel(asked.id, customer_id="ann")


async def void_open_and_paid(shop: Any) -> Any:
    order = await void_open(shop)
    taken = Succeeded(order.charge.provider_reference or "", WHOLE, order.charge.id)
    await deliver(shop, about(order.charge, taken), name="e-before")
    return await shop.orders.get(order.id)


async def accepted_unseen(shop: Any) -> Any:
    without_look_ups(shop)
    shop.core = shop.assembled(webhooks={"scripted": shop.parser})
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    order = await shop.place()
    await shop.work_until(passed=timedelta(days=1))
    return await decide(shop, order, order.charge, ReviewDecision.ACCEPT)


async def disputed(shop: Any) -> Any:
    placed = await shop.place()
    await deliver(shop, dispute_opened(placed), name="e-before")
    return await shop.orders.get(placed.id)


# The news -------------------------------------------------------------------------------------


def about(transaction: PaymentTransaction, outcome: Outcome) -> ProviderFact:
    reference = getattr(outcome, "reference", None) or "ref-x"
    return ProviderFact(
        transaction.kind,
        outcome,
        reference,
        transaction.id,
        "default",
        transaction.parent_reference,
    )


def _last(order: Order, kind: TransactionKind) -> PaymentTransaction:
    return [t for t in order.transactions if t.kind is kind][-1]


def taken(order: Order, *, reference: str = "ref-77", amount: Money = WHOLE) -> ProviderFact:
    return about(order.charge, Succeeded(reference, amount, order.charge.id))


def held(order: Order) -> ProviderFact:
    return about(order.charge, Authorized("ref-77", WHOLE, order.charge.id))


def done(kind: TransactionKind, *, reference: str = "ref-78") -> Callable[[Order], ProviderFact]:
    def fact(order: Order) -> ProviderFact:
        subject = _last(order, kind)
        return about(subject, Succeeded(reference, subject.amount, subject.id))

    return fact


def at_the_dashboard(
    kind: TransactionKind, amount: Money = WHOLE
) -> Callable[[Order], ProviderFact]:
    def fact(order: Order) -> ProviderFact:
        reference = order.charge.provider_reference
        outcome = Succeeded("dash-1", amount, "")
        return ProviderFact(kind, outcome, "dash-1", parent_reference=reference)

    return fact


def refund_failed_at_the_dashboard(order: Order) -> ProviderFact:
    reference = order.charge.provider_reference
    no = Declined("refund_failed", reference="dash-1")
    return ProviderFact(_K.REFUND, no, "dash-1", parent_reference=reference)


def refund_returned(order: Order) -> ProviderFact:
    refund = _last(order, _K.REFUND)
    back = Reversed(refund.provider_reference or "", refund.amount, "refund_returned")
    return ProviderFact(_K.REFUND, back, back.reference, refund.id, "default")


def _reversal(order: Order, outcome: Reversed | Restored) -> ProviderFact:
    reference = order.charge.provider_reference
    return ProviderFact(_K.REVERSAL, outcome, "dp-1", parent_reference=reference)


def dispute_opened(order: Order) -> ProviderFact:
    return _reversal(order, Reversed("dp-1", WHOLE, "dispute_opened", open=True))


def dispute_lost(order: Order) -> ProviderFact:
    return _reversal(order, Reversed("dp-1", WHOLE, "dispute_lost"))


def dispute_won(order: Order) -> ProviderFact:
    return _reversal(order, Restored("dp-1", WHOLE, "dispute_won"))


def unknown(order: Order) -> ProviderFact:
    outcome = Succeeded("ref-9", order.total, "lost-in-a-restore")
    return ProviderFact(_K.CHARGE, outcome, "ref-9", "lost-in-a-restore", "default")


def elsewhere(order: Order) -> ProviderFact:
    return replace(taken(order), installation="staging")


# One scene an event ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """How an event is brought about, and what it does to the transactions whatever the status."""

    before: Callable[[Any], Awaitable[Order]]
    news: Callable[[Order], ProviderFact] | None
    """None: time goes by, and the worker looks."""
    about: TransactionKind
    becomes: TransactionStatus
    """The last movement of that kind, once the news is in."""
    adds: tuple[tuple[TransactionKind, TransactionStatus], ...] = ()
    """What is entered as the provider's own, beside ours."""
    policy: Mapping[str, Any] | None = None
    cancels: bool = False
    """Whether the cancelled order was really cancelled, and not only found so."""


SCENES: Final[dict[MoneyEvent, Scene]] = {
    _E.CHARGED: Scene(charge_open, taken, _K.CHARGE, _T.SUCCEEDED, cancels=True),
    _E.HELD: Scene(
        charge_open, held, _K.AUTHORIZATION, _T.AUTHORIZED, policy=HOLDING, cancels=True
    ),
    _E.CAPTURED: Scene(capture_open, done(_K.CAPTURE), _K.CAPTURE, _T.SUCCEEDED, policy=HOLDING),
    _E.CAPTURED_BEGINNING_NOTHING: Scene(
        capture_before_the_end_open, done(_K.CAPTURE), _K.CAPTURE, _T.SUCCEEDED, policy=HOLDING
    ),
    _E.CAPTURED_UNASKED: Scene(
        paid,
        at_the_dashboard(_K.CAPTURE),
        _K.AUTHORIZATION,
        _T.SUCCEEDED,
        ((_K.CAPTURE, _T.SUCCEEDED),),
        policy=HOLDING,
    ),
    _E.SECOND_DEBIT: Scene(
        paid, taken, _K.CHARGE, _T.SUCCEEDED, ((_K.CHARGE, _T.SUCCEEDED),), cancels=True
    ),
    _E.PAID_AFTER_A_NO: Scene(
        declined, taken, _K.CHARGE, _T.SUCCEEDED, ((_K.CHARGE, _T.SUCCEEDED),)
    ),
    _E.DONE_AGAIN: Scene(
        refunded, done(_K.REFUND), _K.REFUND, _T.SUCCEEDED, ((_K.REFUND, _T.SUCCEEDED),)
    ),
    _E.SAME_AGAIN: Scene(
        paid, lambda o: taken(o, reference="ref-000001"), _K.CHARGE, _T.SUCCEEDED, cancels=True
    ),
    _E.HELD_BEFORE_ITS_END: Scene(
        hold_ended,
        lambda o: about(
            o.charge, Authorized(o.charge.provider_reference or "", WHOLE, o.charge.id)
        ),
        _K.AUTHORIZATION,
        _T.VOIDED,
        policy=HOLDING,
    ),
    _E.ANOTHER_AMOUNT: Scene(
        charge_open, lambda o: taken(o, amount=Money(2600, "EUR")), _K.CHARGE, _T.IN_REVIEW
    ),
    _E.ANOTHER_TRANSACTION: Scene(
        charge_open,
        lambda o: about(o.charge, Succeeded("ref-77", WHOLE, "another")),
        _K.CHARGE,
        _T.UNKNOWN,
    ),
    _E.ANOTHER_KIND: Scene(charge_open, held, _K.AUTHORIZATION, _T.IN_REVIEW),
    _E.DECLINED: Scene(
        charge_open, lambda o: about(o.charge, Declined("no")), _K.CHARGE, _T.DECLINED
    ),
    _E.NEVER_HAPPENED: Scene(charge_open, None, _K.CHARGE, _T.FAILED),
    _E.DECLINED_AFTERWARDS: Scene(
        paid, lambda o: about(o.charge, Declined("no")), _K.CHARGE, _T.SUCCEEDED
    ),
    _E.REFUSED_AFTER_ALL: Scene(
        accepted_unseen,
        lambda o: about(o.charge, Declined("refused", reference="psp-1")),
        _K.CHARGE,
        _T.SUCCEEDED,
        ((_K.REVERSAL, _T.SUCCEEDED),),
    ),
    _E.HOLD_ENDED: Scene(
        paid,
        lambda o: about(o.charge, Declined("expired")),
        _K.AUTHORIZATION,
        _T.VOIDED,
        policy=HOLDING,
    ),
    _E.VOIDED: Scene(void_open, done(_K.VOID), _K.CHARGE, _T.VOIDED),
    _E.VOIDED_AFTER_SUCCESS: Scene(void_open_and_paid, done(_K.VOID), _K.VOID, _T.IN_REVIEW),
    _E.VOIDED_UNASKED: Scene(
        paid,
        at_the_dashboard(_K.VOID),
        _K.AUTHORIZATION,
        _T.AUTHORIZED,
        ((_K.VOID, _T.SUCCEEDED),),
        policy=HOLDING,
    ),
    _E.REFUNDED: Scene(refund_open, done(_K.REFUND), _K.REFUND, _T.SUCCEEDED),
    _E.REFUNDED_UNASKED: Scene(
        paid,
        at_the_dashboard(_K.REFUND, Money(400, "EUR")),
        _K.REFUND,
        _T.SUCCEEDED,
        ((_K.REFUND, _T.SUCCEEDED),),
    ),
    _E.REFUNDED_BEYOND: Scene(
        paid,
        at_the_dashboard(_K.REFUND, Money(2600, "EUR")),
        _K.REFUND,
        _T.SUCCEEDED,
        ((_K.REFUND, _T.SUCCEEDED),),
    ),
    _E.REFUND_FAILED_UNASKED: Scene(
        paid,
        refund_failed_at_the_dashboard,
        _K.REFUND,
        _T.DECLINED,
        ((_K.REFUND, _T.DECLINED),),
    ),
    _E.REFUND_RETURNED: Scene(
        refunded, refund_returned, _K.REFUND, _T.SUCCEEDED, ((_K.REVERSAL, _T.SUCCEEDED),)
    ),
    _E.DISPUTE_OPENED: Scene(
        paid, dispute_opened, _K.CHARGE, _T.SUCCEEDED, ((_K.REVERSAL, _T.SUCCEEDED),)
    ),
    _E.DISPUTE_LOST: Scene(
        disputed,
        dispute_lost,
        _K.CHARGE,
        _T.SUCCEEDED,
        ((_K.REVERSAL, _T.SUCCEEDED),),
        cancels=True,
    ),
    _E.DISPUTE_WON: Scene(
        disputed,
        dispute_won,
        _K.CHARGE,
        _T.SUCCEEDED,
        ((_K.REVERSAL, _T.SUCCEEDED),),
        cancels=True,
    ),
    _E.UNKNOWN_TRANSACTION: Scene(paid, unknown, _K.CHARGE, _T.SUCCEEDED),
    _E.OTHER_INSTALLATION: Scene(charge_open, elsewhere, _K.CHARGE, _T.UNKNOWN),
}

ALL_BUT_ONE: Final = [(event, status) for event in SCENES for status in OrderStatus]


async def brought_to(shop: Any, order: Order, status: OrderStatus, *, cancels: bool) -> Any:
    """The stored order in this status, with its transactions as they are."""
    if order.status is status:
        return order
    if status is OrderStatus.CANCELLED and cancels:
        shop.gateway.react(reactions.LOSE_REQUEST)
        return await shop.core.cancel(order.id, customer_id="ann")
    return (await shop.orders.save(replace(order, status=status))).order


async def time_goes_by(shop: Any) -> None:
    shop.clock.set(shop.clock.now() + timedelta(hours=2))
    await shop.core.recover()


def added_to(before: Order, after: Order) -> list[PaymentTransaction]:
    known = {t.id for t in before.transactions}
    return [t for t in after.transactions if t.id not in known]


def in_doubt(order: Order) -> int:
    return sum(bool(t.review) or t.status is _T.IN_REVIEW for t in order.transactions)


def assert_it_follows(verdict: Verdict, before: Order, after: Order, *, was_told: int) -> None:
    """The order's status, its doubts and what goes back are what the verdict says."""
    moves = {
        Verdict.PLACE: OrderStatus.PENDING,
        Verdict.PROCESS: OrderStatus.PROCESSING,
        Verdict.FAIL: OrderStatus.PAYMENT_FAILED,
    }
    assert after.status is moves.get(verdict, before.status)
    assert in_doubt(after) - in_doubt(before) == (verdict is Verdict.REVIEW)
    assert was_told == (verdict is Verdict.PLACE)
    ours = [t for t in added_to(before, after) if t.origin is Origin.OURS]
    if verdict is Verdict.REFUND:
        assert ours
        assert {t.kind for t in ours} <= {_K.REFUND, _K.VOID}
        assert all(t.attend_at is not None for t in ours)
        assert owed(after) == 0
    else:
        assert ours == []
    if verdict is Verdict.IGNORE:
        assert after == before


def owed(order: Order) -> int:
    """Minor units, taken or held, that nobody gives back."""
    refunds = sum(t.amount.minor_units for t in order.transactions if t.kind is _K.REFUND)
    returned = sum(order.returned_of(t) for t in order.transactions if t.kind is _K.REFUND)
    voided = {t.parent_id for t in order.transactions if t.kind is _K.VOID and t.is_live}
    held = [t for t in order.transactions if t.status is _T.AUTHORIZED and t.id not in voided]
    return order.captured_minor_units - refunds + returned + len(held)


@pytest.mark.parametrize(("event", "status"), ALL_BUT_ONE)
async def test_an_order_does_what_the_table_says(
    event: MoneyEvent, status: OrderStatus, make_listening: Callable[..., Any]
) -> None:
    scene, verdict = SCENES[event], expected(event, status)
    shop = make_listening(**(scene.policy or {}))
    before = await brought_to(shop, await scene.before(shop), status, cancels=scene.cancels)
    placed_before = await times_placed(shop, before)
    if scene.news is None:
        await time_goes_by(shop)
    else:
        await deliver(shop, scene.news(before))
    after = await shop.orders.get(before.id)

    events = (await shop.core.waiting()).events
    if event is _E.UNKNOWN_TRANSACTION:
        # No order is reviewed, for none knows it: the event is.
        assert (verdict, after) == (Verdict.REVIEW, before)
        assert [e.event_id for e in events] == ["e-news"]
        return
    assert events == ()
    told = await times_placed(shop, after) - placed_before
    assert_it_follows(verdict, before, after, was_told=told)
    unasked = [(t.kind, t.status) for t in added_to(before, after) if t.origin is Origin.PROVIDER]
    assert unasked == list(scene.adds)
    assert [t.status for t in after.transactions if t.kind is scene.about][-1] is scene.becomes


async def times_placed(shop: Any, order: Order) -> int:
    history = await shop.core.history(order.id, customer_id="ann")
    return [entry.event.name for entry in history].count("order_placed")


@pytest.mark.parametrize("status", list(OrderStatus))
async def test_a_payment_of_another_order_does_what_the_table_says(
    status: OrderStatus, make_listening: Callable[..., Any]
) -> None:
    shop = make_listening()
    first = await shop.place()
    before = {
        OrderStatus.AWAITING_PAYMENT: charge_open,
        OrderStatus.CANCELLED: charge_open,
        OrderStatus.PAYMENT_FAILED: declined,
    }.get(status, paid)
    shop.clock.set(shop.clock.now() + timedelta(minutes=1))
    second = await brought_to(shop, await before(shop), status, cancels=True)
    await deliver(shop, taken(second, reference=first.charge.provider_reference))
    after = await shop.orders.get(second.id)

    verdict = expected(_E.ALREADY_USED, status)
    assert_it_follows(verdict, second, after, was_told=0)
    assert added_to(second, after) == []
    assert await shop.orders.get(first.id) == first


@pytest.mark.parametrize("event", list(MoneyEvent))
def test_the_table_says_what_is_expected_in_every_status(event: MoneyEvent) -> None:
    assert list(LATE_MONEY[event]) == list(OrderStatus)
    verdicts = {status: cell(event, status).verdict for status in OrderStatus}
    assert verdicts == {status: expected(event, status) for status in OrderStatus}


def test_every_event_is_brought_about() -> None:
    assert set(LATE_MONEY) == set(MoneyEvent) == {*SCENES, _E.ALREADY_USED}
