"""Events that overtake their payment do their work once it is known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotRefund, CommitUnknown, StoreUnavailable
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.outcomes import Report, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode
from order_core.ports import ProviderFact, WebhookEvent
from order_core.reviewing import ReviewDecision
from order_core.use_cases.match_events import PAUSE, TRIED_FOR
from order_memory import reactions
from tests.unit.core.telling_and_deciding import decide, without_look_ups

MINUTE = timedelta(minutes=1)
REFERENCE = "ref-000001"


class Provider:
    """Tells what the test has it tell; the body is the event's name."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.events: dict[str, WebhookEvent] = {}
        shop.core = shop.assembled(webhooks={"scripted": self})

    async def parse(self, body: bytes, _headers: Mapping[str, str], /) -> WebhookEvent:
        return self.events[body.decode()]

    async def tells(self, *facts: ProviderFact) -> str:
        name = f"e-{len(self.events)}"
        self.events[name] = WebhookEvent(name, "money.moved", facts)
        return str((await self.shop.core.receive_webhook("scripted", name.encode(), {})).verdict)


@pytest.fixture
def provider(shop: Any) -> Provider:
    return Provider(shop)


def refund(parent: str = REFERENCE, *, amount: int = 800, name: str = "re-1") -> ProviderFact:
    back = Succeeded(name, Money(amount, "EUR"), "")
    return ProviderFact(TransactionKind.REFUND, back, name, parent_reference=parent)


def dispute(outcome: Reversed | Restored) -> ProviderFact:
    return ProviderFact(
        TransactionKind.REVERSAL, outcome, outcome.reference, parent_reference=REFERENCE
    )


async def unmatched(shop: Any) -> list[str]:
    return [event.event_id for event in (await shop.core.waiting()).events]


class _Counted:
    """The shop's orders; counts the questions, and fails at one call if it is told to."""

    def __init__(self, shop: Any, *, call: str = "", error: Exception | None = None) -> None:
        self._orders = shop.orders
        self._call, self._error = call, error
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._orders, name)

        async def call(*args: Any, **named: Any) -> Any:
            self.asked.append(name)
            fails = name == self._call and self._error is not None
            error, self._error = (self._error, None) if fails else (None, self._error)
            if isinstance(error, StoreUnavailable):
                raise error
            answer = await real(*args, **named)
            if error is not None:
                raise error
            return answer

        return call


async def test_a_refund_is_booked_when_its_payment_is_found(shop: Any, provider: Provider) -> None:
    opened = await shop.place(payment_method="lost_answer")

    assert await provider.tells(refund()) == "unknown_transaction"
    await shop.work_until(passed=5 * MINUTE)
    order = await shop.orders.get(opened.id)
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert (order.captured_minor_units, order.refunded_minor_units) == (2500, 800)
    assert await unmatched(shop) == []


async def test_a_dispute_that_began_and_ended_early_is_won(shop: Any, provider: Provider) -> None:
    opened = await shop.place(payment_method="lost_answer")
    whole = Money(2500, "EUR")
    await provider.tells(dispute(Reversed("dp-1", whole, "disputed", open=True)))
    shop.clock.advance(timedelta(seconds=1))
    await provider.tells(dispute(Restored("dp-1", whole, "dispute_won")))
    await shop.work_until(passed=5 * MINUTE)
    order = await shop.orders.get(opened.id)

    assert [t.reason for t in order.transactions[1:]] == ["dispute_open", "dispute_won"]
    assert await unmatched(shop) == []


async def test_a_cancelled_order_gives_back_only_what_the_early_refund_left(
    shop: Any, provider: Provider
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    await provider.tells(refund())
    await shop.core.recover()
    await shop.work_until(passed=MINUTE)
    await shop.core.cancel(opened.id, customer_id="ann")
    await shop.work_until()
    order = await shop.orders.get(opened.id)

    assert order.captured_minor_units == order.refunded_minor_units == 2500
    assert order.refund_asked_minor_units == 1700


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("save", StoreUnavailable("gone")),
        ("save", CommitUnknown("no answer")),
        ("match", StoreUnavailable("gone")),
        ("match", CommitUnknown("no answer")),
        ("find_by_reference", RuntimeError("a bug")),
    ],
)
async def test_whatever_fails_on_the_way_is_done_once_in_the_end(
    shop: Any, provider: Provider, call: str, error: Exception
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    await provider.tells(refund())
    shop.clock.advance(MINUTE)
    await shop.core.recover()
    failing = shop.assembled(orders=_Counted(shop, call=call, error=error))

    assert await failing.match() == 1
    assert await shop.core.match() in {0, 1}
    order = await shop.orders.get(opened.id)
    assert order.refunded_minor_units == 800
    assert await unmatched(shop) == []


async def test_events_that_never_match_do_not_keep_the_others_waiting(
    shop: Any, provider: Provider
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    for number in range(5):
        await provider.tells(refund(f"somebody-elses-{number}", name=f"re-9{number}"))
    shop.clock.advance(timedelta(seconds=1))
    await provider.tells(refund())
    shop.clock.advance(MINUTE)
    await shop.core.recover()

    assert [await shop.core.match(limit=2) for _ in range(4)] == [2, 2, 2, 0]
    assert (await shop.orders.get(opened.id)).refunded_minor_units == 800
    assert await unmatched(shop) == [f"e-{number}" for number in (4, 3, 2, 1, 0)]


async def _match_again(shop: Any) -> int:
    shop.clock.advance(PAUSE)
    return int(await shop.core.match())


async def test_the_older_an_event_is_the_more_rarely_it_is_tried(
    shop: Any, provider: Provider
) -> None:
    await provider.tells(refund("somebody-elses"))
    tried: list[int] = []
    for _ in range(3 * 1024):
        tried.append(await shop.core.match())
        shop.clock.advance(PAUSE)
    an_hour = int(timedelta(hours=1) / PAUSE)

    assert sum(tried[:6]) >= 4
    assert sum(tried[an_hour : 2 * an_hour]) in {5, 6}
    assert sum(tried[:an_hour]) < 40
    for passed, times in ((timedelta(days=5), 1), (TRIED_FOR, 0)):
        shop.clock.advance(passed)
        tried = [await _match_again(shop) for _ in range(1024)]
        assert sum(tried) == times
    assert await unmatched(shop) == ["e-0"]


async def test_a_refund_is_booked_whose_capture_nobody_could_ask_about_for_two_weeks(
    make_shop: Callable[..., Any],
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    provider = Provider(shop)
    order = await shop.place()
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.process(order.id, by="staff")
    capture = order.transactions[-1]
    shop.gateway.settle(capture.provider_reference)
    assert await provider.tells(refund(order.charge.provider_reference)) == "unknown_transaction"
    await shop.work_until(passed=timedelta(days=16))
    order = await shop.orders.get(order.id)

    await decide(shop, order, capture, ReviewDecision.ACCEPT)
    for _ in range(1024):
        await _match_again(shop)

    assert (await shop.orders.get(order.id)).refunded_minor_units == 800
    assert await unmatched(shop) == []


async def test_between_two_walks_the_store_is_not_asked(shop: Any, provider: Provider) -> None:
    await provider.tells(refund())
    counted = _Counted(shop)
    core = shop.assembled(orders=counted)
    for _ in range(3):
        await core.match()
    asked = len(counted.asked)
    shop.clock.advance(PAUSE)
    await core.match()

    assert asked == 2
    assert len(counted.asked) > asked


async def test_an_event_of_a_provider_that_is_switched_off_waits(
    shop: Any, provider: Provider
) -> None:
    await provider.tells(refund())
    other = shop.assembled(gateways={"another": shop.gateway}, default_provider="another")

    assert await other.match() == 1
    assert await unmatched(shop) == ["e-0"]


async def test_money_that_names_nothing_of_ours_is_not_tried_again(
    shop: Any, provider: Provider
) -> None:
    nameless = Succeeded("ch-9", Money(900, "EUR"), "")

    assert await provider.tells(ProviderFact(TransactionKind.CHARGE, nameless, "ch-9")) == (
        "unknown_transaction"
    )
    assert await shop.core.match() == 0
    assert await unmatched(shop) == ["e-0"]


async def test_what_is_ours_in_an_event_is_taken_in_beside_what_is_not(
    shop: Any, provider: Provider
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    await provider.tells(refund("somebody-elses", name="re-9"), refund())
    shop.clock.advance(MINUTE)
    await shop.core.recover()

    assert await shop.core.match() == 1
    assert await shop.assembled().match() == 1
    assert (await shop.orders.get(opened.id)).refunded_minor_units == 800
    assert await unmatched(shop) == ["e-0"]


@pytest.mark.parametrize(
    "early",
    [refund(amount=2500), dispute(Reversed("dp-1", Money(2500, "EUR"), "disputed"))],
    ids=["refund", "dispute"],
)
async def test_what_went_back_before_its_capture_was_known_is_booked_on_the_capture(
    make_shop: Callable[..., Any], early: ProviderFact
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    provider = Provider(shop)
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER)
    waiting = await shop.core.process(placed.id, by="staff")
    capture = waiting.transactions[-1]

    assert await provider.tells(early) == "unknown_transaction"
    # Many providers know the capture by the reference of its hold.
    found = Report(Succeeded(REFERENCE, Money(2500, "EUR"), capture.id))
    await shop.core.settle(await shop.orders.get(placed.id), capture.id, found)
    assert await shop.core.match() == 1
    order = await shop.orders.get(placed.id)
    assert order.transactions[-1].parent_id == capture.id
    assert order.left_of(order.transaction(capture.id)) == 0
    with pytest.raises(CannotRefund):
        await shop.core.refund(placed.id, by="staff")
    assert await unmatched(shop) == []


async def test_an_event_whose_facts_the_store_cannot_read_is_left_to_a_person(
    shop: Any, provider: Provider
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    await provider.tells(refund("somebody-elses", name="re-9"))
    shop.clock.advance(timedelta(seconds=1))
    await provider.tells(refund())
    shop.clock.advance(MINUTE)
    await shop.core.recover()

    assert await shop.assembled(orders=_Illegible(shop, "e-0")).match() == 2
    assert (await shop.orders.get(opened.id)).refunded_minor_units == 800
    assert await unmatched(shop) == ["e-0"]


class _Illegible:
    """The shop's orders; of one event the facts cannot be read."""

    def __init__(self, shop: Any, event_id: str) -> None:
        self._orders, self._event_id = shop.orders, event_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._orders, name)

    async def events_to_match(self, **asked: Any) -> Any:
        found = await self._orders.events_to_match(**asked)
        return tuple(
            replace(event, facts=()) if event.event_id == self._event_id else event
            for event in found
        )
