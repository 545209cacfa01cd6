"""What a repository must do about orders as their owners see them."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from order_core.errors import OrderNotFound
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports import OrderQuery, OrderRepository, ViewedOrder, ViewedPage
from order_memory.contracts import samples
from order_memory.contracts.stores import StoreSuite

_HOUR: Final = timedelta(hours=1)


class SampleView:
    """An `OwnerView` whose text tells of every change."""

    def __init__(self, edition: str) -> None:
        self.edition = edition

    def text_of(self, order: Order, /) -> str:
        """Differs for two orders that differ in what an owner is shown."""
        charge = order.charge
        lines = order.shipping_address.lines if order.shipping_address else None
        told = (order.id, order.status.value, order.email, lines, order.payment_status.value)
        return f"{self.edition} {told} {charge.status.value} {charge.reason}"


VIEW: Final = SampleView("sample-1")
"""A store that keeps texts is given this one by its tests."""
OTHER_VIEW: Final = SampleView("sample-2")


class ViewSuite(StoreSuite):
    """What is shown is the stored order as it is now, whenever it was written down."""

    async def test_an_order_is_shown_as_the_view_writes_it(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.the_fullest_order(self.now()))).order

        shown = await orders.show(order.id, VIEW)

        assert shown == ViewedOrder.of(order, VIEW)
        assert shown.text == VIEW.text_of(await orders.get(order.id))

    async def test_a_change_shows_at_once(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.a_placed_order(self.now()))).order
        before = await orders.show(order.id, VIEW)

        later = (await orders.save(replace(order, status=OrderStatus.CANCELLED, email=None))).order

        assert await orders.show(order.id, VIEW) == ViewedOrder.of(later, VIEW) != before

    async def test_another_edition_is_written_anew(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.a_placed_order(self.now()))).order

        assert (await orders.show(order.id, OTHER_VIEW)).text == OTHER_VIEW.text_of(order)
        page = await orders.show_list(OrderQuery("ann"), OTHER_VIEW)
        assert page.texts == (OTHER_VIEW.text_of(order),)

    async def test_an_order_that_waits_for_its_payment_is_shown_too(
        self, orders: OrderRepository
    ) -> None:
        order = (await orders.save(samples.an_order(self.now()))).order

        assert order.status is OrderStatus.AWAITING_PAYMENT
        assert (await orders.show(order.id, VIEW)).text == VIEW.text_of(order)

    async def test_an_unknown_order_is_not_shown(self, orders: OrderRepository) -> None:
        with pytest.raises(OrderNotFound):
            await orders.show("nobody-has-this-id", VIEW)

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    async def test_a_list_is_shown_in_the_order_of_the_list(
        self, orders: OrderRepository, limit: int
    ) -> None:
        at = self.now()
        for hours in (3, 1, 2):
            await orders.save(samples.a_placed_order(at - hours * _HOUR))
        query = OrderQuery("ann", limit=limit)
        page = await orders.list(query)

        shown = await orders.show_list(query, VIEW)

        assert shown == ViewedPage(tuple(map(VIEW.text_of, page.orders)), page.next_before)
        assert (shown.next_before is None) is (limit >= 3)

    async def test_a_list_of_old_and_new_texts_is_whole(self, orders: OrderRepository) -> None:
        at = self.now()
        await orders.save(samples.a_placed_order(at))
        await orders.save(samples.an_order(at - _HOUR))
        query = OrderQuery("ann", statuses=frozenset(OrderStatus))
        page = await orders.list(query)

        shown = await orders.show_list(query, VIEW)

        assert shown.texts == tuple(map(VIEW.text_of, page.orders))
        assert len(shown.texts) == 2
