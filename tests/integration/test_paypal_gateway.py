"""PayPal's rules about money, one trap at a time."""

import asyncio
from dataclasses import replace

import pytest

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Continue,
    Declined,
    InProgress,
    NotFound,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_core.payment import TransactionKind, TransactionStatus
from order_emulators.chassis import Decision, Fault
from order_paypal import PayPalGateway
from tests.integration.paypal_payments import a_charge, after, an_order, begun, child, paid
from tests.integration.paypal_scripted import a_scripted_gateway
from tests.integration.paypal_wire import PayPalWire

pytest_plugins = ["tests.integration.paypal_desk"]

_CAPTURE = "POST /v2/checkout/orders/{id}/capture"


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
        a_scripted_gateway().check(amount, "vault:paypal:ok")

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
        a_scripted_gateway().check(Money(100, "EUR"), token)

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
