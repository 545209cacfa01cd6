"""How each event of the table of late money is brought about."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from order_core.late_money import MoneyEvent
from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Authorized, Declined, Outcome, Restored, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
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


async def deliver(shop: Any, fact: ProviderFact, *, name: str = "e-news") -> None:
    shop.parser.event = WebhookEvent(name, "payment.changed", (fact,))
    await shop.core.receive_webhook("scripted", b"", {})


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


async def let_go_unseen(shop: Any) -> Any:
    without_look_ups(shop)
    shop.core = shop.assembled(webhooks={"scripted": shop.parser})
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    return await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)


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
    _E.NOT_LET_GO: Scene(
        let_go_unseen,
        lambda o: about(_last(o, _K.VOID), Declined("refused", reference="void-1")),
        _K.AUTHORIZATION,
        _T.AUTHORIZED,
        ((_K.AUTHORIZATION, _T.AUTHORIZED),),
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
