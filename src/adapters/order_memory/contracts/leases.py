"""What a repository must do about leases that come and go with a save."""

from dataclasses import replace

from order_core.order import Order
from order_core.ports import Lease, OrderRepository
from order_memory.contracts import samples
from order_memory.contracts.stores import LONGER_THAN_SHORT, SHORT, StoreSuite, a_lease

_REQUEST = samples.a_request("k-lease")


class LeaseSuite(StoreSuite):
    """One holder at a time, by the store's own clock."""

    async def held_by_one(
        self, orders: OrderRepository, *, by_request: bool = True
    ) -> tuple[Order, Lease]:
        """A stored order with a request, and the lease that somebody has on it."""
        order = samples.an_order(self.now())
        lease = a_lease(order, "mine", by_request=by_request)
        saved = await orders.save(order, request=_REQUEST, take=lease)
        assert saved.holds_lease
        return saved.order, lease

    async def is_free(self, orders: OrderRepository, order: Order) -> bool:
        """Whether a lease on the order can be had. If so, it is had."""
        current = await orders.get(order.id)
        return (await orders.save(current, take=a_lease(order, "another's"))).holds_lease

    async def in_progress(self, orders: OrderRepository) -> bool:
        """Whether the request that made the order still runs."""
        found = await orders.find_request(_REQUEST.customer_id, _REQUEST.route, _REQUEST.key)
        assert found is not None
        return found.in_progress

    async def test_a_lease_that_is_held_is_not_given_twice(self, orders: OrderRepository) -> None:
        order, _ = await self.held_by_one(orders)

        changed = replace(order, email="new@example.com")
        saved = await orders.save(changed, take=a_lease(order, "another's"))

        assert not saved.holds_lease
        assert (await orders.get(order.id)).email == "new@example.com"

    async def test_a_lease_ends_by_itself(self, orders: OrderRepository) -> None:
        order = samples.an_order(self.now())
        await orders.save(order, take=a_lease(order, "mine", lasts=SHORT))
        await self.pass_time(LONGER_THAN_SHORT)

        assert await self.is_free(orders, order)

    async def test_a_lease_ends_with_the_save_that_releases_it(
        self, orders: OrderRepository
    ) -> None:
        order, lease = await self.held_by_one(orders)

        await orders.save(order, release=lease)

        assert await self.is_free(orders, order)

    async def test_another_lease_is_not_released(self, orders: OrderRepository) -> None:
        order, lease = await self.held_by_one(orders)

        await orders.save(order, release=replace(lease, token="another's"))  # noqa: S106

        assert not await self.is_free(orders, order)

    async def test_a_lease_that_ended_does_not_release_the_next(
        self, orders: OrderRepository
    ) -> None:
        order = samples.an_order(self.now())
        old = a_lease(order, "old", lasts=SHORT)
        first = (await orders.save(order, take=old)).order
        await self.pass_time(LONGER_THAN_SHORT)
        second = (await orders.save(first, take=a_lease(order, "new"))).order

        await orders.save(second, release=old)

        assert not await self.is_free(orders, order)

    async def test_a_save_leaves_a_foreign_lease_alone(self, orders: OrderRepository) -> None:
        order, _ = await self.held_by_one(orders)

        await orders.save(replace(order, email="new@example.com"))

        assert not await self.is_free(orders, order)
        assert await self.in_progress(orders)

    async def test_a_request_is_in_progress_while_its_lease_lasts(
        self, orders: OrderRepository
    ) -> None:
        order, lease = await self.held_by_one(orders)
        running = await self.in_progress(orders)

        await orders.save(order, release=lease)

        assert (running, await self.in_progress(orders)) == (True, False)

    async def test_a_request_whose_lease_ended_is_not_in_progress(
        self, orders: OrderRepository
    ) -> None:
        order = samples.an_order(self.now())
        await orders.save(order, request=_REQUEST, take=a_lease(order, "mine", lasts=SHORT))
        await self.pass_time(LONGER_THAN_SHORT)

        assert not await self.in_progress(orders)

    async def test_a_workers_lease_is_no_request(self, orders: OrderRepository) -> None:
        order, _ = await self.held_by_one(orders, by_request=False)

        assert not await self.in_progress(orders)
        assert not await self.is_free(orders, order)
