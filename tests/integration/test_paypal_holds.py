"""Money that PayPal holds for a shop, or is still to take: captured, or let go by a void."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from order_core.money import Money
from order_core.outcomes import ActionRequired, Authorized, Declined, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_emulators.chassis import Fault
from order_paypal import PayPalGateway
from tests.integration.paypal_payments import a_charge, begun, child, paid
from tests.integration.paypal_wire import PayPalWire

pytest_plugins = ["tests.integration.paypal_desk"]


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


# Voids ------------------------------------------------------------------------------------


async def test_a_void_has_no_body_and_succeeds_twice(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    step, hold = await held(gateway)
    void = child(step, TransactionKind.VOID, hold.reference)

    first, second = await gateway.send(void), await gateway.send(void)

    assert first == second == Succeeded(hold.reference, hold.amount, void.id)
    assert await gateway.look_up(void) == first
    assert {asked.body for asked in wire.asked("POST", "/void")} == {b""}


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
