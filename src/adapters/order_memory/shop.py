"""A whole shop in memory: the quickest way to a placed order."""

from dataclasses import dataclass

from order_core.assembly import OrderCore, assemble
from order_core.payment_terms import Policy
from order_core.ports import Prices
from order_memory.clock import ManualClock
from order_memory.gateway import ScriptedGateway
from order_memory.ids import SequentialIds
from order_memory.notifier import RecordingNotifier
from order_memory.orders import InMemoryOrders
from order_memory.outbox import InMemoryOutbox
from order_memory.prices import TrustedPrices
from order_memory.work_queue import InMemoryWorkQueue


@dataclass(frozen=True, slots=True)
class InMemoryShop:
    """The use cases, and every fake behind them, to look at and to give orders to."""

    core: OrderCore
    orders: InMemoryOrders
    work: InMemoryWorkQueue
    outbox: InMemoryOutbox
    gateway: ScriptedGateway
    notifier: RecordingNotifier
    clock: ManualClock
    ids: SequentialIds


def in_memory_shop(*, policy: Policy | None = None, prices: Prices | None = None) -> InMemoryShop:
    """A shop whose one payment provider is scripted; it believes its clients' prices.

    `payment_method="ok"` pays; `order_memory.reactions.TOKENS` lists what else there is.
    """
    clock, ids = ManualClock(), SequentialIds()
    orders = InMemoryOrders(clock)
    work, outbox = InMemoryWorkQueue(orders), InMemoryOutbox(orders)
    gateway, notifier = ScriptedGateway(clock), RecordingNotifier()
    core = assemble(
        orders=orders,
        work=work,
        outbox=outbox,
        gateways={gateway.profile.provider: gateway},
        default_provider=gateway.profile.provider,
        prices=prices or TrustedPrices(),
        notifier=notifier,
        clock=clock,
        ids=ids,
        policy=policy,
    )
    return InMemoryShop(core, orders, work, outbox, gateway, notifier, clock, ids)
