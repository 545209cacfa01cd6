"""PayPal's rules about money, one trap at a time."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_core import OrderItem, OrderRequest, ShippingAddress
from order_core.assembly import assemble
from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.reviewing import ReviewDecision
from order_emulators.chassis import Decision, Fault
from order_memory import (
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    SequentialIds,
    TrustedPrices,
)
from order_memory.contracts import samples
from order_paypal import ApiAnswer, ApiRequest, NoAnswer, PayPalGateway, RequestNotSent
from tests.integration.paypal_wire import PayPalWire, paypal_wire

_PAYS = "vault:paypal:ok"
_CAPTURE = "POST /v2/checkout/orders/{id}/capture"


@pytest.fixture
async def wire() -> AsyncIterator[PayPalWire]:
    async with paypal_wire() as wire:
        yield wire


@pytest.fixture
async def gateway(wire: PayPalWire) -> AsyncIterator[PayPalGateway]:
    gateway = wire.gateway()
    yield gateway
    await gateway.close()


def a_charge(token: str = _PAYS, **but: Any) -> PaymentTransaction:
    return samples.a_charge("order-7", datetime.now(UTC), provider="paypal", token=token, **but)


def after(transaction: PaymentTransaction, outcome: Outcome) -> PaymentTransaction:
    """The transaction as the core stores it after this answer, ready for the next step."""
    assert isinstance(outcome, Continue)
    return replace(transaction, step=transaction.step + 1, provider_reference=outcome.reference)


async def begun(gateway: PayPalGateway, transaction: PaymentTransaction) -> PaymentTransaction:
    return after(transaction, await gateway.send(transaction))


async def paid(gateway: PayPalGateway, **but: Any) -> tuple[PaymentTransaction, str]:
    charge = await begun(gateway, a_charge(**but))
    outcome = await gateway.send(charge)
    assert isinstance(outcome, Succeeded)
    return charge, outcome.reference


def child(parent: PaymentTransaction, kind: TransactionKind, reference: str) -> PaymentTransaction:
    return samples.a_refund(parent, kind=kind, parent_reference=reference, step=1)


def an_order(wire: PayPalWire, *, status: str = "APPROVED", **but: Any) -> Any:
    values = {"intent": "CAPTURE", "value": Decimal("25.00"), "currency": "EUR", **but}
    order = wire.emulator.books.open(**values)
    order.status = status
    return order


# Two steps --------------------------------------------------------------------------------


async def test_the_first_step_makes_an_order_without_a_payment_method(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge(id="tx-1", installation="kiel")

    outcome = await gateway.send(charge)

    assert isinstance(outcome, Continue)
    order = wire.emulator.books.orders[outcome.reference]
    assert (order.custom_id, order.invoice_id) == ("tx-1,kiel", "tx-1")
    assert order.description == "Order order-7"
    (asked,) = wire.asked("POST")
    assert b"payment_source" not in asked.body
    assert asked.headers["paypal-request-id"] == "tx-1"
    assert wire.emulator.ledger() == []


async def test_each_step_has_its_own_key(wire: PayPalWire, gateway: PayPalGateway) -> None:
    charge, _ = await paid(gateway, id="tx-2")

    create, capture = wire.asked("POST")

    assert create.headers["paypal-request-id"] == "tx-2"
    assert capture.headers["paypal-request-id"] == charge.key == "tx-2-2"


async def test_the_longest_ids_fit(gateway: PayPalGateway) -> None:
    charge = a_charge(id="0" * 36, installation="i" * 64)

    _, reference = await paid(gateway, id=charge.id, installation=charge.installation)

    assert reference


async def test_a_first_step_sent_again_finds_its_order(gateway: PayPalGateway) -> None:
    charge = a_charge()

    assert await gateway.send(charge) == await gateway.send(charge)


async def test_the_card_of_a_vault_is_sent_as_a_card_with_the_way_back(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    await paid(gateway, token="vault:card:ok", return_url="https://shop.example/back")

    (capture,) = wire.asked("POST", "/capture")

    assert b'"card": {"vault_id": "ok", "experience_context"' in capture.body


# An order that the shop's page made -------------------------------------------------------


async def test_an_approved_order_is_marked_and_then_captured(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    order = an_order(wire)
    charge = a_charge(f"order:{order.id}")

    step = await begun(gateway, charge)
    assert wire.emulator.ledger() == []
    outcome = await gateway.send(step)

    assert isinstance(outcome, Succeeded)
    assert (outcome.amount, outcome.transaction_id) == (charge.amount, charge.id)
    assert order.custom_id == f"{charge.id},default"
    assert wire.asked("POST", "/capture")[0].body == b"{}"


async def test_an_order_that_is_marked_already_is_not_marked_again(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge(f"order:{an_order(wire).id}")
    await gateway.send(charge)

    assert isinstance(await gateway.send(charge), Continue)
    assert len(wire.asked("PATCH")) == 1


@pytest.mark.parametrize(
    ("but", "reason"),
    [
        ({"value": Decimal("24.99")}, "order_has_another_amount"),
        ({"currency": "USD"}, "order_has_another_currency"),
        ({"intent": "AUTHORIZE"}, "order_has_another_intent"),
        ({"custom_id": "somebody-else,default"}, "order_belongs_to_another_payment"),
        ({"status": "VOIDED"}, "order_voided"),
        ({"reference_id": "it's"}, "bad_reference"),
    ],
)
async def test_an_order_that_is_not_the_one_is_refused_and_never_captured(
    wire: PayPalWire, gateway: PayPalGateway, but: dict[str, Any], reason: str
) -> None:
    order = an_order(wire, **but)

    outcome = await gateway.send(a_charge(f"order:{order.id}"))

    assert outcome == Declined(reason)
    assert wire.asked("PATCH") == wire.asked("POST") == []


async def test_an_order_that_does_not_exist_is_refused(gateway: PayPalGateway) -> None:
    assert await gateway.send(a_charge("order:NONE")) == Declined("no_such_order")


async def test_an_order_that_was_captured_already_decides_nothing(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge(f"order:{an_order(wire).id}")
    await gateway.send(await begun(gateway, charge))

    assert await gateway.send(charge) == OutcomeUnknown("order_already_completed")


def completed_by_the_page(wire: PayPalWire, **but: Any) -> Any:
    """An order that the page captured by itself, as the samples of PayPal's script do."""
    order = an_order(wire, **but)
    wire.emulator.books.complete(order, order.intent, None)
    return order


@pytest.mark.parametrize("mark", ["", "somebody-else,default", "cart 7"])
@pytest.mark.parametrize("value", ["25.00", "24.00"])
@pytest.mark.parametrize("kind", [TransactionKind.CHARGE, TransactionKind.AUTHORIZATION])
async def test_an_order_that_the_page_captured_is_neither_declined_nor_absent(
    wire: PayPalWire, gateway: PayPalGateway, mark: str, value: str, kind: TransactionKind
) -> None:
    order = completed_by_the_page(wire, custom_id=mark, value=Decimal(value))
    charge = a_charge(f"order:{order.id}", kind=kind)

    sent = await gateway.send(charge)
    found = await gateway.look_up(charge)

    assert sent == OutcomeUnknown("order_already_completed")
    assert isinstance(found, Succeeded)
    assert found.amount == Money.parse(value, "EUR")
    assert found.transaction_id == mark.partition(",")[0]
    assert wire.asked("PATCH") == []


async def test_an_order_that_the_page_authorized_is_seen_to_be_held(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    order = completed_by_the_page(wire, intent="AUTHORIZE")

    found = await gateway.look_up(a_charge(f"order:{order.id}"))

    assert isinstance(found, Authorized)
    assert found.transaction_id == ""


async def test_an_order_that_the_page_captured_while_it_was_marked_is_ours(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge("order:NONE")
    order = completed_by_the_page(wire, custom_id=f"{charge.id},default")

    found = await gateway.look_up(replace(charge, token=f"order:{order.id}"))

    assert isinstance(found, Succeeded)
    assert found.transaction_id == charge.id


@pytest.mark.parametrize("status", ["CREATED", "APPROVED", "VOIDED"])
async def test_an_order_that_nobody_completed_shows_no_payment(
    wire: PayPalWire, gateway: PayPalGateway, status: str
) -> None:
    order = an_order(wire, status=status)

    assert await gateway.look_up(a_charge(f"order:{order.id}")) == NotFound()


@pytest.mark.parametrize("token", ["order:NONE", "vault:paypal:ok", None])
async def test_a_charge_without_an_order_shows_no_payment(
    gateway: PayPalGateway, token: str | None
) -> None:
    assert await gateway.look_up(replace(a_charge(), token=token)) == NotFound()


async def test_a_try_of_the_page_that_was_refused_is_no_payment() -> None:
    shown = ApiAnswer(200, _capture_of("DECLINED").body)
    gateway = _alone(shown)

    assert await gateway.look_up(a_charge("order:5O190127TN364715T")) == NotFound()
    await gateway.close()


async def test_a_buyer_who_paid_at_the_page_waits_for_a_person_and_is_not_told_that_he_failed(
    wire: PayPalWire,
) -> None:
    clock = ManualClock()
    gateway = wire.gateway(now=clock.now)
    orders = InMemoryOrders(clock)
    core = assemble(
        orders=orders,
        work=InMemoryWorkQueue(orders),
        outbox=InMemoryOutbox(orders),
        gateways={"paypal": gateway},
        default_provider="paypal",
        prices=TrustedPrices(),
        notifier=RecordingNotifier(),
        clock=clock,
        ids=SequentialIds(),
    )
    request = OrderRequest(
        customer_id="ann",
        items=(OrderItem("mug", 2, Money(1250, "EUR")),),
        shipping_address=ShippingAddress("1 Quay Street, Galway"),
        payment_method=f"paypal:order:{completed_by_the_page(wire).id}",
    )
    opened = await core.place(request)
    for _ in range(15):
        clock.advance(timedelta(minutes=5))
        await core.recover()
    doubtful = await orders.get(opened.id)

    accepted = await core.review(
        opened.id,
        transaction_id=doubtful.charge.id,
        decision=ReviewDecision.ACCEPT,
        note="the page took it",
        by="staff",
    )
    cancelled = await core.cancel(opened.id, customer_id="ann")
    await gateway.close()

    assert doubtful.status is OrderStatus.AWAITING_PAYMENT
    assert doubtful.charge.review == "names_another_transaction"
    assert doubtful.attend_at is None
    assert accepted.status is OrderStatus.PENDING
    assert cancelled.payment_status is PaymentStatus.REFUNDED


async def test_an_order_that_nobody_approved_asks_its_buyer(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    order = an_order(wire, status="CREATED")

    outcome = await gateway.send(a_charge(f"order:{order.id}"))

    assert isinstance(outcome, ActionRequired)
    assert outcome.url == f"{wire.url}/checkoutnow?token={order.id}"


# The buyer --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["paypal", "card"])
async def test_after_the_buyers_approval_the_completion_is_due_once_more(
    wire: PayPalWire, gateway: PayPalGateway, source: str
) -> None:
    step = await begun(gateway, a_charge(f"vault:{source}:PAYER_ACTION_REQUIRED"))
    asked = await gateway.send(step)
    assert isinstance(asked, ActionRequired)
    waiting = replace(step, status=TransactionStatus.ACTION_REQUIRED)
    assert await gateway.look_up(waiting) == asked

    assert wire.emulator.act(asked.reference, Decision.APPROVE)
    seen = await gateway.look_up(waiting)
    assert seen == Continue(asked.reference)
    last = after(waiting, seen)
    outcome = await gateway.send(last)

    assert isinstance(outcome, Succeeded)
    assert wire.asked("POST", "/capture")[-1].headers["paypal-request-id"] == f"{step.id}-3"


async def test_an_order_that_waits_for_its_buyer_and_cannot_be_changed_ends_after_the_horizon(
    wire: PayPalWire,
) -> None:
    now = [datetime.now(UTC)]
    gateway = wire.gateway(now=lambda: now[0])
    step = await begun(gateway, a_charge("vault:card:PAYER_ACTION_REQUIRED"))
    asked = await gateway.send(step)
    assert isinstance(asked, ActionRequired)
    void = replace(
        child(step, TransactionKind.VOID, asked.reference),
        send_until=now[0] + timedelta(hours=5),
        recorded_at=now[0],
    )

    early = await gateway.send(void)
    now[0] += void.horizon
    late = await gateway.send(void)

    assert early == OutcomeUnknown("completion_may_be_under_way")
    assert late == Succeeded(asked.reference, void.amount, void.id)
    await gateway.close()


async def test_a_completion_that_arrives_after_the_void_of_its_order_takes_nothing(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step = await begun(gateway, a_charge())
    void = child(step, TransactionKind.VOID, step.provider_reference or "")

    voided = await gateway.send(void)
    again = await gateway.send(void)
    late = await gateway.send(step)

    assert isinstance(voided, Succeeded)
    assert again == voided == await gateway.look_up(void)
    assert isinstance(late, OutcomeUnknown)
    assert wire.emulator.ledger() == []
    assert await gateway.look_up(step) == Declined("voided")


async def test_a_void_that_comes_after_the_capture_is_told_so(gateway: PayPalGateway) -> None:
    charge, _ = await paid(gateway)
    void = child(charge, TransactionKind.VOID, charge.provider_reference or "")

    assert await gateway.send(void) == Declined("already_captured")
    assert await gateway.look_up(void) == Declined("already_captured")


# Refusals that are none -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vault_id", "reason", "retryable"),
    [
        ("INSTRUMENT_DECLINED", "declined", False),
        ("REFERENCED_CARD_EXPIRED", "expired_card", False),
        ("nobody-knows", "payment_method_refused", False),
        ("5120", "insufficient_funds", True),
        ("5400", "expired_card", False),
        ("0500", "do_not_honor", False),
    ],
)
async def test_a_refused_payment_says_why(
    gateway: PayPalGateway, vault_id: str, reason: str, retryable: bool
) -> None:
    step = await begun(gateway, a_charge(f"vault:card:{vault_id}"))

    outcome = await gateway.send(step)

    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.retryable) == (reason, retryable)


async def test_already_captured_is_looked_at_and_found_to_be_ours(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge, reference = await paid(gateway)

    # Another key, as if PayPal had forgotten the first one.
    outcome = await gateway.send(replace(charge, step=3))

    assert outcome == Succeeded(reference, charge.amount, charge.id)
    assert len(wire.emulator.ledger()) == 1


async def test_a_duplicate_invoice_is_no_decline(wire: PayPalWire, gateway: PayPalGateway) -> None:
    await paid(gateway, id="tx-3")
    another = an_order(wire, custom_id="tx-3,default", invoice_id="tx-3")
    step = replace(a_charge(id="tx-3"), step=5, provider_reference=another.id)

    assert await gateway.send(step) == OutcomeUnknown("done_before:DUPLICATE_INVOICE_ID")


async def test_a_key_in_use_means_in_progress(wire: PayPalWire, gateway: PayPalGateway) -> None:
    step = await begun(gateway, a_charge())
    await wire.order_faults(_CAPTURE, Fault.DELAY, seconds=0.5)

    first = asyncio.create_task(gateway.send(step))
    await asyncio.sleep(0.2)
    second = await gateway.send(step)

    assert second == InProgress()
    assert isinstance(await first, Succeeded)


async def test_a_rate_limit_is_told(wire: PayPalWire, gateway: PayPalGateway) -> None:
    await wire.order_faults(_CAPTURE, Fault.RATE_LIMITED)
    step = await begun(gateway, a_charge())

    assert await gateway.send(step) == RateLimited(1.0)


async def test_a_stored_server_error_is_seen_through_by_a_look_up(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    await wire.order_faults(_CAPTURE, Fault.ERROR_AFTER)
    step = await begun(gateway, a_charge())

    outcome = await gateway.send(step)
    found = await gateway.look_up(step)

    assert outcome == OutcomeUnknown("status_500")
    assert isinstance(found, Succeeded)
    assert found.transaction_id == step.id


# Giving back ------------------------------------------------------------------------------


async def test_a_lost_refund_is_found_by_our_own_reference(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge, reference = await paid(gateway)
    refund = replace(child(charge, TransactionKind.REFUND, reference), amount=Money(700, "EUR"))
    await wire.order_faults("POST /v2/payments/captures/{id}/refund", Fault.ANSWER_LOST)

    outcome = await gateway.send(refund)
    found = await gateway.look_up(refund)

    assert isinstance(outcome, OutcomeUnknown)
    assert isinstance(found, Succeeded)
    assert (found.amount, found.transaction_id) == (Money(700, "EUR"), refund.id)


async def test_a_refund_of_what_was_refunded_in_full_is_open_until_it_is_looked_up(
    gateway: PayPalGateway,
) -> None:
    charge, reference = await paid(gateway)
    await gateway.send(child(charge, TransactionKind.REFUND, reference))
    another = child(charge, TransactionKind.REFUND, reference)

    assert await gateway.send(another) == OutcomeUnknown("done_before:CAPTURE_FULLY_REFUNDED")
    assert await gateway.look_up(another) == NotFound()


async def test_a_refund_that_takes_its_time_is_pending_and_then_found(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge, reference = await paid(gateway, token="vault:paypal:ok")
    for order in wire.emulator.books.orders.values():
        order.description = "refund-pending"
    refund = child(charge, TransactionKind.REFUND, reference)

    outcome = await gateway.send(refund)
    assert isinstance(outcome, Pending)
    wire.emulator.act(outcome.reference, Decision.APPROVE)

    found = await gateway.look_up(replace(refund, provider_reference=outcome.reference))
    assert found == Succeeded(outcome.reference, refund.amount, refund.id)


async def held(gateway: PayPalGateway) -> tuple[PaymentTransaction, Authorized]:
    step = await begun(gateway, a_charge(kind=TransactionKind.AUTHORIZATION))
    outcome = await gateway.send(step)
    assert isinstance(outcome, Authorized)
    return step, outcome


async def test_a_hold_says_until_when_it_lasts(gateway: PayPalGateway) -> None:
    _, hold = await held(gateway)

    assert hold.capture_before is not None
    assert timedelta(days=28) < hold.capture_before - datetime.now(UTC) < timedelta(days=30)


async def test_a_part_can_be_captured_and_the_rest_is_let_go(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step, hold = await held(gateway)
    capture = replace(
        child(step, TransactionKind.CAPTURE, hold.reference), amount=Money(1000, "EUR")
    )
    await wire.order_faults("POST /v2/payments/authorizations/{id}/capture", Fault.ANSWER_LOST)

    lost = await gateway.send(capture)
    found = await gateway.look_up(capture)
    rest = await gateway.send(replace(capture, id="the-rest", amount=Money(1500, "EUR")))

    assert isinstance(lost, OutcomeUnknown)
    # It inherits the hold's mark; the invoice is what names the capture.
    assert isinstance(found, Succeeded)
    assert (found.amount, found.transaction_id) == (Money(1000, "EUR"), capture.id)
    assert rest == Declined("hold_already_captured")


async def test_a_hold_that_was_captured_at_the_dashboard_is_seen_to_be_taken(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step, hold = await held(gateway)
    ours = replace(step, status=TransactionStatus.AUTHORIZED, provider_reference=hold.reference)
    before = await gateway.look_up(ours)

    taken = wire.emulator.books.capture(hold.reference, {})

    assert before == hold
    assert await gateway.look_up(ours) == Succeeded(taken.id, hold.amount, step.id)


async def test_of_a_hold_that_was_captured_in_part_the_part_is_seen_to_be_taken(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step, hold = await held(gateway)
    ours = replace(step, status=TransactionStatus.AUTHORIZED, provider_reference=hold.reference)
    part = {"amount": {"value": "10.00", "currency_code": "EUR"}}

    taken = wire.emulator.books.capture(hold.reference, part)

    assert wire.emulator.books.payment("authorizations", hold.reference)[1].status == (
        "PARTIALLY_CAPTURED"
    )
    assert await gateway.look_up(ours) == Succeeded(taken.id, Money(1000, "EUR"), step.id)


async def test_of_two_holds_of_one_order_each_is_shown_its_own_capture(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step, hold = await held(gateway)
    books = wire.emulator.books
    _, one = books.payment("authorizations", hold.reference)
    two = books.hold_again(hold.reference)
    for payment in (one, two):
        taken = books.capture(payment.id, {"invoice_id": f"by-hand-{payment.id}"})
        held_there = replace(
            step, status=TransactionStatus.AUTHORIZED, provider_reference=payment.id
        )

        assert await gateway.look_up(held_there) == Succeeded(taken.id, hold.amount, step.id)


async def test_a_void_has_no_body_and_succeeds_twice(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step, hold = await held(gateway)
    void = child(step, TransactionKind.VOID, hold.reference)

    first, second = await gateway.send(void), await gateway.send(void)

    assert first == second == Succeeded(hold.reference, hold.amount, void.id)
    assert await gateway.look_up(void) == first
    assert {asked.body for asked in wire.asked("POST", "/void")} == {b""}


# What is refused before anything is sent --------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(12_340, "KWD"), "unsupported_currency"),
        (Money(150, "HUF"), "too_many_decimals"),
        (Money(150, "TWD"), "too_many_decimals"),
        (Money(0, "EUR"), "nothing_to_pay"),
    ],
)
def test_an_amount_that_paypal_does_not_take_is_refused(amount: Money, code: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        _alone().check(amount, "vault:paypal:ok")

    assert (refusal.value.field, refusal.value.code) == (("currency",), code)


@pytest.mark.parametrize("amount", [Money(150_000, "HUF"), Money(5000, "TWD"), Money(70, "JPY")])
async def test_currencies_without_decimals_are_written_without(
    gateway: PayPalGateway, amount: Money
) -> None:
    gateway.check(amount, "vault:paypal:ok")
    step = await begun(gateway, a_charge(amount=amount))

    outcome = await gateway.send(step)

    assert isinstance(outcome, Succeeded)
    assert outcome.amount == amount


@pytest.mark.parametrize(
    "token",
    [
        "4111111111111111",
        "order:",
        "order:../v1",
        "order:5O19?x=1",
        "order:abc",
        "vault:bank:ok",
        "vault:paypal:a/b",
        "vault:paypal:",
        "vault:paypal:" + "a" * 256,
        "vault:paypal:ok\n",
    ],
)
def test_a_token_of_another_form_is_refused(token: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        _alone().check(Money(100, "EUR"), token)

    assert refusal.value.field == ("payment_method",)


@pytest.mark.parametrize("reference", ["", "a/b", "..", "A?x", "A\\1", "A" * 37])
@pytest.mark.parametrize("kind", [TransactionKind.REFUND, TransactionKind.VOID])
async def test_a_reference_that_is_none_reaches_no_address(
    wire: PayPalWire, gateway: PayPalGateway, kind: TransactionKind, reference: str
) -> None:
    movement = child(a_charge(), kind, reference)

    assert await gateway.send(movement) == Declined("bad_reference")
    assert await gateway.look_up(movement) == OutcomeUnknown("bad_reference")
    assert wire.exchanges == []


async def test_a_token_never_shows(gateway: PayPalGateway, wire: PayPalWire) -> None:
    charge = a_charge("vault:card:vlt_secret_77")
    outcome = await gateway.send(await begun(gateway, charge))

    assert "vlt_secret_77" not in f"{outcome!r} {gateway!r} {gateway.profile!r} {charge!r}"


# Whatever PayPal answers, it is one outcome -----------------------------------------------


class ScriptedApi:
    """Answers each request with the next of its answers, or raises it."""

    def __init__(self, *answers: ApiAnswer | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[ApiRequest] = []

    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


def _alone(*answers: ApiAnswer | Exception) -> PayPalGateway:
    return PayPalGateway(ScriptedApi(*answers), account="scripted")


def _refused(status: int, issue: str, name: str = "UNPROCESSABLE_ENTITY") -> ApiAnswer:
    return ApiAnswer(status, {"name": name, "details": [{"issue": issue}]})


def _capture_of(status: str, **but: Any) -> ApiAnswer:
    capture = {
        "id": "2GG279541U471931P",
        "status": status,
        "amount": {"currency_code": "EUR", "value": "25.00"},
        "custom_id": "tx-5,default",
        **but,
    }
    return ApiAnswer(201, {"purchase_units": [{"payments": {"captures": [capture]}}]})


_ERRORS: list[tuple[ApiAnswer | Exception, Outcome]] = [
    (ApiAnswer(201, None), OutcomeUnknown("unreadable_answer")),
    (ApiAnswer(201, {}), OutcomeUnknown("unreadable_answer")),
    (ApiAnswer(302, {}), OutcomeUnknown("status_302")),
    (ApiAnswer(400, None), OutcomeUnknown("status_400:")),
    (
        _refused(400, "INVALID_PARAMETER_VALUE", "INVALID_REQUEST"),
        Declined("invalid_request:INVALID_PARAMETER_VALUE"),
    ),
    (ApiAnswer(401, {}), NotSent("misconfigured:401")),
    (_refused(403, "PERMISSION_DENIED"), NotSent("misconfigured:PERMISSION_DENIED")),
    (ApiAnswer(404, {"name": "RESOURCE_NOT_FOUND"}), Declined("no_such_payment")),
    (ApiAnswer(404, {"message": "no such host"}), OutcomeUnknown("status_404")),
    (_refused(409, "PREVIOUS_REQUEST_IN_PROGRESS"), InProgress()),
    (ApiAnswer(409, {}), OutcomeUnknown("status_409:")),
    (_refused(422, "ORDER_COMPLETION_IN_PROGRESS"), InProgress()),
    (_refused(422, "PAYER_CANNOT_PAY"), Declined("payer_cannot_pay")),
    (_refused(422, "TRANSACTION_LIMIT_EXCEEDED"), Declined("limit_exceeded", retryable=True)),
    (_refused(422, "SOMETHING_NEW"), OutcomeUnknown("status_422:SOMETHING_NEW")),
    (_refused(422, "evil\nlog line"), OutcomeUnknown("status_422:unreadable")),
    (ApiAnswer(429, {}, 3.0), RateLimited(3.0)),
    (ApiAnswer(500, {}), OutcomeUnknown("status_500")),
    (ApiAnswer(503, None), OutcomeUnknown("status_503")),
    (NoAnswer("connection_failed:ReadTimeout"), OutcomeUnknown("connection_failed:ReadTimeout")),
    (RequestNotSent("cannot_connect:X"), NotSent("cannot_connect:X")),
    (_capture_of("PENDING"), Pending("5O190127TN364715T")),
    (_capture_of("FAILED"), Declined("declined")),
    (_capture_of("BRAND_NEW"), OutcomeUnknown("unreadable_status")),
    (_capture_of("COMPLETED", amount={}), OutcomeUnknown("unreadable_capture")),
    (_capture_of("COMPLETED", amount="25"), OutcomeUnknown("unreadable_capture")),
    (
        _capture_of("REFUNDED"),
        Succeeded("2GG279541U471931P", Money(2500, "EUR"), "tx-5"),
    ),
    (
        _capture_of("COMPLETED", custom_id=7),
        Succeeded("2GG279541U471931P", Money(2500, "EUR"), ""),
    ),
]


@pytest.mark.parametrize(("answer", "outcome"), _ERRORS)
async def test_an_answer_is_exactly_one_outcome(
    answer: ApiAnswer | Exception, outcome: Outcome
) -> None:
    gateway = _alone(answer)
    step = replace(a_charge(id="tx-5"), step=2, provider_reference="5O190127TN364715T")

    assert await gateway.send(step) == outcome
    await gateway.close()


async def test_what_was_left_unasked_after_a_change_is_unknown_and_never_not_sent() -> None:
    gateway = _alone(_refused(422, "ORDER_ALREADY_CAPTURED"), RequestNotSent("cannot_connect"))
    step = replace(a_charge(), step=2, provider_reference="5O190127TN364715T")

    assert await gateway.send(step) == OutcomeUnknown("cannot_connect")
    await gateway.close()


@pytest.mark.parametrize(
    "answer", [ApiAnswer(404, None), ApiAnswer(500, {}), ApiAnswer(200, None), NoAnswer("x")]
)
async def test_a_look_up_that_fails_proves_nothing(answer: ApiAnswer | Exception) -> None:
    gateway = _alone(answer)
    step = replace(a_charge(), step=2, provider_reference="5O190127TN364715T")

    assert isinstance(await gateway.look_up(step), OutcomeUnknown)
    await gateway.close()


# Threads ----------------------------------------------------------------------------------


class SlowApi(ScriptedApi):
    """Answers once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        self.asked.append(request)
        self.go_on.wait(5)
        return ApiAnswer(500, {})


async def test_without_a_free_slot_nothing_is_handed_to_a_thread_and_nothing_leaves_later() -> None:
    api = SlowApi()
    gateway = PayPalGateway(api, account="slow", slots=1, call_seconds=0.3)
    first = asyncio.create_task(gateway.send(a_charge()))
    await asyncio.sleep(0.05)

    second = await gateway.send(a_charge())
    api.go_on.set()

    assert second == NotSent("no_free_connection")
    await first
    await gateway.close()
    assert len(api.asked) == 1


async def test_a_thread_that_hangs_is_given_up_as_unknown_and_keeps_its_slot() -> None:
    api = SlowApi()
    gateway = PayPalGateway(api, account="slow", slots=1, call_seconds=0.1)
    begun_at = time.monotonic()

    outcome = await gateway.send(a_charge())

    assert outcome == OutcomeUnknown("no_answer_in_time")
    assert time.monotonic() - begun_at < 2
    assert await gateway.send(a_charge()) == NotSent("no_free_connection")
    api.go_on.set()
    await gateway.close()


async def test_time_may_end_while_the_token_is_fetched(wire: PayPalWire) -> None:
    charge = a_charge()
    # In time when it is begun, too late when the request itself would leave.
    moments = iter([charge.recorded_at, charge.send_until])
    gateway = wire.gateway(now=lambda: next(moments))

    assert await gateway.send(charge) == NotSent("too_late")
    assert wire.asked("POST") == []
    await gateway.close()
