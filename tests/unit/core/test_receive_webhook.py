"""What a provider tells by itself settles as an answer does, however often it comes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from order_core.errors import UnknownProvider, WebhookRejected
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Reversed, Succeeded
from order_core.payment import Origin, TransactionKind
from order_core.ports import ProviderFact, WebhookEvent


class NamedEvents:
    """Reads events that the test has named before; the body is the name."""

    def __init__(self) -> None:
        self.events: dict[str, WebhookEvent] = {}

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        if headers.get("signature") != "good":
            raise WebhookRejected("the signature is wrong")
        return self.events[json.loads(body)]


@pytest.fixture
def events(shop: Any) -> NamedEvents:
    parser = NamedEvents()
    shop.core = shop.assembled(webhooks={"scripted": parser})
    return parser


async def deliver(shop: Any, events: NamedEvents, *facts: ProviderFact, id: str = "e-1") -> str:  # noqa: A002 - the event's own word
    events.events[id] = WebhookEvent(id, "payment.changed", facts)
    body = json.dumps(id).encode()
    received = await shop.core.receive_webhook("scripted", body, {"signature": "good"})
    return str(received.verdict)


def paid(order: Any, *, installation: str = "default", amount: int = 2500) -> ProviderFact:
    outcome = Succeeded("ref-000001", Money(amount, "EUR"), order.charge.id)
    return ProviderFact(
        TransactionKind.CHARGE, outcome, "ref-000001", order.charge.id, installation
    )


async def test_a_success_that_the_answer_could_not_tell_places_the_order(
    shop: Any, events: NamedEvents
) -> None:
    opened = await shop.place(payment_method="lost_answer")

    assert await deliver(shop, events, paid(opened)) == "settled"
    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING
    await shop.work_until()
    shop.assert_order_and_money_agree()


async def test_incident_31_an_event_that_comes_three_times_settles_once(
    shop: Any, events: NamedEvents
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    verdicts = [await deliver(shop, events, paid(opened)) for _ in range(3)]
    history = await shop.core.history(opened.id, customer_id="ann")

    assert verdicts == ["settled", "no_news", "no_news"]
    assert [entry.event.name for entry in history].count("order_placed") == 1


async def test_a_forged_event_does_nothing(shop: Any, events: NamedEvents) -> None:
    opened = await shop.place(payment_method="lost_answer")
    events.events["e-9"] = WebhookEvent("e-9", "payment.changed", (paid(opened),))

    with pytest.raises(WebhookRejected):
        await shop.core.receive_webhook("scripted", b'"e-9"', {"signature": "forged"})
    assert (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT


async def test_a_provider_without_a_secret_has_no_address(shop: Any) -> None:
    with pytest.raises(UnknownProvider):
        await shop.core.receive_webhook("scripted", b"{}", {})


async def test_another_installations_payment_is_ignored(shop: Any, events: NamedEvents) -> None:
    opened = await shop.place(payment_method="lost_answer")
    verdict = await deliver(shop, events, paid(opened, installation="staging"))

    assert verdict == "other_installation"
    assert (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("kind", "moved"),
    [(TransactionKind.CHARGE, Succeeded), (TransactionKind.AUTHORIZATION, Authorized)],
)
async def test_a_success_for_a_payment_that_nobody_knows_is_kept_for_a_person(
    shop: Any, events: NamedEvents, kind: TransactionKind, moved: Any
) -> None:
    outcome = moved("ref-9", Money(100, "EUR"), "lost-in-a-restore")
    fact = ProviderFact(kind, outcome, "ref-9", "lost-in-a-restore", "default")

    assert await deliver(shop, events, fact) == "unknown_transaction"
    waiting = await shop.core.waiting()
    assert [event.event_id for event in waiting.events] == ["e-1"]
    assert shop.gateway.asked == ()


async def test_an_event_of_a_kind_that_nobody_knows_is_kept(shop: Any, events: NamedEvents) -> None:
    assert await deliver(shop, events) == "no_fact"


async def test_incident_48_a_refund_at_the_dashboard_is_booked_once(
    shop: Any, events: NamedEvents
) -> None:
    placed = await shop.place()
    reference = placed.charge.provider_reference
    outcome = Succeeded("re-dash", Money(400, "EUR"), "")
    fact = ProviderFact(TransactionKind.REFUND, outcome, "re-dash", parent_reference=reference)
    verdicts = [await deliver(shop, events, fact, id=name) for name in ("e-1", "e-2")]
    order = await shop.orders.get(placed.id)

    assert verdicts == ["settled", "no_news"]
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert order.refunded_minor_units == 400
    cancelled = await shop.core.cancel(placed.id, customer_id="ann")
    ours = [t for t in cancelled.transactions if t.kind is TransactionKind.REFUND]
    assert [(t.origin, t.amount.minor_units) for t in ours] == [
        (Origin.PROVIDER, 400),
        (Origin.OURS, 2100),
    ]


async def test_a_dispute_is_on_record_and_a_person_looks(shop: Any, events: NamedEvents) -> None:
    placed = await shop.place()
    outcome = Reversed("dp-1", Money(2500, "EUR"), "disputed", open=True)
    fact = ProviderFact(
        TransactionKind.REVERSAL,
        outcome,
        "dp-1",
        parent_reference=placed.charge.provider_reference,
    )
    await deliver(shop, events, fact)
    order = await shop.orders.get(placed.id)

    assert order.status is OrderStatus.PENDING
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert (await shop.core.waiting()).orders == (order,)


async def test_a_refund_that_inherits_the_charges_id_is_a_refund(
    shop: Any, events: NamedEvents
) -> None:
    placed = await shop.place()
    outcome = Succeeded("re-dash", Money(1000, "EUR"), placed.charge.id)
    fact = ProviderFact(
        TransactionKind.REFUND,
        outcome,
        "re-dash",
        placed.charge.id,
        "default",
        parent_reference=placed.charge.provider_reference,
    )
    await deliver(shop, events, fact)
    order = await shop.orders.get(placed.id)

    assert order.captured_minor_units == 2500
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED


def refund_of(order: Any, *, parent: str | None, amount: int = 2500) -> ProviderFact:
    """A refund at the dashboard that inherits the id of the order's charge."""
    outcome = Succeeded("re-dash", Money(amount, "EUR"), order.charge.id)
    kind = TransactionKind.REFUND
    return ProviderFact(kind, outcome, "re-dash", order.charge.id, "default", parent)


@pytest.mark.parametrize("parent", ["ref-000001", None])
async def test_a_refund_told_before_its_payment_finds_it_by_our_own_id(
    shop: Any, events: NamedEvents, parent: str | None
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    fact = refund_of(opened, parent=parent, amount=900)
    verdicts = [await deliver(shop, events, fact, id=name) for name in ("e-1", "e-2")]
    cancelled = await shop.core.cancel(opened.id, customer_id="ann")
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert verdicts == ["settled", "no_news"]
    assert cancelled.charge.is_open
    assert [
        (t.origin, t.amount.minor_units)
        for t in order.transactions
        if t.kind is TransactionKind.REFUND
    ] == [(Origin.PROVIDER, 900), (Origin.OURS, 1600)]
    assert order.captured_minor_units == order.refunded_minor_units == 2500


async def test_a_dispute_told_before_its_payment_finds_it_by_our_own_id(
    shop: Any, events: NamedEvents
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    lost = Reversed("dp-1", Money(2500, "EUR"), "disputed", open=True)
    fact = ProviderFact(TransactionKind.REVERSAL, lost, "dp-1", opened.charge.id, "default", "x-1")

    assert await deliver(shop, events, fact) == "settled"
    assert (await shop.orders.get(opened.id)).payment_status is PaymentStatus.IN_REVIEW


async def test_a_refund_of_another_payment_under_our_id_is_not_booked_on_ours(
    shop: Any, events: NamedEvents
) -> None:
    placed = await shop.place()

    assert await deliver(shop, events, refund_of(placed, parent="ref-9")) == "unknown_transaction"
    assert await shop.orders.get(placed.id) == placed


async def test_a_refund_of_a_payment_that_we_call_dead_is_not_booked_on_it(
    shop: Any, events: NamedEvents
) -> None:
    declined = await shop.place(payment_method="declined")

    assert await deliver(shop, events, refund_of(declined, parent="ref-9")) == (
        "unknown_transaction"
    )


async def test_a_void_at_the_dashboard_waits_until_its_hold_is_known(
    shop: Any, events: NamedEvents
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    outcome = Succeeded("void-1", Money(2500, "EUR"), opened.charge.id)
    fact = ProviderFact(
        TransactionKind.VOID, outcome, "void-1", opened.charge.id, "default", "ref-000001"
    )

    assert await deliver(shop, events, fact) == "unknown_transaction"
