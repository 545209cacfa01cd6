"""What every adapter of a port must do, as suites that prove yours does.

Subclass a suite in your tests and override its fixture; the suites need pytest, and
pytest-asyncio in its `auto` mode:

    class TestMyOrders(OrderRepositoryContract):
        @pytest.fixture
        async def stores(self, my_database):
            yield Stores(MyOrders(my_database), MyWorkQueue(my_database), MyOutbox(my_database))

The suites over a store wait real time where a lease has to end. A store that has a clock
of its own overrides `now` and `pass_time` too.
"""

import pytest

# Before the imports, or a failed assertion would not show its values.
pytest.register_assert_rewrite(
    "order_memory.contracts.audit",
    "order_memory.contracts.customer_data",
    "order_memory.contracts.event_log",
    "order_memory.contracts.event_records",
    "order_memory.contracts.finding",
    "order_memory.contracts.leases",
    "order_memory.contracts.leftovers",
    "order_memory.contracts.lists",
    "order_memory.contracts.notifier",
    "order_memory.contracts.orders",
    "order_memory.contracts.outbox",
    "order_memory.contracts.payment_gateway",
    "order_memory.contracts.prices",
    "order_memory.contracts.received_events",
    "order_memory.contracts.refusals",
    "order_memory.contracts.token_verifier",
    "order_memory.contracts.views",
    "order_memory.contracts.work_queue",
)

from order_memory.contracts.audit import OrderAuditContract  # noqa: E402
from order_memory.contracts.customer_data import CustomerDataContract  # noqa: E402
from order_memory.contracts.event_log import EventLogContract  # noqa: E402
from order_memory.contracts.leftovers import LeftoversContract  # noqa: E402
from order_memory.contracts.notifier import NotifierContract  # noqa: E402
from order_memory.contracts.orders import OrderRepositoryContract  # noqa: E402
from order_memory.contracts.outbox import OutboxContract  # noqa: E402
from order_memory.contracts.payment_gateway import PaymentGatewayContract, ProviderTokens  # noqa: E402
from order_memory.contracts.prices import PricesContract, StrictPricesContract  # noqa: E402
from order_memory.contracts.stores import Stores  # noqa: E402
from order_memory.contracts.token_verifier import TokenVerifierContract  # noqa: E402
from order_memory.contracts.work_queue import WorkQueueContract  # noqa: E402

__all__ = [
    "CustomerDataContract",
    "EventLogContract",
    "LeftoversContract",
    "NotifierContract",
    "OrderAuditContract",
    "OrderRepositoryContract",
    "OutboxContract",
    "PaymentGatewayContract",
    "PricesContract",
    "ProviderTokens",
    "Stores",
    "StrictPricesContract",
    "TokenVerifierContract",
    "WorkQueueContract",
]
