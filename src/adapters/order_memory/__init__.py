"""Every port in memory, for tests and demos: fakes that keep what the ports promise.

`order_memory.contracts` holds the suites that prove an adapter of your own.
"""

from order_memory.audit import InMemoryOrderAudit
from order_memory.clock import ManualClock
from order_memory.customer_data import InMemoryCustomerData
from order_memory.event_log import InMemoryEventLog
from order_memory.gateway import ScriptedGateway
from order_memory.ids import SequentialIds
from order_memory.leftovers import InMemoryLeftovers
from order_memory.notifier import RecordingNotifier
from order_memory.orders import InMemoryOrders
from order_memory.outbox import InMemoryOutbox
from order_memory.prices import CataloguePrices, TrustedPrices
from order_memory.provider_ledger import LedgerEntry, ProviderLedger, Standing
from order_memory.reactions import Delivery, Effect, Reaction
from order_memory.shop import InMemoryShop, in_memory_shop
from order_memory.token_verifier import FixedTokens
from order_memory.work_queue import InMemoryWorkQueue

__all__ = [
    "CataloguePrices",
    "Delivery",
    "Effect",
    "FixedTokens",
    "InMemoryCustomerData",
    "InMemoryEventLog",
    "InMemoryLeftovers",
    "InMemoryOrderAudit",
    "InMemoryOrders",
    "InMemoryOutbox",
    "InMemoryShop",
    "InMemoryWorkQueue",
    "LedgerEntry",
    "ManualClock",
    "ProviderLedger",
    "Reaction",
    "RecordingNotifier",
    "ScriptedGateway",
    "SequentialIds",
    "Standing",
    "TrustedPrices",
    "in_memory_shop",
]
