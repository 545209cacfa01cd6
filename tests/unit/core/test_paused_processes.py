"""Between any two steps a process may sleep, be overtaken, or lose sight of its store."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from order_core import Policy
from order_core.errors import CommitUnknown, OrderCoreError, OrderNotFound, StoreUnavailable
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode
from order_core.ports import ProviderFact, WebhookEvent
from order_memory import ScriptedGateway, reactions


class _Store:
    """The shop's orders, but for one call that goes otherwise."""

    def __init__(self, orders: Any) -> None:
        self._orders = orders

    def __getattr__(self, name: str) -> Any:
        return getattr(self._orders, name)


class _SleepsAfterSave(_Store):
    def __init__(self, shop: Any, asleep: timedelta) -> None:
        super().__init__(shop.orders)
        self._clock = shop.clock
        self._asleep = asleep

    async def save(self, *order: Any, **named: Any) -> Any:
        saved = await self._orders.save(*order, **named)
        self._clock.advance(self._asleep)
        self._asleep = timedelta(0)
        return saved


class _FailsOnce(_Store):
    def __init__(self, shop: Any) -> None:
        super().__init__(shop.orders)
        self._failed = False

    async def save(self, *order: Any, **named: Any) -> Any:
        if not self._failed:
            self._failed = True
            raise StoreUnavailable
        return await self._orders.save(*order, **named)


class _CommitsIntoTheDark(_Store):
    async def save(self, *order: Any, **named: Any) -> Any:
        raise CommitUnknown("no answer to COMMIT")

    async def get(self, order_id: str) -> Any:
        raise OrderNotFound(order_id)


class _Slow(ScriptedGateway):
    """Takes a minute for every call, which is longer than any lease."""

    async def send(self, transaction: Any, /) -> Any:
        outcome = await super().send(transaction)
        self._clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined] # It is ours to set.
        return outcome

    async def look_up(self, transaction: Any, /) -> Any:
        found = await super().look_up(transaction)
        self._clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined] # It is ours to set.
        return found


# Asleep before the call -------------------------------------------------------------------


async def test_a_process_that_slept_past_the_window_sends_nothing(make_shop: Any) -> None:
    shop = make_shop(charge_window=timedelta(seconds=3))
    shop.core = shop.assembled(orders=_SleepsAfterSave(shop, timedelta(seconds=4)))
    order = await shop.place()

    assert shop.gateway.asked == ()
    assert order.status is OrderStatus.AWAITING_PAYMENT


async def test_a_process_that_slept_through_its_lease_sends_nothing(shop: Any) -> None:
    shop.core = shop.assembled(orders=_SleepsAfterSave(shop, timedelta(seconds=20)))
    order = await shop.place()

    assert shop.gateway.asked == ()
    assert order.status is OrderStatus.AWAITING_PAYMENT


async def test_a_second_send_is_on_record_before_it_leaves(shop: Any) -> None:
    on_record = []

    class Watching(ScriptedGateway):
        async def send(self, transaction: Any, /) -> Any:
            stored = (await shop.orders.get(transaction.order_id)).charge
            on_record.append((stored.sends, stored.last_send_at == shop.clock.now()))
            return await super().send(transaction)

    shop.gateway = Watching(shop.clock)
    shop.core = shop.assembled()
    shop.gateway.react(reactions.NOT_SEND)
    await shop.place()

    assert on_record == [(1, True), (2, True)]


async def test_a_replay_is_the_same_request(shop: Any) -> None:
    await shop.place(payment_method="lost_request")
    await shop.work_until(passed=timedelta(minutes=1))
    requests = {(asked.key, asked.token, asked.amount) for asked in shop.gateway.asked}

    assert len(shop.gateway.asked) > 1
    assert len(requests) == 1


async def test_nothing_is_sent_for_an_order_that_could_not_be_stored(shop: Any) -> None:
    shop.core = shop.assembled(orders=_FailsOnce(shop))

    with pytest.raises(StoreUnavailable):
        await shop.place()
    assert shop.gateway.asked == ()


async def test_the_window_is_counted_from_the_record(shop: Any) -> None:
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 5)
    await shop.place()
    for minutes, sent_by_then in ((9, 2), (8, 2)):
        shop.clock.advance(timedelta(minutes=minutes))
        await shop.core.recover()
        assert len(shop.gateway.asked) == sent_by_then


# Overtaken or asleep during the call ------------------------------------------------------


async def test_a_refund_overtaken_during_its_call_is_given_once(shop: Any) -> None:
    placed = await shop.place()

    class Overtaken(ScriptedGateway):
        async def send(self, transaction: Any, /) -> Any:
            outcome = await super().send(transaction)
            if len(self.asked) == 1:
                await shop.orders.save(await shop.orders.get(transaction.order_id))
            return outcome

    overtaken = Overtaken(shop.clock)
    overtaken.ledger = shop.gateway.ledger
    shop.gateway = overtaken
    shop.core = shop.assembled()
    order = await shop.core.refund(placed.id, amount=Money(700, "EUR"), by="staff")

    assert order.refunded_minor_units == 700
    assert shop.net_minor_units_at_the_provider() == 1800


async def test_a_second_wish_to_process_captures_nothing_more(make_shop: Any) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER)
    await shop.core.process(placed.id, by="staff")
    order = await shop.core.process(placed.id, by="another of the staff")

    assert [t.kind for t in order.transactions].count(TransactionKind.CAPTURE) == 1


async def test_an_answer_that_outlived_its_lease_is_stored(shop: Any) -> None:
    shop.gateway = _Slow(shop.clock)
    shop.core = shop.assembled()
    order = await shop.place()

    assert order.status is OrderStatus.PENDING
    assert (await shop.orders.get(order.id)).status is OrderStatus.PENDING


async def test_a_success_found_after_the_lease_ended_is_stored(shop: Any) -> None:
    slow = _Slow(shop.clock)
    slow.ledger = shop.gateway.ledger
    opened = await shop.place(payment_method="lost_answer")
    shop.gateway = slow
    shop.core = shop.assembled()
    shop.clock.advance(timedelta(minutes=1))
    await shop.core.recover()

    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING


async def test_a_look_up_answered_long_after_it_was_asked_proves_nothing(shop: Any) -> None:
    opened = await shop.place(payment_method="late_request")
    proof = opened.charge.absence_is_proof_from(shop.policy.clock_skew)

    class Hesitant(ScriptedGateway):
        async def look_up(self, transaction: Any, /) -> Any:
            found = await super().look_up(transaction)
            shop.clock.advance(timedelta(seconds=10))
            return found

    shop.clock.set(proof - timedelta(seconds=5))
    shop.core = shop.assembled(gateways={"scripted": Hesitant(shop.clock)})
    await shop.core.recover()

    assert (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT


async def test_the_second_look_sees_whatever_arrived_within_another_horizon(shop: Any) -> None:
    opened = await shop.place(payment_method="late_request")
    while (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT:
        await shop.work_until(passed=timedelta(minutes=1))
    await shop.work_until(passed=timedelta(minutes=25))
    shop.gateway.deliver_late_requests()
    await shop.work_until()

    assert (await shop.orders.get(opened.id)).payment_status is PaymentStatus.REFUNDED
    shop.assert_order_and_money_agree()


async def test_an_expiry_is_over_when_the_provider_has_said_so(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.clock.advance(timedelta(minutes=31))
    shop.gateway.react(reactions.LOSE_REQUEST)
    await shop.core.recover()
    waiting = await shop.orders.get(opened.id)
    in_time = shop.gateway.approve(opened.charge.provider_reference)
    await shop.work_until()

    assert (waiting.status, in_time) == (OrderStatus.AWAITING_PAYMENT, True)
    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


# Other people's money ---------------------------------------------------------------------


async def test_another_installations_charge_is_neither_asked_nor_sent(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    shop.core = shop.assembled(policy=Policy(installation="staging"))
    await shop.work_until()

    assert shop.gateway.looked_up == ()
    assert len(shop.gateway.asked) == 1
    assert (await shop.orders.get(opened.id)).status is OrderStatus.AWAITING_PAYMENT


class _OneEvent:
    def __init__(self, event: WebhookEvent) -> None:
        self._event = event

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        return self._event


async def test_a_dashboard_refund_beside_ours_is_stored_and_shown(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    await shop.core.refund(placed.id, by="staff")
    reference = placed.charge.provider_reference
    fact = ProviderFact(
        TransactionKind.REFUND,
        Succeeded("re-7", Money(900, "EUR"), ""),
        "re-7",
        parent_reference=reference,
    )
    parser = _OneEvent(WebhookEvent("e-7", "refund.created", (fact,)))
    shop.core = shop.assembled(webhooks={"scripted": parser})
    received = await shop.core.receive_webhook("scripted", b"", {})
    order = await shop.orders.get(placed.id)

    assert received.verdict == "settled"
    assert order.refunded_minor_units == 900
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def test_an_event_whose_effect_was_not_stored_does_its_work_the_second_time(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    outcome = Succeeded("ref-000001", Money(2500, "EUR"), opened.charge.id)
    fact = ProviderFact(TransactionKind.CHARGE, outcome, "ref-000001", opened.charge.id, "default")
    parser = _OneEvent(WebhookEvent("e-8", "payment.paid", (fact,)))
    shop.core = shop.assembled(webhooks={"scripted": parser}, orders=_FailsOnce(shop))
    with pytest.raises(StoreUnavailable):
        await shop.core.receive_webhook("scripted", b"", {})
    await shop.core.receive_webhook("scripted", b"", {})

    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING


# What the store did, and what the client hears --------------------------------------------


@pytest.mark.parametrize("token", ["ok", "declined", "action_required", "wrong_amount"])
async def test_what_the_client_was_told_is_stored(shop: Any, token: str) -> None:
    told = await shop.place(payment_method=token)

    assert await shop.orders.get(told.id) == told


async def test_an_unknown_commit_is_never_told_as_nothing(shop: Any) -> None:
    shop.core = shop.assembled(orders=_CommitsIntoTheDark(shop.orders))

    with pytest.raises(OrderCoreError) as told:
        await shop.place()
    assert isinstance(told.value, CommitUnknown)


async def test_nothing_is_sent_for_an_order_that_nobody_sees_stored(shop: Any) -> None:
    shop.core = shop.assembled(orders=_CommitsIntoTheDark(shop.orders))

    with pytest.raises(CommitUnknown):
        await shop.place()
    assert shop.gateway.asked == ()
