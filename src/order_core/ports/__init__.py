"""What the core needs from the outside: one port a module, implemented by the adapters."""

from order_core.ports.clock import Clock, StoreClock
from order_core.ports.customer_data import (
    CustomerData,
    HeldOrder,
    HeldRequest,
    HeldSession,
    OrderTraces,
    Telling,
)
from order_core.ports.event_log import (
    LONGEST_PAGE,
    EventLog,
    EventPage,
    EventRecord,
    TakenIn,
)
from order_core.ports.ids import Ids
from order_core.ports.leftovers import Leftovers
from order_core.ports.notifier import Notice, Notifier
from order_core.ports.order_audit import AuditedOrder, OrderAudit
from order_core.ports.order_repository import (
    DuplicateGuard,
    EarlierRequest,
    EventPlace,
    Lease,
    OrderHistory,
    OrderPage,
    OrderQuery,
    OrderRepository,
    ReceivedEvent,
    RequestRecord,
    Saved,
)
from order_core.ports.outbox import Outbox
from order_core.ports.owner_view import OwnerView, ViewedOrder, ViewedPage
from order_core.ports.payment_gateway import PaymentGateway
from order_core.ports.prices import Prices
from order_core.ports.token_verifier import Principal, TokenVerifier
from order_core.ports.webhook_parser import ProviderFact, WebhookEvent, WebhookParser
from order_core.ports.work_queue import Claim, WorkQueue

__all__ = [
    "LONGEST_PAGE",
    "AuditedOrder",
    "Claim",
    "Clock",
    "CustomerData",
    "DuplicateGuard",
    "EarlierRequest",
    "EventLog",
    "EventPage",
    "EventPlace",
    "EventRecord",
    "HeldOrder",
    "HeldRequest",
    "HeldSession",
    "Ids",
    "Lease",
    "Leftovers",
    "Notice",
    "Notifier",
    "OrderAudit",
    "OrderHistory",
    "OrderPage",
    "OrderQuery",
    "OrderRepository",
    "OrderTraces",
    "Outbox",
    "OwnerView",
    "PaymentGateway",
    "Prices",
    "Principal",
    "ProviderFact",
    "ReceivedEvent",
    "RequestRecord",
    "Saved",
    "StoreClock",
    "TakenIn",
    "Telling",
    "TokenVerifier",
    "ViewedOrder",
    "ViewedPage",
    "WebhookEvent",
    "WebhookParser",
    "WorkQueue",
]
