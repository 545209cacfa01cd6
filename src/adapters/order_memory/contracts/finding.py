"""What a repository must do when an order is looked for by its money."""

from dataclasses import replace
from datetime import timedelta

import pytest

from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import (
    DEAD_STATUSES,
    OPEN_STATUSES,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.ports import OrderRepository
from order_memory.contracts import samples
from order_memory.contracts.stores import StoreSuite

_MINUTE = timedelta(minutes=1)
_FINAL = frozenset(TransactionStatus) - OPEN_STATUSES - {TransactionStatus.IN_REVIEW}


class FindingSuite(StoreSuite):
    """Who brings a fact finds its order; who looks for work finds all of it."""

    async def with_reference(
        self,
        orders: OrderRepository,
        reference: str,
        status: TransactionStatus = TransactionStatus.SUCCEEDED,
        **charge: object,
    ) -> Order:
        """A stored order whose charge has this reference and status."""
        order = samples.an_order(
            self.now(), charge={"provider_reference": reference, "status": status, **charge}
        )
        return (await orders.save(order)).order

    async def adding(
        self, orders: OrderRepository, order: Order, *more: PaymentTransaction
    ) -> Order:
        """The order, stored with these transactions too."""
        for transaction in more:
            order = order.with_transaction(transaction)
        return (await orders.save(order)).order

    # By transaction -----------------------------------------------------------------------

    async def test_an_order_is_found_by_each_of_its_transactions(
        self, orders: OrderRepository
    ) -> None:
        await orders.save(samples.a_placed_order(self.now()))
        placed = (await orders.save(samples.a_placed_order(self.now()))).order
        refund = samples.a_refund(placed.charge)
        refunding = await self.adding(orders, placed, refund)

        assert await orders.find_by_transaction(placed.charge.id) == refunding
        assert await orders.find_by_transaction(refund.id) == refunding

    async def test_an_unknown_transaction_has_no_order(self, orders: OrderRepository) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order

        assert await orders.find_by_transaction("charge-of-nobody") is None
        assert await orders.find_by_transaction(placed.id) is None
        assert await orders.find_by_transaction(f"ref-{placed.id}") is None

    # By reference -------------------------------------------------------------------------

    @pytest.mark.parametrize("kind", [TransactionKind.CHARGE, TransactionKind.AUTHORIZATION])
    @pytest.mark.parametrize("status", sorted(set(TransactionStatus) - DEAD_STATUSES))
    async def test_an_order_is_found_by_its_live_payment(
        self, orders: OrderRepository, kind: TransactionKind, status: TransactionStatus
    ) -> None:
        order = await self.with_reference(orders, "pay_1", status, kind=kind)
        await self.with_reference(orders, "pay_2")

        assert await orders.find_by_reference("scripted", "test", "pay_1") == order

    async def test_an_order_is_found_by_its_capture(self, orders: OrderRepository) -> None:
        held = await self.with_reference(
            orders, "auth_1", TransactionStatus.AUTHORIZED, kind=TransactionKind.AUTHORIZATION
        )
        capturing = await self.adding(
            orders, held, samples.a_capture(held.charge, provider_reference="cap_1")
        )

        assert await orders.find_by_reference("scripted", "test", "cap_1") == capturing
        assert await orders.find_by_reference("scripted", "test", "auth_1") == capturing

    async def test_a_capture_may_have_the_reference_of_what_it_captures(
        self, orders: OrderRepository
    ) -> None:
        held = await self.with_reference(
            orders, "pay_1", TransactionStatus.AUTHORIZED, kind=TransactionKind.AUTHORIZATION
        )
        capturing = await self.adding(
            orders, held, samples.a_capture(held.charge, provider_reference="pay_1")
        )

        assert await orders.find_by_reference("scripted", "test", "pay_1") == capturing

    @pytest.mark.parametrize(
        "elsewhere",
        [
            ("another", "test", "pay_1"),
            ("scripted", "live", "pay_1"),
            ("scripted", "test", "PAY_1"),
        ],
    )
    async def test_an_equal_reference_elsewhere_is_another_payment(
        self, orders: OrderRepository, elsewhere: tuple[str, str, str]
    ) -> None:
        await self.with_reference(orders, "pay_1")

        assert await orders.find_by_reference(*elsewhere) is None

    @pytest.mark.parametrize(
        "kind", [TransactionKind.REFUND, TransactionKind.VOID, TransactionKind.REVERSAL]
    )
    async def test_what_gives_money_back_is_no_payment(
        self, orders: OrderRepository, kind: TransactionKind
    ) -> None:
        paid = await self.with_reference(orders, "pay_1")
        back = samples.a_refund(paid.charge, kind=kind, provider_reference="back_1")
        await self.adding(orders, paid, back)

        assert await orders.find_by_reference("scripted", "test", "back_1") is None

    @pytest.mark.parametrize("status", sorted(DEAD_STATUSES))
    async def test_an_order_is_found_by_a_dead_payment_if_none_is_alive(
        self, orders: OrderRepository, status: TransactionStatus
    ) -> None:
        dead = await self.with_reference(orders, "pay_1", status)

        assert await orders.find_by_reference("scripted", "test", "pay_1") == dead

    @pytest.mark.parametrize("status", sorted(DEAD_STATUSES))
    @pytest.mark.parametrize("older_by", [_MINUTE, -_MINUTE])
    async def test_the_order_whose_payment_is_alive_comes_before_the_dead(
        self, orders: OrderRepository, status: TransactionStatus, older_by: timedelta
    ) -> None:
        at = self.now()
        await self.with_reference(orders, "pay_1", status, recorded_at=at - older_by)
        alive = await self.with_reference(orders, "pay_1", recorded_at=at)
        await self.with_reference(orders, "pay_1", status, recorded_at=at - older_by)

        assert await orders.find_by_reference("scripted", "test", "pay_1") == alive

    async def test_of_dead_payments_the_newest_is_meant(self, orders: OrderRepository) -> None:
        at, dead = self.now(), TransactionStatus.FAILED
        await self.with_reference(orders, "pay_1", dead, recorded_at=at - 2 * _MINUTE)
        newest = await self.with_reference(orders, "pay_1", dead, recorded_at=at)
        await self.with_reference(orders, "pay_1", dead, recorded_at=at - _MINUTE)

        assert await orders.find_by_reference("scripted", "test", "pay_1") == newest

    async def test_a_late_success_is_found_beside_its_dead_charge(
        self, orders: OrderRepository
    ) -> None:
        dead = await self.with_reference(orders, "pay_1", TransactionStatus.FAILED)
        late = replace(dead.charge, id="late-1", status=TransactionStatus.SUCCEEDED)
        both = await self.adding(orders, dead, replace(late, origin=Origin.PROVIDER))

        assert await orders.find_by_reference("scripted", "test", "pay_1") == both

    async def test_a_reference_that_came_later_is_found(self, orders: OrderRepository) -> None:
        order = (await orders.save(samples.an_order(self.now()))).order
        before = await orders.find_by_reference("scripted", "test", "pay_1")
        named = replace(order.charge, provider_reference="pay_1")
        stored = await self.adding(orders, order, named)

        assert before is None
        assert await orders.find_by_reference("scripted", "test", "pay_1") == stored

    # Unfinished ---------------------------------------------------------------------------

    @pytest.mark.parametrize("status", sorted({*OPEN_STATUSES, TransactionStatus.IN_REVIEW}))
    async def test_an_order_with_an_open_or_reviewed_transaction_is_unfinished(
        self, orders: OrderRepository, status: TransactionStatus
    ) -> None:
        order = await self.with_reference(orders, "pay_1", status)

        assert await orders.unfinished(limit=10) == (order,)

    @pytest.mark.parametrize("status", sorted(_FINAL))
    async def test_an_order_with_a_final_transaction_is_finished(
        self, orders: OrderRepository, status: TransactionStatus
    ) -> None:
        await self.with_reference(orders, "pay_1", status)

        assert await orders.unfinished(limit=10) == ()

    @pytest.mark.parametrize("status", sorted(_FINAL))
    async def test_an_order_waits_for_the_person_who_reviews_it(
        self, orders: OrderRepository, status: TransactionStatus
    ) -> None:
        order = await self.with_reference(orders, "pay_1", status, review="wrong_amount")
        waiting = await orders.unfinished(limit=10)
        await self.adding(orders, order, replace(order.charge, review=None))

        assert waiting == (order,)
        assert await orders.unfinished(limit=10) == ()

    async def test_an_open_refund_makes_a_cancelled_order_unfinished(
        self, orders: OrderRepository
    ) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order
        before = await orders.unfinished(limit=10)
        cancelled = placed.moved_to(OrderStatus.CANCELLED)
        refunding = await self.adding(orders, cancelled, samples.a_refund(placed.charge))

        assert before == ()
        assert await orders.unfinished(limit=10) == (refunding,)

    async def test_the_order_that_waits_longest_comes_first(self, orders: OrderRepository) -> None:
        at = self.now()
        # Made in another order than that of their waiting, and of their own age.
        middle = await self.with_reference(
            orders, "pay_1", TransactionStatus.UNKNOWN, recorded_at=at - 2 * _MINUTE
        )
        last = await self.with_reference(
            orders, "pay_2", TransactionStatus.PENDING, recorded_at=at - _MINUTE
        )
        first = await self.with_reference(
            orders, "pay_3", TransactionStatus.IN_REVIEW, recorded_at=at - 3 * _MINUTE
        )

        assert await orders.unfinished(limit=10) == (first, middle, last)
        assert await orders.unfinished(limit=2) == (first, middle)

    async def test_an_order_waits_since_its_oldest_open_transaction_and_is_listed_once(
        self, orders: OrderRepository
    ) -> None:
        at = self.now()
        # Its charge is older than anything here, but settled.
        paid = await self.with_reference(orders, "pay_1", recorded_at=at - 9 * _MINUTE)
        refunds = [
            samples.a_refund(
                paid.charge,
                amount=replace(paid.charge.amount, minor_units=100 + minutes),
                recorded_at=at - minutes * _MINUTE,
            )
            for minutes in (1, 4)
        ]
        second = await self.adding(orders, paid, *refunds)
        first = await self.with_reference(
            orders, "pay_2", TransactionStatus.PENDING, recorded_at=at - 5 * _MINUTE
        )
        third = await self.with_reference(
            orders, "pay_3", TransactionStatus.PENDING, recorded_at=at - 3 * _MINUTE
        )

        assert await orders.unfinished(limit=10) == (first, second, third)
        assert await orders.unfinished(limit=2) == (first, second)

    # A reversal ---------------------------------------------------------------------------

    async def test_money_that_the_provider_moved_back_is_stored(
        self, orders: OrderRepository
    ) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order
        dispute = samples.a_refund(
            placed.charge,
            kind=TransactionKind.REVERSAL,
            origin=Origin.PROVIDER,
            status=TransactionStatus.SUCCEEDED,
            provider_reference="dispute_1",
            review="disputed",
        )

        stored = await self.adding(orders, placed, dispute)

        assert (await orders.get(placed.id)).transactions == (placed.charge, dispute)
        assert await orders.find_by_transaction(dispute.id) == stored
