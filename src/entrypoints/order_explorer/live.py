"""The one real shop behind all worlds: put into any of them, asked one thing, and read again."""

from collections import deque
from collections.abc import Coroutine
from datetime import datetime, timedelta
from types import NoneType
from typing import Any, Final

from order_core.assembly import OrderCore, assemble
from order_core.outcomes import NotFound
from order_core.payment import PaymentTransaction
from order_core.payment_terms import Policy
from order_core.ports import Ids
from order_explorer.faults import Fault, has_effect, heard_instead, reaction_under
from order_explorer.provider import Provider
from order_explorer.steps import Call, Raised
from order_memory import (
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    ScriptedGateway,
    TrustedPrices,
)
from order_memory.reactions import OBEY, TOKENS

PROVIDER: Final = "scripted"

Snapshot = dict[str, dict[str, Any]]

_CONTAINERS: Final = (dict, list, set, deque)
_VALUES: Final = (datetime, int, str, tuple, NoneType)


def at_once(call: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the call answers
    """The answer of a call on adapters in memory, which never wait."""
    try:
        call.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("an adapter in memory waited for something")


class Live:
    """Store, provider and clock, as real as a test has them."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.clock = ManualClock()
        self.orders = InMemoryOrders(self.clock)
        self.work = InMemoryWorkQueue(self.orders)
        self.outbox = InMemoryOutbox(self.orders)
        self.gateway = ScriptedGateway(self.clock)
        self.notifier = RecordingNotifier()
        self.provider = Provider(self.gateway)
        kept = {
            "clock": self.clock,
            "store": self.orders.store,
            "gateway": self.gateway,
            "ledger": self.gateway.ledger,
            "notifier": self.notifier,
        }
        self._kept = {name: (one, _changing(one)) for name, one in kept.items()}

    def core(self, ids: Ids) -> OrderCore:
        """The use cases over these very adapters."""
        return assemble(
            orders=self.orders,
            work=self.work,
            outbox=self.outbox,
            gateways={PROVIDER: self.gateway},
            default_provider=PROVIDER,
            prices=TrustedPrices(),
            notifier=self.notifier,
            clock=self.clock,
            ids=ids,
            policy=self.policy,
        )

    # Being put into a world, and read -----------------------------------------------------

    def take(self) -> Snapshot:
        """Everything that can change; its values are never changed themselves."""
        return {
            name: {
                field: value.copy() if holds else value
                for field, holds in fields
                for value in (getattr(kept, field),)
            }
            for name, (kept, fields) in self._kept.items()
        }

    def put(self, snapshot: Snapshot) -> None:
        """Become the world of the snapshot."""
        for name, (kept, fields) in self._kept.items():
            values = snapshot[name]
            for field, holds in fields:
                value = values[field]
                setattr(kept, field, value.copy() if holds else value)

    # What can happen to it ----------------------------------------------------------------

    def make(self, call: Call, fault: Fault) -> object:
        """Make the call, under this fault; what the caller hears."""
        if call.port == "clock":
            return None
        answer = None
        if has_effect(fault) or call.method == "send":
            answer = self._really(call, fault)
        instead = heard_instead(call, fault)
        return answer if instead is None else instead

    def _really(self, call: Call, fault: Fault) -> object:
        port: Any = getattr(self, call.port)
        if fault is Fault.LOOK_UP_BEHIND and self._may_be_behind(*call.arguments):
            return NotFound()
        if call.method == "send":
            (transaction,) = call.arguments
            usual = OBEY if transaction.step > 1 else TOKENS.get(transaction.token or "", OBEY)
            self.gateway.react(reaction_under(fault, usual))
        try:
            return at_once(getattr(port, call.method)(*call.arguments, **dict(call.named)))
        except Exception as error:  # noqa: BLE001 - the caller is to hear whatever it is
            return Raised(error)
        finally:
            # What a gateway refused by itself has met no reaction; the next send must not.
            self.gateway.forget_reactions()

    def _may_be_behind(self, transaction: PaymentTransaction) -> bool:
        return self.clock.now() < transaction.send_until + self.gateway.profile.horizon

    def wait_until(self, moment: timedelta, since: Any) -> None:  # noqa: ANN401 - a datetime
        """Let time pass; requests that were given up too long ago never arrive now."""
        self.clock.set(since + moment)
        horizon, now = self.gateway.profile.horizon, self.clock.now()
        # Its bytes may have left as late as the window allows: its process may have paused.
        late = [t for t in _late(self.gateway) if now < t.send_until + horizon]
        object.__setattr__(self.gateway, "_late", deque(late))


def _late(gateway: ScriptedGateway) -> Any:  # noqa: ANN401 - a deque
    return gateway._late  # noqa: SLF001 - whose requests may still arrive is no port's business


def _changing(kept: object) -> tuple[tuple[str, bool], ...]:
    """The fields that can change, and whether each is a container."""
    names = getattr(kept, "__slots__", None) or vars(kept)
    values = [(name, getattr(kept, name)) for name in names]
    return tuple(
        (name, isinstance(value, _CONTAINERS))
        for name, value in values
        if isinstance(value, (*_CONTAINERS, *_VALUES))
    )
