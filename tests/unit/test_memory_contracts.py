"""The in-memory adapters keep what the ports promise."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import pytest

from order_core.errors import NotificationFailed
from order_core.events import EVENT_TYPES
from order_core.order import Order
from order_core.outcomes import Pending
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import (
    CustomerData,
    EventLog,
    Leftovers,
    Notifier,
    OrderAudit,
    PaymentGateway,
    Principal,
    ProviderFact,
    TokenVerifier,
    WebhookEvent,
)
from order_memory import (
    FixedTokens,
    InMemoryCustomerData,
    InMemoryEventLog,
    InMemoryLeftovers,
    InMemoryOrderAudit,
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    ScriptedGateway,
)
from order_memory.contracts import (
    CustomerDataContract,
    EventLogContract,
    LeftoversContract,
    NotifierContract,
    OrderAuditContract,
    OrderRepositoryContract,
    OutboxContract,
    PaymentGatewayContract,
    ProviderTokens,
    Stores,
    TokenVerifierContract,
    WorkQueueContract,
    samples,
)
from order_memory.contracts.token_verifier import ANN, BOB


class _InMemory:
    @pytest.fixture
    async def stores(self) -> Stores:
        self.clock = ManualClock()
        orders = InMemoryOrders(self.clock)
        return Stores(orders, InMemoryWorkQueue(orders), InMemoryOutbox(orders))

    def now(self) -> datetime:
        return self.clock.now()

    async def pass_time(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


class TestInMemoryOrders(_InMemory, OrderRepositoryContract):
    pass


class TestInMemoryWorkQueue(_InMemory, WorkQueueContract):
    pass


class TestInMemoryOutbox(_InMemory, OutboxContract):
    pass


class TestInMemoryOrderAudit(_InMemory, OrderAuditContract):
    @pytest.fixture
    async def audit(self, stores: Stores) -> OrderAudit:
        assert isinstance(stores.orders, InMemoryOrders)
        return InMemoryOrderAudit(stores.orders)


class TestInMemoryCustomerData(_InMemory, CustomerDataContract):
    @pytest.fixture
    async def data(self, stores: Stores) -> CustomerData:
        assert isinstance(stores.orders, InMemoryOrders)
        return InMemoryCustomerData(stores.orders)


class TestInMemoryLeftovers(_InMemory, LeftoversContract):
    @pytest.fixture
    async def leftovers(self, stores: Stores) -> Leftovers:
        assert isinstance(stores.orders, InMemoryOrders)
        return InMemoryLeftovers(stores.orders)


class TestScriptedGateway(PaymentGatewayContract):
    @pytest.fixture
    async def gateway(self) -> PaymentGateway:
        self.clock = ManualClock()
        self.scripted = ScriptedGateway(self.clock)
        return self.scripted

    @pytest.fixture
    def tokens(self) -> ProviderTokens:
        return ProviderTokens(
            pays="ok",
            declined="declined",
            unknown="no_such_token",
            asks_buyer="action_required",
            pends="pending",
            two_steps="two_step",
            single_use="once_ann",
            loses_request="lost_request",
            loses_answer="lost_answer",
            fails_after="error_after",
        )

    def now(self) -> datetime:
        return self.clock.now()

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        books = self.scripted.ledger
        return sum(
            books.taken(entry.reference)
            for entry in books.entries
            if entry.transaction.id == transaction.id
        )


class TestInMemoryEventLog(EventLogContract):
    @pytest.fixture
    async def log(self) -> EventLog:
        self.clock = ManualClock()
        self.entered = InMemoryEventLog(self.clock)
        return self.entered

    def now(self) -> datetime:
        return self.clock.now()

    async def told(self, log: EventLog, many: int) -> set[str]:
        fact = ProviderFact(TransactionKind.CHARGE, Pending("ref-1"), "ref-1")
        told = {f"evt-{number}" for number in range(many)}
        for event_id in told:
            self.entered.enter(WebhookEvent(event_id, "payment.pending", (fact,)))
        return told

    async def gone(self, log: EventLog) -> None:
        self.entered.is_away = True


class TestRecordingNotifier(NotifierContract):
    @pytest.fixture
    async def notifier(self) -> Notifier:
        self.recording = RecordingNotifier()
        return self.recording

    async def recipients(self) -> tuple[str, ...]:
        return tuple(notice.email for notice in self.recording.told)

    async def break_the_channel(self) -> None:
        self.recording.fail_next(NotificationFailed("the line is dead"))


class TestFixedTokens(TokenVerifierContract):
    TOKENS: Final[Mapping[str, Principal]] = MappingProxyType(
        {"token-of-ann": ANN, "token-of-bob": BOB}
    )

    @pytest.fixture
    async def verifier(self) -> TokenVerifier:
        return FixedTokens(self.TOKENS)

    async def token_for(self, principal: Principal) -> str:
        return next(token for token, bearer in self.TOKENS.items() if bearer == principal)


# The suites' own samples: a field that no sample fills would not be proven to come back.

_AT = datetime(2030, 1, 1, 12, tzinfo=UTC) + timedelta(microseconds=5)


def test_the_fullest_order_leaves_no_field_of_an_order_at_its_default() -> None:
    order = samples.the_fullest_order(_AT)

    left = {f.name for f in fields(Order) if getattr(order, f.name) == f.default}

    assert left == {"version"}


def test_the_fullest_order_leaves_no_field_of_a_transaction_at_its_default() -> None:
    transactions = samples.the_fullest_order(_AT).transactions

    def is_filled(field: Any) -> bool:
        return any(
            getattr(transaction, field.name) != field.default for transaction in transactions
        )

    assert [f.name for f in fields(PaymentTransaction) if not is_filled(f)] == []


def test_the_events_are_one_of_each_kind() -> None:
    events = samples.one_of_each_event(_AT)

    assert {type(happened.event) for happened in events} == set(EVENT_TYPES.values())
    assert {type(value) for event in events for value in _values(event.event)} == {str, bool}


def _values(event: Any) -> list[object]:
    return [getattr(event, field.name) for field in fields(event)]
