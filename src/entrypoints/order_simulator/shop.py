"""One simulated shop, from its first customer until everything rests."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from order_core.assembly import OrderCore, assemble
from order_core.errors import OrderCoreError
from order_core.invariants.promises import NO_BUG
from order_core.payment_terms import CaptureLate, CaptureMode, Policy
from order_core.ports import EventRecord
from order_memory import InMemoryOrders, InMemoryOutbox, InMemoryWorkQueue, TrustedPrices
from order_simulator.bell import Bell
from order_simulator.chance import Chance
from order_simulator.customers import Customers
from order_simulator.database import (
    Connection,
    DistantClock,
    DistantOrders,
    DistantOutbox,
    DistantWork,
)
from order_simulator.faults import Fault
from order_simulator.judge import Finding, Judge
from order_simulator.knobs import CALM, Knobs
from order_simulator.look_ups import looks_up, only_receives
from order_simulator.luck import BAD_LUCK, BadLuck
from order_simulator.post import NAME, SignedEvents
from order_simulator.process import NewIds, Process, SkewedClock
from order_simulator.provider import PROFILE, Provider
from order_simulator.record import Record
from order_simulator.staff import Staff
from order_simulator.story import Story
from order_simulator.virtual_time import DAY, HOUR, MINUTE, SECOND, Scheduler, pause
from order_simulator.wire import Mail, Wire

_LONGEST: Final = 30
"""Days after which everything must rest."""
_TROUBLED: Final = 2 * DAY
"""So long faults go on after the last customer came."""
_BATCH: Final = 10
_BETWEEN_PAGES: Final = HOUR
OURS: Final = EventRecord(NAME, PROFILE.account, Policy().installation)
"""The provider's record, as our processes read it."""


@dataclass(frozen=True, slots=True)
class ShopReport:
    """What a run of one shop came to."""

    index: int
    orders: int
    statuses: dict[str, int]
    faults: dict[str, int]
    webhooks: int
    restarts: int
    virtual_seconds: int
    findings: tuple[Finding, ...]


class Shop:
    """Several processes, one database, one provider, and everybody who acts on them."""

    def __init__(
        self, seed: int, index: int, customers: int, knobs: Knobs, *, story: Story | None = None
    ) -> None:
        self.knobs = knobs
        self.story = story
        self.holds_first = index % 3 == 1
        # Of half of them everything that the provider tells can be read again. What the others
        # find by answers, look-ups and delivered events, they have to find without that.
        self.has_record = Chance(f"record {seed}/{index}").happens(0.5)
        self.looks_up = looks_up(seed, index)
        self.only_receives = only_receives(seed, index)
        self.scheduler = Scheduler()
        self.chance = Chance(f"{seed}/{index}")
        self.is_calm = False
        self.database_down_until = 0
        self.provider_down_until = 0
        self._away_until = 0
        self.true_clock = SkewedClock(self.scheduler, 0)
        self.orders = InMemoryOrders(self.true_clock)
        self.store = self.orders.store
        self.judge = Judge(self)
        self.provider = Provider(self)
        self.staff = Staff(self)
        self.restarts = 0
        self._seed, self._index = seed, index
        self._customers = customers
        self._faults: Counter[Fault] = Counter()
        self._luck: dict[str, BadLuck | None] = {}
        self._ids = NewIds()
        self._policy = Policy(
            capture=CaptureMode.ON_PROCESSING if self.holds_first else CaptureMode.IMMEDIATE,
            capture_late=CaptureLate.CAPTURE if index % 6 == 1 else CaptureLate.CANCEL,
        )
        self._closes_at = int(customers * knobs.seconds_between_customers * SECOND)
        self.work = Bell(self, self.store.next_claimable)
        self.news = Bell(self, self.store.next_notice)
        self.early_events = Bell(self, self._early_event_came)
        self._work, self._outbox = InMemoryWorkQueue(self.orders), InMemoryOutbox(self.orders)
        self._processes = [
            *(Process(self, f"api-{n}", serves=True) for n in range(knobs.api_instances)),
            *(Process(self, f"worker-{n}", serves=False) for n in range(knobs.worker_instances)),
        ]
        self._api = [process for process in self._processes if process.serves]

    def run(self) -> ShopReport:
        """Open the shop, and go on until everything rests or something is wrong."""
        surprises = _Surprises(self)
        log = logging.getLogger("order_core.use_cases")
        log.addHandler(surprises)
        log.propagate, propagates = False, log.propagate
        try:
            self._plan()
            self.scheduler.run()
            if not self.judge.findings:
                self.judge.at_rest()
        finally:
            self.scheduler.close()
            log.removeHandler(surprises)
            log.propagate = propagates
        statuses: Counter[str] = Counter(row.order.status for row in self.store.rows())
        return ShopReport(
            index=self._index,
            orders=statuses.total(),
            statuses=dict(statuses),
            faults={fault.value: times for fault, times in self._faults.items()},
            webhooks=self.provider.post.delivered,
            restarts=self.restarts,
            virtual_seconds=self.scheduler.now // SECOND,
            findings=tuple(self.judge.findings),
        )

    def _plan(self) -> None:
        chance, customers, at = self.chance, Customers(self), 0
        gap = self.knobs.seconds_between_customers * SECOND
        for number in range(1, self._customers + 1):
            at += int(chance.expovariate(1 / gap))
            self.scheduler.at(at, partial(customers.come, number))
        self._outages(self.knobs.database_outages, (5, 30, 120, 600), database=True)
        self._outages(self.knobs.provider_outages, (20, 120, 900, 1800), database=False)
        self.scheduler.at(max(at, self._closes_at) + _TROUBLED, self._calm_down)
        away = Chance(f"away {self._seed}/{self._index}")
        if self.has_record and away.happens(self.knobs.nobody_there):
            begin = self._closes_at + int(away.random() * _TROUBLED)
            self.scheduler.at(begin, partial(self._leave, int(away.uniform(3, 9) * DAY)))

    def _outages(self, an_hour: float, lengths: tuple[int, ...], *, database: bool) -> None:
        at = 0.0
        while an_hour and (at := at + self.chance.expovariate(an_hour / HOUR)) < self._closes_at:
            length = int(self.chance.choice(lengths) * SECOND * (0.5 + self.chance.random()))

            def begin(until: int = int(at) + length) -> None:
                if database:
                    self.database_down_until = until
                else:
                    self.provider_down_until = until

            self.scheduler.at(int(at), begin)

    def _leave(self, length: int) -> None:
        if self.store.taken_in_until(OURS) is None:
            # Whoever starts with no walk behind him looks two days back, and no further.
            self.scheduler.after(HOUR, partial(self._leave, length))
            return
        self._away_until = self.scheduler.now + length
        self.inject(Fault.NOBODY_THERE, "shop", None)
        for process in self._processes:
            process.crash()

    def _calm_down(self) -> None:
        self.is_calm = True
        self.knobs = CALM

    # What the parts of the shop ask for ---------------------------------------------------

    def assembled(self, process: Process) -> OrderCore:
        """The use cases of one process, over its own connections."""
        connection = Connection(process)
        return assemble(
            orders=DistantOrders(self.orders, connection),
            work=DistantWork(self._work, connection),
            outbox=DistantOutbox(self._outbox, connection),
            gateways={NAME: Wire(process)},
            default_provider=NAME,
            prices=TrustedPrices(),
            notifier=Mail(process),
            clock=process.clock,
            ids=self._ids,
            policy=replace(self._policy, installation=process.strange_installation)
            if process.strange_installation
            else self._policy,
            store_clock=DistantClock(self.true_clock, connection),
            webhooks={NAME: SignedEvents(self.provider.post)},
            event_logs={NAME: Record(process)} if self.has_record else None,
        )

    def away_for(self) -> int:
        """How long nothing of ours will run; 0 while something may."""
        return max(self._away_until - self.scheduler.now, 0)

    def an_api_instance(self) -> Process | None:
        """Some instance that takes requests, as a load balancer chooses; None if all are down."""
        now = self.scheduler.now
        up = [process for process in self._api if process.is_offered_requests(now)]
        return up[int(self.chance.random() * len(up))] if up else None

    def bad_luck_of(self, order_id: str) -> BadLuck | None:
        """The trouble that this order has at every turn; None: it has no more than others."""
        if self.is_calm:
            return None
        if order_id not in self._luck:
            unlucky = self.chance.happens(self.knobs.bad_luck)
            self._luck[order_id] = self.chance.choice(BAD_LUCK) if unlucky else None
        return self._luck[order_id]

    def is_unlucky(self, order_id: str) -> bool:
        return self.bad_luck_of(order_id) is not None

    def inject(self, fault: Fault, where: str, order_id: str | None) -> None:
        """Note that something goes wrong now."""
        self._faults[fault] += 1
        if self.story is not None:
            self.story.tell(self.scheduler.now, where, f"*** {fault}", order_id)

    def answer(self, who: str, what: object, order_id: str | None) -> None:
        """Note what somebody outside was answered."""
        if self.story is not None:
            said = repr(what) if isinstance(what, OrderCoreError) else what
            self.story.tell(self.scheduler.now, who, f"hears {said}", order_id)

    def count_restart(self) -> None:
        """A process crashed, and will be back."""
        self.restarts += 1

    # Work ---------------------------------------------------------------------------------

    def begin_work(self, process: Process) -> None:
        """Let a worker look after orders and tell customers, until nothing is left."""
        process.run(self._look_after(process), "recover", background=True)
        process.run(self._match(process), "match", background=True)
        process.run(self._tell(process), "tell", background=True)
        if self.has_record:
            process.run(self._reconcile(process), "reconcile", background=True)

    async def _look_after(self, process: Process) -> None:
        while not self._is_over():
            await self._idle(self.work)
            try:
                while await process.core.recover(limit=_BATCH) == _BATCH:
                    pass
            except OrderCoreError:
                await pause(10 * SECOND)

    async def _match(self, process: Process) -> None:
        while not self._is_over():
            try:
                while await process.core.match(limit=_BATCH) == _BATCH:
                    pass
            except OrderCoreError:
                await pause(10 * SECOND)
            if self.early_events.is_due():
                await pause(10 * SECOND if self._is_busy() else 10 * MINUTE)
            else:
                await self.early_events.rest()

    async def _reconcile(self, process: Process) -> None:
        while not self._is_over():
            try:
                while await process.core.reconcile(limit=_BATCH):
                    pass
            except OrderCoreError:
                await pause(10 * SECOND)
            # A page that holds nothing new is followed by the next one at the next look.
            await pause(int(_BETWEEN_PAGES * (0.5 + self.chance.random())))

    async def _tell(self, process: Process) -> None:
        while not self._is_over():
            await self._idle(self.news)
            try:
                while await process.core.tell(limit=_BATCH) == _BATCH:
                    pass
            except OrderCoreError:
                await pause(10 * SECOND)

    async def _idle(self, bell: Bell) -> None:
        while not (self._is_over() or bell.is_due()):
            await bell.rest()

    def longest_idle(self) -> int:
        """How long a worker leaves what it does not know of."""
        return 15 * SECOND if self._is_busy() else 10 * MINUTE

    def _is_busy(self) -> bool:
        return self.scheduler.now < self._closes_at + HOUR

    def _early_event_came(self) -> datetime | None:
        return self.true_clock.now() if self.provider.post.has_early_events() else None

    def _is_over(self) -> bool:
        if self.judge.findings:
            return True
        if self.scheduler.now > self._closes_at + _LONGEST * DAY:
            self.judge.never_rested()
            return True
        rests = self.store.next_due() is None and self.store.next_notice() is None
        quiet = rests and self.scheduler.foreground == 0
        post = self.provider.post
        return quiet and not (post.has_early_events() or post.has_unread_events())


class _Surprises(logging.Handler):
    """Hears of exceptions that a worker survives, and that must not have been."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(logging.ERROR)
        self._shop = shop

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        args = record.args
        order_id = str(args[0]) if isinstance(args, tuple) and args else None
        self._shop.judge.found(NO_BUG, order_id, f"{record.getMessage()}: {error!r}")
