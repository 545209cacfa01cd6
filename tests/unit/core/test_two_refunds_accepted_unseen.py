"""Two refunds of one sum count as made by a person's word, and the provider tells of each.

It says neither which of the two it means nor, perhaps, by which name it has told of it before.
"""

from asyncio import Barrier, gather
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from order_core.order import Order
from order_core.outcomes import Declined, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import ProviderFact, WebhookEvent
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.refunds_nobody_saw import accepted_unseen, told
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide

REFUND = TransactionKind.REFUND


class _SaidInBody:
    """Reads out of an event what it was told that it says."""

    def __init__(self, said: Mapping[bytes, ProviderFact]) -> None:
        self._said = said

    async def parse(self, body: bytes, _headers: Mapping[str, str], /) -> WebhookEvent:
        return WebhookEvent(body.decode(), "money", (self._said[body],))


class _SavedTogether:
    """A repository whose first two saves wait for each other: one of them comes too late."""

    def __init__(self, orders: Any) -> None:
        self._orders, self._both, self._saves = orders, Barrier(2), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._orders, name)

    async def save(self, order: Order, /, **named: Any) -> Any:
        self._saves += 1
        if self._saves <= self._both.parties:
            await self._both.wait()
        return await self._orders.save(order, **named)


async def two_accepted(shop: Any) -> tuple[Order, PaymentTransaction, Provider]:
    """An order of which two refunds of one sum count as made; the first of them."""
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    await shop.core.refund(order.id, by="staff", amount=PART)
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(order.id)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    assert order.refunded_minor_units == 1400
    return order, first, provider


async def test_of_two_that_were_accepted_each_refusal_is_one_of_them(shop: Any) -> None:
    order, first, provider = await two_accepted(shop)
    for reference in ("re-1", "re-1", "re-2", "re-1", "re-2"):
        no = Declined("account_closed", reference=reference)
        await provider.tells(REFUND, no, parent_reference=first.parent_reference)
        order = await shop.orders.get(order.id)
        expected = 700 if reference == "re-1" and order.refunded_minor_units else 0
        assert order.refunded_minor_units == expected

    assert order.left_of(order.charge) == 2500


@pytest.mark.parametrize("names", [("ret-1", "ret-2"), ("re-1", "re-2")])
async def test_of_two_that_were_accepted_each_return_is_one_of_them(
    shop: Any, names: tuple[str, str]
) -> None:
    """Some providers name a return by itself, some as the refund that it was."""
    order, first, provider = await two_accepted(shop)
    one, other = names
    for reference, left in ((one, 1800), (one, 1800), (other, 2500), (one, 2500), (other, 2500)):
        back = Reversed(reference, PART, "returned")
        await provider.tells(REFUND, back, parent_reference=first.parent_reference)
        order = await shop.orders.get(order.id)
        assert order.left_of(order.charge) == left

    returns = [t for t in order.transactions if t.kind is TransactionKind.REVERSAL]
    assert [t.provider_reference for t in returns] == [one, other]
    assert len({t.parent_id for t in returns}) == 2
    for reference in ("re-1", "re-2"):
        again = await told(shop, provider, first, PART, marked=False, reference=reference)
        assert again.left_of(again.charge) == 2500
        assert len(again.transactions) == len(order.transactions)


@pytest.mark.parametrize("made", ["re-1", "re-2"])
async def test_of_two_the_making_of_one_may_be_told_between_their_returns(
    shop: Any, made: str
) -> None:
    order, first, provider = await two_accepted(shop)
    about = {"parent_reference": first.parent_reference}
    await provider.tells(REFUND, Reversed("re-1", PART, "returned"), **about)
    await told(shop, provider, first, PART, marked=False, reference=made)
    await provider.tells(REFUND, Reversed("re-2", PART, "returned"), **about)
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)


async def test_a_return_told_again_once_its_refund_has_a_name_is_known(shop: Any) -> None:
    order, refund, provider = await accepted_unseen(shop, named=False, cancelled=True)
    about = {"parent_reference": refund.parent_reference}
    back = Reversed("ret-1", WHOLE, "returned")
    await provider.tells(REFUND, back, **about)
    order = await told(shop, provider, refund, WHOLE, marked=True, reference="re-1")
    assert await provider.tells(REFUND, back, **about) == "no_news"

    assert await shop.orders.get(order.id) == order


@pytest.mark.parametrize(
    "tells",
    [
        lambda reference: Declined("account_closed", reference=reference),
        lambda reference: Reversed(reference, PART, "returned"),
        lambda reference: Succeeded(reference, PART, ""),
    ],
)
async def test_of_two_told_at_the_same_time_each_is_another(shop: Any, tells: Any) -> None:
    """Both who bring them see the same order, and take the same refund for theirs."""
    order, first, _ = await two_accepted(shop)
    before = order.refunded_minor_units
    said = {
        name.encode(): ProviderFact(
            REFUND, tells(name), name, parent_reference=first.parent_reference
        )
        for name in ("r-1", "r-2")
    }
    ports = {"webhooks": {"scripted": _SaidInBody(said)}, "orders": _SavedTogether(shop.orders)}
    core = shop.assembled(**ports)
    await gather(*[core.receive_webhook("scripted", name, {}) for name in said])
    order = await shop.orders.get(order.id)

    undone = not isinstance(tells("r-1"), Succeeded)
    assert order.refunded_minor_units == (0 if undone else before)
    names = {t.provider_reference for t in order.transactions}
    assert {"r-1", "r-2"} <= names
