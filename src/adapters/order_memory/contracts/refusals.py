"""What a store must refuse, and that a refusal leaves nothing behind."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from order_core.errors import (
    IdempotencyKeyReused,
    OrderNotFound,
    PaymentMethodInUse,
    PaymentReferenceTaken,
    PossibleDuplicate,
)
from order_core.events import OrderPlaced, ProcessingBegan
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import Origin, TransactionKind, TransactionStatus
from order_core.ports import DuplicateGuard, OrderRepository
from order_memory.contracts import samples
from order_memory.contracts.samples import a_request
from order_memory.contracts.stores import LONG, LONGER_THAN_SHORT, SHORT, StoreSuite, a_lease

_GUARD = DuplicateGuard("two mugs to Kiel", LONG)
_ROUTE = a_request("any").route
_LATE = "order-placed-late"
_BEGAN = ProcessingBegan("staff")


class RefusalSuite(StoreSuite):
    """Repeated keys, double clicks, and money that is another order's."""

    async def is_missing(self, orders: OrderRepository, order: Order) -> bool:
        """Whether nothing of the order was stored."""
        with suppress(OrderNotFound):
            await orders.get(order.id)
            return False
        with suppress(OrderNotFound):
            await orders.history(order.id)
            return False
        return True

    # Idempotency keys ---------------------------------------------------------------------

    async def test_a_request_is_remembered_with_its_order(self, orders: OrderRepository) -> None:
        order, request = samples.an_order(self.now()), a_request("k-1")

        saved = await orders.save(order, request=request)

        found = await orders.find_request("ann", _ROUTE, "k-1")
        assert found is not None
        assert (found.record, found.order, found.in_progress) == (request, saved.order, False)

    async def test_an_earlier_request_shows_its_order_as_it_is_now(
        self, orders: OrderRepository
    ) -> None:
        order = (await orders.save(samples.an_order(self.now()), request=a_request("k-1"))).order

        cancelled = (await orders.save(order.moved_to(OrderStatus.CANCELLED))).order

        found = await orders.find_request("ann", _ROUTE, "k-1")
        assert found is not None
        assert found.order == cancelled

    async def test_a_key_is_one_customers_on_one_route(self, orders: OrderRepository) -> None:
        await orders.save(samples.an_order(self.now()), request=a_request("k-1"))

        assert await orders.find_request("ann", _ROUTE, "k-2") is None
        assert await orders.find_request("bob", _ROUTE, "k-1") is None
        assert await orders.find_request("ann", "POST /elsewhere", "k-1") is None
        for other in ({"customer_id": "bob"}, {"route": "POST /elsewhere"}):
            await orders.save(samples.an_order(self.now()), request=a_request("k-1", **other))

    async def test_a_request_that_changes_an_order_is_remembered_too(
        self, orders: OrderRepository
    ) -> None:
        order = (await orders.save(samples.an_order(self.now()), request=a_request("k-1"))).order
        cancel = a_request("k-2", route="POST /cancel")

        await orders.save(order.moved_to(OrderStatus.CANCELLED), request=cancel)

        found = await orders.find_request("ann", "POST /cancel", "k-2")
        assert found is not None
        assert (found.record, found.order.id) == (cancel, order.id)

    async def test_a_repeated_key_stores_nothing(self, orders: OrderRepository) -> None:
        first = (await orders.save(samples.an_order(self.now()), request=a_request("k-1"))).order
        again = samples.an_order(self.now())

        with pytest.raises(IdempotencyKeyReused):
            await orders.save(again, request=a_request("k-1", body_fingerprint="another body"))

        assert await self.is_missing(orders, again)
        found = await orders.find_request("ann", _ROUTE, "k-1")
        assert found is not None
        assert (found.record, found.order) == (a_request("k-1"), first)

    async def test_a_repeated_key_is_told_before_any_other_refusal(
        self, orders: OrderRepository
    ) -> None:
        charge = {"single_use_fingerprint": "f1" * 32, "provider_reference": "pay_1"}
        first = samples.an_order(self.now(), charge=charge)
        await orders.save(first, request=a_request("k-1"), guard=_GUARD)

        with pytest.raises(IdempotencyKeyReused):
            await orders.save(
                samples.an_order(self.now(), charge=charge),
                request=a_request("k-1"),
                guard=_GUARD,
            )

    async def test_of_many_requests_with_one_key_at_once_one_is_stored(
        self, orders: OrderRepository
    ) -> None:
        new = [samples.an_order(self.now()) for _ in range(5)]

        results = await asyncio.gather(
            *(orders.save(order, request=a_request("k-1")) for order in new),
            return_exceptions=True,
        )

        refused = [result for result in results if isinstance(result, IdempotencyKeyReused)]
        missing = [order for order in new if await self.is_missing(orders, order)]
        assert (len(refused), len(missing)) == (4, 4)

    # Double clicks ------------------------------------------------------------------------

    async def test_a_double_click_is_refused(self, orders: OrderRepository) -> None:
        await orders.save(samples.an_order(self.now()), guard=_GUARD)
        again = samples.an_order(self.now())

        with pytest.raises(PossibleDuplicate) as refusal:
            await orders.save(again, request=a_request("k-2"), guard=_GUARD)

        assert refusal.value.window_seconds == LONG.total_seconds()
        assert await self.is_missing(orders, again)
        assert await orders.find_request("ann", _ROUTE, "k-2") is None

    async def test_of_many_equal_orders_at_once_one_is_stored(
        self, orders: OrderRepository
    ) -> None:
        new = [samples.an_order(self.now()) for _ in range(5)]

        results = await asyncio.gather(
            *(orders.save(order, guard=_GUARD) for order in new), return_exceptions=True
        )

        refused = [result for result in results if isinstance(result, PossibleDuplicate)]
        assert len(refused) == 4

    async def placed_and_its_window_over(self, orders: OrderRepository) -> DuplicateGuard:
        """The guard of an order that was placed so long ago that an equal one is meant."""
        guard = replace(_GUARD, window=SHORT)
        opened = (await orders.save(samples.an_order(self.now()), guard=guard)).order
        paid = opened.charge.finished(TransactionStatus.SUCCEEDED, reference="pay_1")
        await orders.save(replace(opened.with_transaction(paid), status=OrderStatus.PENDING))
        await self.pass_time(LONGER_THAN_SHORT)
        return guard

    async def test_an_equal_order_after_the_window_is_meant(self, orders: OrderRepository) -> None:
        guard = await self.placed_and_its_window_over(orders)

        await orders.save(samples.an_order(self.now()), guard=guard)

    async def test_what_a_click_waited_before_is_no_part_of_the_window(
        self, orders: OrderRepository
    ) -> None:
        guard = await self.placed_and_its_window_over(orders)
        late = samples.an_order(self.now())

        with pytest.raises(PossibleDuplicate):
            await orders.save(late, guard=replace(guard, waited=LONG))
        assert await self.is_missing(orders, late)

    async def test_an_equal_order_after_the_window_is_a_double_click_while_the_first_is_open(
        self, orders: OrderRepository
    ) -> None:
        guard = replace(_GUARD, window=SHORT)
        await orders.save(samples.an_order(self.now()), guard=guard)
        await self.pass_time(LONGER_THAN_SHORT)

        with pytest.raises(PossibleDuplicate):
            await orders.save(samples.an_order(self.now()), guard=guard)

    async def with_first_try(
        self, orders: OrderRepository, status: TransactionStatus, token: str | None
    ) -> DuplicateGuard:
        """A guard whose window ended after an equal order, which waits for its payment still."""
        guard = replace(_GUARD, window=SHORT)
        charge = {"status": status, "single_use_fingerprint": token}
        await orders.save(samples.an_order(self.now(), charge=charge), guard=guard)
        await self.pass_time(LONGER_THAN_SHORT)
        return guard

    async def test_a_buyer_who_does_not_approve_may_try_another_card_after_the_window(
        self, orders: OrderRepository
    ) -> None:
        guard = await self.with_first_try(orders, TransactionStatus.ACTION_REQUIRED, "0a" * 32)
        next_try = samples.an_order(self.now(), charge={"single_use_fingerprint": "0b" * 32})

        await orders.save(next_try, guard=guard)

    @pytest.mark.parametrize(
        "status",
        [TransactionStatus.RECORDED, TransactionStatus.UNKNOWN, TransactionStatus.PENDING],
    )
    async def test_a_payment_that_may_succeed_by_itself_is_no_reason_for_another_card(
        self, orders: OrderRepository, status: TransactionStatus
    ) -> None:
        guard = await self.with_first_try(orders, status, "0a" * 32)
        next_try = samples.an_order(self.now(), charge={"single_use_fingerprint": "0b" * 32})

        with pytest.raises(PossibleDuplicate):
            await orders.save(next_try, guard=guard)

    async def test_the_same_payment_method_needs_no_second_approval(
        self, orders: OrderRepository
    ) -> None:
        guard = await self.with_first_try(orders, TransactionStatus.ACTION_REQUIRED, None)

        with pytest.raises(PossibleDuplicate):
            await orders.save(samples.an_order(self.now()), guard=guard)

    async def test_a_buyer_who_clicks_twice_before_he_approves_has_one_order(
        self, orders: OrderRepository
    ) -> None:
        first, again = (
            {"status": TransactionStatus.ACTION_REQUIRED, "single_use_fingerprint": token * 32}
            for token in ("0a", "0b")
        )
        await orders.save(samples.an_order(self.now(), charge=first), guard=_GUARD)

        with pytest.raises(PossibleDuplicate):
            await orders.save(samples.an_order(self.now(), charge=again), guard=_GUARD)

    async def test_another_content_is_another_order(self, orders: OrderRepository) -> None:
        await orders.save(samples.an_order(self.now()), guard=_GUARD)

        await orders.save(
            samples.an_order(self.now()), guard=replace(_GUARD, content_fingerprint="one cup")
        )

    async def test_an_equal_order_without_guard_is_stored(self, orders: OrderRepository) -> None:
        await orders.save(samples.an_order(self.now()), guard=_GUARD)

        await orders.save(samples.an_order(self.now()))

    @pytest.mark.parametrize("status", [OrderStatus.PAYMENT_FAILED, OrderStatus.CANCELLED])
    async def test_an_order_that_came_to_nothing_is_no_double_click(
        self, orders: OrderRepository, status: OrderStatus
    ) -> None:
        order = samples.an_order(self.now())
        opened = (await orders.save(order, guard=_GUARD)).order
        declined = opened.charge.finished(TransactionStatus.DECLINED, reason="expired_card")
        await orders.save(replace(opened.with_transaction(declined), status=status))

        await orders.save(samples.an_order(self.now()), guard=_GUARD)

    async def test_a_double_click_is_one_after_the_first_was_placed_too(
        self, orders: OrderRepository
    ) -> None:
        opened = (await orders.save(samples.an_order(self.now()), guard=_GUARD)).order
        paid = opened.charge.finished(TransactionStatus.SUCCEEDED, reference="pay_1")
        await orders.save(replace(opened.with_transaction(paid), status=OrderStatus.PENDING))

        with pytest.raises(PossibleDuplicate):
            await orders.save(samples.an_order(self.now()), guard=_GUARD)

    async def test_the_window_also_counts_from_when_the_first_was_placed(
        self, orders: OrderRepository
    ) -> None:
        guard = await self.with_late_placing(orders)

        with pytest.raises(PossibleDuplicate):
            await orders.save(samples.an_order(self.now()), guard=guard)

    async def test_what_became_of_the_first_after_it_was_placed_prolongs_no_window(
        self, orders: OrderRepository
    ) -> None:
        guard = await self.with_late_placing(orders)
        await self.pass_time(LONGER_THAN_SHORT)
        processed = (await orders.get(_LATE)).moved_to(OrderStatus.PROCESSING)
        await orders.save(processed.with_news(_BEGAN, self.now()))

        await orders.save(samples.an_order(self.now()), guard=guard)

    @pytest.mark.parametrize("fast", [-1, 1])
    async def test_the_clocks_of_two_processes_do_not_measure_the_window(
        self, orders: OrderRepository, fast: int
    ) -> None:
        first = samples.an_order(self.now() + fast * 2 * LONG)
        opened = (await orders.save(first, guard=_GUARD)).order
        paid = opened.charge.finished(TransactionStatus.SUCCEEDED, reference="pay_1")
        pending = replace(opened.with_transaction(paid), status=OrderStatus.PENDING)
        placed = OrderPlaced(paid.id, "pay_1")
        await orders.save(pending.with_news(placed, first.created_at))

        with pytest.raises(PossibleDuplicate):
            await orders.save(samples.an_order(self.now()), guard=_GUARD)

    async def with_late_placing(self, orders: OrderRepository) -> DuplicateGuard:
        """A guard whose window has passed since an equal order was opened, not since placed."""
        guard = replace(_GUARD, window=SHORT)
        order = samples.an_order(self.now(), order_id=_LATE)
        opened = (await orders.save(order, guard=guard)).order
        await self.pass_time(LONGER_THAN_SHORT)
        paid = opened.charge.finished(TransactionStatus.SUCCEEDED, reference="pay_1")
        pending = replace(opened.with_transaction(paid), status=OrderStatus.PENDING)
        await orders.save(pending.with_news(OrderPlaced(paid.id, "pay_1"), self.now()))
        return guard

    # A payment pays one order -------------------------------------------------------------

    async def test_a_token_that_pays_once_pays_one_order(self, orders: OrderRepository) -> None:
        await orders.save(samples.an_order(self.now(), charge=_once()))
        second = samples.an_order(self.now(), charge=_once())

        with pytest.raises(PaymentMethodInUse):
            await orders.save(second, request=a_request("k-2"))

        assert await self.is_missing(orders, second)
        assert await orders.find_request("ann", _ROUTE, "k-2") is None

    async def test_of_many_orders_with_one_token_at_once_one_is_stored(
        self, orders: OrderRepository
    ) -> None:
        new = [samples.an_order(self.now(), charge=_once()) for _ in range(5)]

        results = await asyncio.gather(*map(orders.save, new), return_exceptions=True)

        refused = [result for result in results if isinstance(result, PaymentMethodInUse)]
        assert len(refused) == 4

    @pytest.mark.parametrize("status", [TransactionStatus.DECLINED, TransactionStatus.FAILED])
    async def test_a_token_whose_charge_never_was_can_pay_another_order(
        self, orders: OrderRepository, status: TransactionStatus
    ) -> None:
        await self.with_ended_charge(orders, status)

        await orders.save(samples.an_order(self.now(), charge=_once()))

    async def test_a_token_whose_charge_was_voided_is_used_up(
        self, orders: OrderRepository
    ) -> None:
        await self.with_ended_charge(orders, TransactionStatus.VOIDED)

        with pytest.raises(PaymentMethodInUse):
            await orders.save(samples.an_order(self.now(), charge=_once()))

    async def with_ended_charge(self, orders: OrderRepository, status: TransactionStatus) -> None:
        """An order whose charge of the single-use token ended like this."""
        first = (await orders.save(samples.an_order(self.now(), charge=_once()))).order
        ended = first.charge.finished(status, reason="ended")
        failed = replace(first.with_transaction(ended), status=OrderStatus.PAYMENT_FAILED)
        await orders.save(failed)

    async def test_a_payment_pays_one_order(self, orders: OrderRepository) -> None:
        await orders.save(samples.a_placed_order(self.now(), order_id="first"))
        second = (await orders.save(samples.an_order(self.now()))).order
        paid = second.charge.finished(TransactionStatus.SUCCEEDED, reference="ref-first")

        with pytest.raises(PaymentReferenceTaken) as refusal:
            await orders.save(
                replace(second.with_transaction(paid), status=OrderStatus.PENDING),
                take=a_lease(second, "mine"),
            )

        assert refusal.value.provider_reference == "ref-first"
        assert await orders.get(second.id) == second
        assert (await orders.save(second, take=a_lease(second, "next"))).holds_lease

    @pytest.mark.parametrize("other", [{"provider": "elsewhere"}, {"account": "another"}])
    async def test_equal_references_elsewhere_are_other_payments(
        self, orders: OrderRepository, other: dict[str, str]
    ) -> None:
        await orders.save(samples.an_order(self.now(), charge={"provider_reference": "pay_1"}))

        await orders.save(
            samples.an_order(self.now(), charge={"provider_reference": "pay_1", **other})
        )

    async def test_an_order_keeps_its_own_payment(self, orders: OrderRepository) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order

        again = (await orders.save(replace(placed, email="new@example.com"))).order

        assert again.charge == placed.charge

    async def test_the_payment_of_a_declined_charge_is_free(self, orders: OrderRepository) -> None:
        ended = samples.an_order_that_ended(
            self.now(), OrderStatus.PAYMENT_FAILED, charge={"provider_reference": "pay_1"}
        )
        await orders.save(ended)

        await orders.save(samples.an_order(self.now(), charge={"provider_reference": "pay_1"}))

    async def test_references_bind_charges_and_not_refunds(self, orders: OrderRepository) -> None:
        placed = [(await orders.save(samples.a_placed_order(self.now()))).order for _ in range(2)]
        refunds = [samples.a_refund(order.charge, provider_reference="re_1") for order in placed]

        for order, refund in zip(placed, refunds, strict=True):
            await orders.save(order.with_transaction(refund))

        stored = [(await orders.get(order.id)).transactions[1] for order in placed]
        assert stored == refunds

    # Sums that cannot be ------------------------------------------------------------------

    async def test_a_second_live_charge_of_ours_is_never_stored(
        self, orders: OrderRepository
    ) -> None:
        order = (await orders.save(samples.an_order(self.now()))).order

        # Which error is the store's own affair: no use case of ours gets here.
        with suppress(Exception):
            await orders.save(order.with_transaction(samples.a_charge(order.id, self.now())))

        assert (await orders.get(order.id)).transactions == order.transactions

    async def test_a_second_debit_that_the_provider_brought_is_stored(
        self, orders: OrderRepository
    ) -> None:
        order = (await orders.save(samples.a_placed_order(self.now()))).order
        debit = samples.a_charge(
            order.id,
            self.now(),
            token=None,
            status=TransactionStatus.SUCCEEDED,
            origin=Origin.PROVIDER,
            provider_reference="pay_9",
            review="not_asked_for",
        )

        saved = (await orders.save(order.with_transaction(debit))).order

        assert saved.transactions == (order.charge, debit)

    async def test_more_back_than_was_taken_is_never_stored(self, orders: OrderRepository) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order
        once = (await orders.save(placed.with_transaction(samples.a_refund(placed.charge)))).order

        with suppress(Exception):
            await orders.save(once.with_transaction(samples.a_refund(placed.charge)))

        kinds = [t.kind for t in (await orders.get(placed.id)).transactions]
        assert kinds == [TransactionKind.CHARGE, TransactionKind.REFUND]

    async def test_a_declined_refund_leaves_room_for_another(self, orders: OrderRepository) -> None:
        placed = (await orders.save(samples.a_placed_order(self.now()))).order
        declined = samples.a_refund(placed.charge, status=TransactionStatus.DECLINED)
        once = (await orders.save(placed.with_transaction(declined))).order

        saved = await orders.save(once.with_transaction(samples.a_refund(placed.charge)))

        assert saved.order.refund_asked_minor_units == placed.captured_minor_units


def _once() -> dict[str, str]:
    return {"single_use_fingerprint": "0f" * 32}
