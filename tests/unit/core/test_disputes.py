"""A disputed payment goes back to its buyer once: through the bank, or through us."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotRefund, CannotReview, InvalidValue
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Declined, Report, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.ports import ProviderFact, WebhookEvent
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import decide

WHOLE = Money(2500, "EUR")


class Bank:
    """Tells of disputes in events of their own."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.told = 0
        shop.core = shop.assembled(webhooks={"scripted": self})

    async def parse(self, _body: bytes, _headers: Any, /) -> WebhookEvent:
        self.told += 1
        return WebhookEvent(f"e-{self.told}", "dispute", (self.fact,))

    async def opens(
        self, order: Order, amount: Money = WHOLE, *, sequence: int | None = None
    ) -> Any:
        opened = Reversed("dp-1", amount, "needs_response", open=True)
        return await self._tell(order, opened, sequence)

    async def takes_the_money(
        self, order: Order, amount: Money = WHOLE, *, sequence: int | None = None
    ) -> Any:
        return await self._tell(order, Reversed("dp-1", amount, "dispute_lost"), sequence)

    async def gives_it_back(
        self, order: Order, amount: Money = WHOLE, *, sequence: int | None = None
    ) -> Any:
        return await self._tell(order, Restored("dp-1", amount, "dispute_won"), sequence)

    async def takes_part(self, order: Order, reference: str, minor_units: int) -> None:
        hold = order.charge.provider_reference
        taken = Succeeded(reference, Money(minor_units, "EUR"), "")
        self.fact = ProviderFact(TransactionKind.CAPTURE, taken, reference, parent_reference=hold)
        await self.shop.core.receive_webhook("scripted", b"", {})

    async def _tell(self, order: Order, outcome: Reversed | Restored, sequence: int | None) -> Any:
        self.fact = ProviderFact(
            TransactionKind.REVERSAL,
            outcome,
            outcome.reference,
            parent_reference=order.charge.provider_reference,
            sequence=sequence,
        )
        await self.shop.core.receive_webhook("scripted", b"", {})
        return await self.shop.orders.get(order.id)


@pytest.fixture
def bank(shop: Any) -> Bank:
    return Bank(shop)


def reversals(order: Order) -> list[str | None]:
    return [t.reason for t in order.transactions if t.kind is TransactionKind.REVERSAL]


async def test_staff_gives_nothing_back_while_the_bank_decides(shop: Any, bank: Bank) -> None:
    order = await bank.opens(await shop.place())

    with pytest.raises(CannotRefund) as refusal:
        await shop.core.refund(order.id, by="staff")
    assert refusal.value.reason == "dispute_open"
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_nothing_goes_back_after_the_bank_gave_it_back(shop: Any, bank: Bank) -> None:
    order = await bank.takes_the_money(await bank.opens(await shop.place()))

    with pytest.raises(CannotRefund) as refusal:
        await shop.core.refund(order.id, by="staff")
    assert refusal.value.reason == "dispute_lost"


async def test_a_review_gives_nothing_back_while_the_bank_decides(shop: Any, bank: Bank) -> None:
    order = await bank.opens(await shop.place())

    with pytest.raises(CannotReview) as refusal:
        await shop.core.review(
            order.id,
            transaction_id=order.transactions[-1].id,
            decision=ReviewDecision.REFUND,
            note="spare us the fee",
            by="staff",
        )
    assert refusal.value.reason == "dispute_open"


async def test_a_cancelled_order_in_dispute_pays_the_buyer_nothing(shop: Any, bank: Bank) -> None:
    order = await bank.opens(await shop.place())
    cancelled = await shop.core.cancel(order.id, customer_id="ann")
    lost = await bank.takes_the_money(cancelled)
    await shop.work_until()

    assert cancelled.status is OrderStatus.CANCELLED
    assert lost.payment_status is PaymentStatus.IN_REVIEW
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_a_cancelled_order_gives_the_money_back_when_the_dispute_is_won(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place())
    await bank.gives_it_back(await shop.core.cancel(order.id, customer_id="ann"))
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 0


async def test_the_end_of_a_dispute_is_a_fact_of_its_own_however_often_it_comes(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place())
    for _ in range(2):
        order = await bank.opens(order)
        order = await bank.takes_the_money(order)

    assert reversals(order) == ["dispute_open", "dispute_lost"]


async def test_a_dispute_whose_end_is_heard_first_is_over(shop: Any, bank: Bank) -> None:
    won = await bank.gives_it_back(await shop.place())
    order = await bank.opens(won)
    refunded = await shop.core.refund(order.id, by="staff")

    assert reversals(order) == ["dispute_won"]
    assert refunded.payment_status is PaymentStatus.REFUNDED


async def test_a_won_dispute_can_be_lost_in_the_end(shop: Any, bank: Bank) -> None:
    order = await bank.gives_it_back(await bank.opens(await shop.place()))
    order = await bank.takes_the_money(order)

    assert order.left_of(order.charge) == 0


async def test_what_is_not_disputed_can_go_back(shop: Any, bank: Bank) -> None:
    order = await bank.opens(await shop.place(), Money(1000, "EUR"))

    with pytest.raises(InvalidValue):
        await shop.core.refund(order.id, amount=Money(1501, "EUR"), by="staff")
    await shop.core.refund(order.id, amount=Money(1500, "EUR"), by="staff")
    assert shop.net_minor_units_at_the_provider() == 1000


async def test_a_refund_that_has_not_left_yet_waits_no_longer_for_the_bank(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(request_deadline=timedelta(0))
    bank = Bank(shop)
    placed = await shop.place()
    shop.gateway.react(reactions.NOT_SEND)
    asked = await shop.core.refund(placed.id, by="staff")
    await bank.opens(asked)
    await shop.work_until()
    order = await shop.orders.get(placed.id)

    assert asked.transactions[-1].status is TransactionStatus.RECORDED
    assert order.transactions[1].status is TransactionStatus.FAILED
    assert order.attend_at is None
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_a_dispute_of_nobodys_payment_is_kept_for_a_person(shop: Any, bank: Bank) -> None:
    order = await shop.place()
    bank.fact = ProviderFact(
        TransactionKind.REVERSAL, Reversed("dp-2", WHOLE, "dispute", open=True), "dp-2"
    )
    received = await shop.core.receive_webhook("scripted", b"", {})

    assert received.verdict == "unknown_transaction"
    assert await shop.orders.get(order.id) == order


async def test_a_refund_that_came_back_is_known_by_its_own_reference(shop: Any, bank: Bank) -> None:
    placed = await shop.place()
    refunded = await shop.core.refund(placed.id, amount=Money(700, "EUR"), by="staff")
    reference = refunded.transactions[-1].provider_reference
    bank.fact = ProviderFact(
        TransactionKind.REVERSAL,
        Reversed(reference, Money(700, "EUR"), "refund_failed"),
        reference,
        parent_reference=placed.charge.provider_reference,
    )
    await shop.core.receive_webhook("scripted", b"", {})
    order = await shop.orders.get(placed.id)

    assert order.refunded_minor_units == 0
    assert order.left_of(order.charge) == 2500


# In the provider's order, not in that of the post --------------------------------------------


async def test_a_word_that_is_older_than_the_end_of_a_dispute_does_not_undo_it(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await bank.gives_it_back(order, sequence=300)
    order = await bank.takes_the_money(order, sequence=200)
    order = await bank.opens(order, sequence=150)

    assert reversals(order) == ["dispute_open", "dispute_won"]
    assert order.left_of(order.charge) == 2500


async def test_a_dispute_that_was_won_and_is_open_again_keeps_the_money_here(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await bank.gives_it_back(order, sequence=300)
    order = await bank.opens(order, sequence=400)

    assert reversals(order) == ["dispute_open", "dispute_won", "dispute_open"]
    assert order.payment_status is PaymentStatus.IN_REVIEW
    with pytest.raises(CannotRefund) as refusal:
        await shop.core.refund(order.id, by="staff")
    assert refusal.value.reason == "dispute_open"


async def test_a_dispute_that_is_open_for_longer_than_we_knew_was_not_won_in_between(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    await shop.core.cancel(order.id, customer_id="ann")
    order = await bank.opens(order, sequence=500)
    order = await bank.gives_it_back(order, sequence=300)
    await shop.work_until()

    assert reversals(order) == ["dispute_open"]
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_of_two_words_of_one_moment_the_end_counts(shop: Any, bank: Bank) -> None:
    order = await bank.takes_the_money(await shop.place(), sequence=100)
    order = await bank.gives_it_back(order, sequence=100)
    order = await bank.opens(order, sequence=100)

    assert reversals(order) == ["dispute_lost"]


async def test_a_dispute_can_be_won_lost_and_won_again(shop: Any, bank: Bank) -> None:
    order = await shop.place()
    for sequence in (100, 300):
        order = await bank.gives_it_back(order, sequence=sequence)
        order = await bank.takes_the_money(order, sequence=sequence + 100)
    order = await bank.gives_it_back(order, sequence=500)

    assert reversals(order) == ["dispute_won", "dispute_lost"] * 2 + ["dispute_won"]
    assert order.left_of(order.charge) == 2500


async def test_a_dispute_that_is_about_more_by_now_keeps_more_here(shop: Any, bank: Bank) -> None:
    order = await bank.opens(await shop.place(), Money(1000, "EUR"), sequence=100)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    order = await bank.opens(order, sequence=200)

    assert order.payment_status is PaymentStatus.IN_REVIEW
    with pytest.raises(CannotRefund) as refusal:
        await shop.core.refund(order.id, by="staff")
    assert refusal.value.reason == "dispute_open"
    again = await bank.opens(order, Money(1000, "EUR"), sequence=100)
    assert await bank.opens(again, sequence=200) == order


@pytest.mark.parametrize("sequence", [None, 100])
async def test_what_was_said_of_a_dispute_before_is_no_news_whatever_its_amount(
    shop: Any, bank: Bank, sequence: int | None
) -> None:
    order = await bank.opens(await shop.place(), Money(1000, "EUR"), sequence=sequence)
    order = await bank.opens(order, sequence=sequence)

    assert await bank.opens(order, Money(1000, "EUR"), sequence=sequence) == order
    assert order.left_of(order.charge) == 0


async def test_a_dispute_that_is_told_in_another_currency_keeps_all_of_it_here(
    shop: Any, bank: Bank
) -> None:
    # 2400 cents of another money are no measure of what is left.
    order = await bank.opens(await shop.place(), Money(2400, "USD"))

    assert order.left_of(order.charge) == 0
    order = await bank.gives_it_back(order, Money(2400, "USD"))
    assert order.left_of(order.charge) == 2500


async def test_what_a_lost_dispute_did_not_take_of_a_cancelled_order_goes_back(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await shop.core.cancel(order.id, customer_id="ann")
    order = await bank.takes_the_money(order, Money(1000, "EUR"), sequence=200)
    order = await decide(shop, order, order.transactions[1], ReviewDecision.ACCEPT)
    order = await decide(shop, order, order.transactions[2], ReviewDecision.ACCEPT)
    await bank.takes_the_money(order, Money(1000, "EUR"), sequence=200)
    await shop.work_until()

    # The bank took ten euro; the shop gave the other fifteen back, and once.
    assert shop.net_minor_units_at_the_provider() == 1000


async def test_what_a_person_has_to_give_back_does_not_go_with_what_a_lost_dispute_left(
    shop: Any, bank: Bank
) -> None:
    order = await shop.core.cancel((await shop.place()).id, customer_id="ann")
    refund = order.transactions[-1]
    order = await shop.core.settle(order, refund.id, Report(Declined("account_closed")))
    assert order.left_of(order.charge) == 2500
    order = await bank.opens(order, Money(1000, "EUR"), sequence=100)
    order = await bank.takes_the_money(order, Money(700, "EUR"), sequence=200)

    refunds = [t for t in order.transactions if t.kind is TransactionKind.REFUND]
    assert [t.amount.minor_units for t in refunds] == [2500, 300]


async def test_what_a_lost_dispute_did_not_take_of_an_order_that_stands_is_the_shops(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place())
    order = await bank.takes_the_money(order, Money(1000, "EUR"))

    assert [t.kind for t in order.transactions].count(TransactionKind.REFUND) == 0


async def test_of_a_payment_that_a_person_decides_about_a_dispute_gives_nothing_back(
    shop: Any, bank: Bank
) -> None:
    order = await shop.place(payment_method="wrong_amount")
    order = await shop.core.cancel(order.id, customer_id="ann")
    order = await bank.opens(order, sequence=100)
    order = await bank.takes_the_money(order, Money(1000, "EUR"), sequence=200)
    assert [t.kind for t in order.transactions].count(TransactionKind.REFUND) == 0

    await decide(shop, order, order.charge, ReviewDecision.ACCEPT)

    assert shop.net_minor_units_at_the_provider() == 1000


# After a person has said how it ended ---------------------------------------------------------


async def test_a_dispute_that_a_person_called_won_is_open_again_if_the_provider_says_so_later(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.DISPUTE_WON)
    assert await bank.opens(order, sequence=100) == order
    order = await bank.opens(order, sequence=200)

    assert order.is_disputed(order.charge)
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def test_the_provider_says_how_much_of_a_dispute_that_a_person_called_lost_was_lost(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await shop.core.cancel(order.id, customer_id="ann")
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.DISPUTE_LOST)
    await bank.takes_the_money(order, Money(1000, "EUR"), sequence=200)
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 1000


@pytest.mark.parametrize("word", ["first", "last"])
async def test_a_person_can_end_a_dispute_that_was_won_and_is_open_again(
    shop: Any, bank: Bank, word: str
) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await bank.gives_it_back(order, sequence=200)
    order = await bank.opens(order, sequence=300)
    words = [t for t in order.transactions if t.kind is TransactionKind.REVERSAL]
    looked_at = words[0] if word == "first" else words[-1]
    order = await decide(shop, order, looked_at, ReviewDecision.DISPUTE_WON)

    assert not order.is_disputed(order.charge)
    assert order.payment_status is PaymentStatus.PAID


async def test_how_much_of_a_dispute_was_won_is_no_news(shop: Any, bank: Bank) -> None:
    order = await bank.opens(await shop.place(), sequence=100)
    order = await bank.gives_it_back(order, sequence=200)
    order = await bank.gives_it_back(order, Money(1000, "EUR"), sequence=300)

    assert reversals(order) == ["dispute_open", "dispute_won"]
    assert order.left_of(order.charge) == 2500


async def test_what_a_person_calls_lost_is_what_the_dispute_was_about_last(
    shop: Any, bank: Bank
) -> None:
    order = await bank.opens(await shop.place(), Money(1000, "EUR"), sequence=100)
    order = await bank.opens(order, sequence=200)
    first = order.transactions[1]
    order = await decide(shop, order, first, ReviewDecision.DISPUTE_LOST)

    assert order.left_of(order.charge) == 0


async def test_one_dispute_of_two_payments_is_a_dispute_of_each(shop: Any, bank: Bank) -> None:
    orders = [await shop.place(), await shop.place(email="bea@example.com", allow_duplicate=True)]
    for order in orders:
        await bank.opens(order)
    stored = [await shop.orders.get(order.id) for order in orders]

    assert [reversals(order) for order in stored] == [["dispute_open"], ["dispute_open"]]


async def test_a_dispute_stays_with_the_capture_on_which_it_was_booked(
    make_shop: Callable[..., Any],
) -> None:
    """The provider names the hold, of which somebody took two parts at the dashboard."""
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    bank = Bank(shop)
    order = await shop.place()
    await bank.takes_part(order, "cap-1", 1600)
    await bank.takes_part(order, "cap-2", 900)

    await bank.opens(order, Money(1600, "EUR"))
    order = await bank.gives_it_back(order, Money(1600, "EUR"))

    first, second = (t for t in order.transactions if t.kind is TransactionKind.CAPTURE)
    assert {t.parent_id for t in order.transactions if t.provider_reference == "dp-1"} == {first.id}
    assert not order.is_disputed(first)
    assert (order.left_of(first), order.left_of(second)) == (1600, 900)
