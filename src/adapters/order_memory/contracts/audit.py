"""What an audit must show."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from order_core.events import OrderCancelled
from order_core.invariants import StoredTotals
from order_core.invariants_across import STORED, Claim, ClaimKind
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import Origin, TransactionStatus
from order_core.ports import AuditedOrder, OrderAudit, ReceivedEvent
from order_memory.contracts import samples
from order_memory.contracts.stores import LONG, Stores, StoreSuite

_SECOND: Final = timedelta(seconds=1)


class OrderAuditContract(StoreSuite):
    """Everything that is stored is shown once, in bounded pages. Override `audit` too."""

    @pytest.fixture
    async def audit(self, stores: Stores) -> OrderAudit:
        """The audit of the empty store."""
        raise NotImplementedError

    async def stored(self, stores: Stores, *orders: Order) -> list[Order]:
        """These orders as they are stored."""
        return [(await stores.orders.save(order)).order for order in orders]

    async def all_orders(
        self, audit: OrderAudit, *, limit: int = 10, told_by: datetime | None = None
    ) -> list[AuditedOrder]:
        """What the pages hold together."""
        seen: list[AuditedOrder] = []
        while True:
            after = seen[-1].order_id if seen else ""
            page = await audit.orders(after=after, limit=limit, told_by=told_by or self.now())
            assert len(page) <= limit
            seen.extend(page)
            if len(page) < limit:
                return seen

    # Orders -------------------------------------------------------------------------------

    async def test_nothing_is_stored_at_first(self, audit: OrderAudit) -> None:
        assert await audit.count_orders() == 0
        assert await self.all_orders(audit) == []
        assert [await audit.claims(k, after=None, limit=5) for k in STORED] == [()] * 6

    async def test_every_order_comes_once_by_its_id(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        ids = ["b", "ä", "a", "B", "a-1", "a1", "o-9"]
        orders = [samples.an_order(self.now(), order_id=order_id) for order_id in ids]
        await self.stored(stores, *orders)

        seen = await self.all_orders(audit, limit=3)

        assert [audited.order_id for audited in seen] == sorted(ids)
        assert await audit.count_orders() == 7

    async def test_an_order_is_shown_whole_with_its_history(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        full = samples.the_fullest_order(self.now())
        events = samples.one_of_each_event(self.now())
        (stored,) = await self.stored(stores, samples.with_all_news(full, events))

        ((audited),) = await self.all_orders(audit)

        assert audited.evidence is not None
        assert audited.evidence.order == stored
        assert audited.evidence.history == events

    async def test_the_stored_totals_are_shown(self, stores: Stores, audit: OrderAudit) -> None:
        at = self.now().replace(microsecond=7)
        (placed,) = await self.stored(stores, samples.a_placed_order(at))
        paid = placed.charge
        back = samples.a_refund(
            paid, amount=replace(paid.amount, minor_units=700), attend_at=at + _SECOND
        )
        given = samples.a_refund(
            paid,
            amount=replace(paid.amount, minor_units=11),
            status=TransactionStatus.SUCCEEDED,
            origin=Origin.PROVIDER,
        )
        await self.stored(stores, placed.with_transaction(back).with_transaction(given))

        ((audited),) = await self.all_orders(audit)

        assert audited.evidence is not None
        assert audited.evidence.totals == StoredTotals(2500, 11, 700, at + _SECOND)

    # Events that nobody was told of -----------------------------------------------------------

    async def untold(self, audit: OrderAudit, told_by: datetime) -> Sequence[int | None]:
        """How many events of each order should have been told by then."""
        seen = await self.all_orders(audit, told_by=told_by)
        return [audited.evidence.untold_events for audited in seen if audited.evidence]

    async def test_an_event_is_untold_only_once_it_is_late(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        await self.stored(stores, samples.a_placed_order(self.now()))

        assert await self.untold(audit, self.now() - LONG) == [0]
        assert await self.untold(audit, self.now() + LONG) == [1]

    async def test_what_was_told_or_given_up_is_not_untold(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        placed = samples.a_placed_order(self.now())
        two = placed.with_news(OrderCancelled("ann"), self.now())
        await self.stored(stores, two)
        first, second = await stores.outbox.claim_notices(limit=2, hold=LONG)
        before = await self.untold(audit, self.now() + 2 * LONG)

        await stores.outbox.told(first)
        between = await self.untold(audit, self.now() + 2 * LONG)
        await stores.outbox.give_up(second, because="no such mailbox")

        assert (before, between) == ([2], [1])
        assert await self.untold(audit, self.now() + 2 * LONG) == [0]

    async def test_an_order_without_a_contact_has_nothing_untold(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        await self.stored(stores, samples.a_placed_order(self.now(), email=None))

        assert await self.untold(audit, self.now() + LONG) == [0]

    # Claims -----------------------------------------------------------------------------------

    async def keys(
        self, audit: OrderAudit, kind: ClaimKind, *, limit: int = 2
    ) -> list[tuple[tuple[str, ...], int, str, str]]:
        """Key, count, first and last order of every claim, none of which lacks its order."""
        seen: list[Claim] = []
        after = None
        while True:
            page = await audit.claims(kind, after=after, limit=limit)
            assert len(page) <= limit
            seen.extend(page)
            if len(page) < limit:
                break
            after = page[-1].key
        assert all(claim.kind is kind and not claim.missing_orders for claim in seen)
        return [(c.key, c.count, c.first_order_id, c.last_order_id) for c in seen]

    async def test_every_key_of_a_request_is_a_claim_on_its_order(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        orders = [samples.an_order(self.now()) for _ in range(3)]
        requests = [
            samples.a_request("key-2"),
            samples.a_request("key-1", route="POST /api/orders/other"),
            samples.a_request("key-1", customer_id="bob"),
        ]
        for order, request in zip(orders, requests, strict=True):
            await stores.orders.save(order, request=request)

        assert await self.keys(audit, ClaimKind.REQUEST_KEY) == [
            ((r.customer_id, r.route, r.key), 1, order.id, order.id)
            for order, r in zip(orders, requests, strict=True)
        ]

    async def test_only_payments_and_tokens_that_are_held_are_claims(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        at = self.now()
        paid = samples.a_placed_order(at, charge={"single_use_fingerprint": "f-2"})
        declined = samples.an_order_that_ended(
            at,
            OrderStatus.PAYMENT_FAILED,
            charge={"single_use_fingerprint": "f-1", "provider_reference": "pay-dead"},
        )
        voided = samples.an_order(
            at,
            charge={
                "single_use_fingerprint": "f-0",
                "provider_reference": "pay-void",
                "status": TransactionStatus.VOIDED,
                "token": None,
            },
        )
        await self.stored(stores, paid, declined, voided)

        assert await self.keys(audit, ClaimKind.PAYMENT) == [
            (("scripted", "test", f"ref-{paid.id}"), 1, paid.id, paid.id)
        ]
        assert await self.keys(audit, ClaimKind.SINGLE_USE_TOKEN) == [
            (("f-0",), 1, voided.id, voided.id),
            (("f-2",), 1, paid.id, paid.id),
        ]

    async def test_movements_and_events_are_claims_on_their_orders(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        at = self.now()
        one, two = samples.a_placed_order(at), samples.an_order(at)
        refund = samples.a_refund(one.charge, attend_at=at)
        await self.stored(stores, one.with_transaction(refund), two)

        assert await self.keys(audit, ClaimKind.TRANSACTION, limit=1) == sorted(
            ((t.id,), 1, order.id, order.id)
            for order in (one.with_transaction(refund), two)
            for t in order.transactions
        )
        assert await self.keys(audit, ClaimKind.HISTORY) == [
            ((one.id,), 2, one.id, one.id),
            ((two.id,), 1, two.id, two.id),
        ]

    async def test_only_events_settled_on_an_order_are_claims(
        self, stores: Stores, audit: OrderAudit
    ) -> None:
        at = self.now()
        (order,) = await self.stored(stores, samples.a_placed_order(at))
        for event_id, about in (("evt-2", order.id), ("evt-1", None), ("evt-3", order.id)):
            await stores.orders.receive(
                ReceivedEvent("scripted", event_id, "paid", at, "settled", about)
            )

        assert await self.keys(audit, ClaimKind.RECEIVED_EVENT, limit=1) == [
            (("scripted", "evt-2"), 1, order.id, order.id),
            (("scripted", "evt-3"), 1, order.id, order.id),
        ]
