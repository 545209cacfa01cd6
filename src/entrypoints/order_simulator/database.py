"""The store as a process sees it over a network: slow, now and then away, unsure of commits."""

from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from order_core.errors import CommitUnknown, OrderCoreError, StoreUnavailable
from order_core.invariants.promises import NO_BROKEN_CONSTRAINT, WRONG_CLOCK_CLAIMS_NOTHING
from order_core.order import Order
from order_core.ports import (
    Claim,
    Clock,
    DuplicateGuard,
    EarlierRequest,
    EventPlace,
    EventRecord,
    Lease,
    Notice,
    OrderHistory,
    OrderPage,
    OrderQuery,
    OwnerView,
    ReceivedEvent,
    RequestRecord,
    Saved,
    TakenIn,
    ViewedOrder,
    ViewedPage,
)
from order_memory import InMemoryOrders, InMemoryOutbox, InMemoryWorkQueue
from order_memory.store import BrokenConstraint
from order_simulator.faults import Fault
from order_simulator.story import in_short
from order_simulator.virtual_time import SECOND, pause

if TYPE_CHECKING:
    from order_simulator.process import Process

_BEFORE: Final = frozenset({Fault.CRASH_BEFORE, Fault.STALL_BEFORE})
_AFTER: Final = frozenset({Fault.CRASH_AFTER, Fault.STALL_AFTER})
_COMMIT_FAULTS: Final = (
    Fault.STORE_ANSWER_LOST,
    Fault.STORE_ANSWER_LOST,
    Fault.STORE_COMMIT_LATE,
    Fault.STORE_COMMIT_NEVER,
    Fault.STORE_UNAVAILABLE,
)
_NO_COMMIT_YET: Final = frozenset({Fault.STORE_COMMIT_LATE, Fault.STORE_COMMIT_NEVER})
_OTHER_FAULTS: Final = (Fault.STORE_ANSWER_LOST, Fault.STORE_UNAVAILABLE)


class Connection:
    """What lies between one process and the database."""

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.shop = process.shop

    async def ask(self, call: str, about: str | None, *, commits: bool = False) -> Fault | None:
        """Reach the database, or not; the fault that is still to come, if any.

        Raises:
            StoreUnavailable: the database was not reached.
        """
        shop = self.shop
        chance = shop.chance
        await pause(int(300 + chance.random() * 4000))
        if shop.is_calm:
            return None
        trouble = self.process.trouble()
        if trouble in _BEFORE and trouble is not None:
            await self.process.suffer(trouble, about)
        if shop.scheduler.now < shop.database_down_until:
            shop.inject(Fault.STORE_OUTAGE, f"{self.process.name} {call}", about)
            raise StoreUnavailable("the database is away")
        if chance.happens(shop.knobs.database_fault):
            fault = chance.choice(_COMMIT_FAULTS if commits else _OTHER_FAULTS)
            shop.inject(fault, f"{self.process.name} {call}", about)
            if fault is Fault.STORE_UNAVAILABLE:
                raise StoreUnavailable("told to fail")
            return fault
        return trouble

    async def answered(self, fault: Fault | None, about: str | None) -> None:
        """Bring the answer back, or not.

        Raises:
            StoreUnavailable: the answer is lost.
        """
        if fault is None:
            return
        if fault in _AFTER:
            await self.process.suffer(fault, about)
        elif fault is Fault.STORE_ANSWER_LOST:
            await pause(int(SECOND * self.shop.chance.random() * 5))
            raise StoreUnavailable("the answer is lost")

    def tell(self, call: str, answer: Order | object, about: str | None) -> None:
        """Add a line to the story of the run."""
        story = self.shop.story
        if story is not None:
            said = in_short(answer) if isinstance(answer, Order) else answer
            story.tell(self.shop.scheduler.now, self.process.name, f"{call} -> {said}", about)


class DistantClock:
    """The `StoreClock` of one process."""

    def __init__(self, clock: Clock, connection: Connection) -> None:
        self._clock = clock
        self._connection = connection

    async def now(self) -> datetime:
        fault = await self._connection.ask("now", None)
        now = self._clock.now()
        await self._connection.answered(fault, None)
        return now


class DistantOrders:
    """The `OrderRepository` of one process."""

    def __init__(self, orders: InMemoryOrders, connection: Connection) -> None:
        self._orders = orders
        self._connection = connection

    async def save(
        self,
        order: Order,
        /,
        *,
        request: RequestRecord | None = None,
        guard: DuplicateGuard | None = None,
        take: Lease | None = None,
        release: Lease | None = None,
    ) -> Saved:
        line = self._connection
        fault = await line.ask("save", order.id, commits=True)
        commit = self._commit(order, request=request, guard=guard, take=take, release=release)
        if fault in _NO_COMMIT_YET:
            if fault is Fault.STORE_COMMIT_NEVER:
                commit.close()
                raise CommitUnknown("the connection broke in the commit")
            self._commit_later(commit, order)
            raise CommitUnknown("the commit is on its way")
        try:
            saved = await commit
        except OrderCoreError as error:
            line.tell("save", repr(error), order.id)
            raise
        try:
            await line.answered(fault, order.id)
        except StoreUnavailable as lost:
            raise CommitUnknown("the answer to the commit is lost") from lost
        return saved

    async def _commit(
        self,
        order: Order,
        *,
        request: RequestRecord | None,
        guard: DuplicateGuard | None,
        take: Lease | None,
        release: Lease | None,
    ) -> Saved:
        shop = self._connection.shop
        before = self._orders.store.row(order.id).order if order.version else None
        try:
            saved = await self._orders.save(
                order, request=request, guard=guard, take=take, release=release
            )
        except BrokenConstraint as broken:
            shop.judge.found(NO_BROKEN_CONSTRAINT, order.id, str(broken))
            raise
        self._connection.tell("save", saved.order, order.id)
        shop.judge.saved(before, saved.order)
        shop.work.ring()
        if order.news:
            shop.news.ring()
        return saved

    def _commit_later(self, commit: Coroutine[Any, Any, Saved], order: Order) -> None:
        shop = self._connection.shop

        async def commit_late() -> None:
            try:
                await commit
            except OrderCoreError as error:
                self._connection.tell("late save", repr(error), order.id)

        shop.scheduler.start(commit_late(), "commit", delay=int(SECOND * shop.chance.random() * 3))

    async def get(self, order_id: str, /) -> Order:
        fault = await self._connection.ask("get", order_id)
        order = await self._orders.get(order_id)
        self._connection.tell("get", order, order_id)
        await self._connection.answered(fault, order_id)
        return order

    async def find_request(
        self, customer_id: str, route: str, key: str, /
    ) -> EarlierRequest | None:
        fault = await self._connection.ask("find_request", None)
        earlier = await self._orders.find_request(customer_id, route, key)
        if earlier is not None:
            order = earlier.order
            self._connection.tell("find_request", order, order.id)
        await self._connection.answered(fault, earlier.order.id if earlier else None)
        return earlier

    async def find_by_transaction(self, transaction_id: str, /) -> Order | None:
        fault = await self._connection.ask("find_by_transaction", None)
        order = await self._orders.find_by_transaction(transaction_id)
        await self._connection.answered(fault, order.id if order else None)
        return order

    async def find_by_reference(
        self, provider: str, account: str, reference: str, /
    ) -> Order | None:
        fault = await self._connection.ask("find_by_reference", None)
        order = await self._orders.find_by_reference(provider, account, reference)
        await self._connection.answered(fault, order.id if order else None)
        return order

    async def unfinished(self, *, limit: int) -> tuple[Order, ...]:
        return await self._orders.unfinished(limit=limit)

    async def receive(self, event: ReceivedEvent, /) -> bool:
        fault = await self._connection.ask("receive", event.order_id)
        new = await self._orders.receive(event)
        self._connection.shop.early_events.ring()
        self._connection.tell(f"receive {event.event_id}", event.verdict, event.order_id)
        await self._connection.answered(fault, event.order_id)
        return new

    async def remembered(self, provider: str, event_ids: Sequence[str], /) -> frozenset[str]:
        fault = await self._connection.ask("remembered", None)
        known = await self._orders.remembered(provider, event_ids)
        await self._connection.answered(fault, None)
        return known

    async def taken_in(self, record: EventRecord, /) -> TakenIn:
        fault = await self._connection.ask("taken_in", None)
        taken_in = await self._orders.taken_in(record)
        await self._connection.answered(fault, None)
        return taken_in

    async def note_taken_in(
        self, record: EventRecord, /, *, until: datetime, before: datetime | None
    ) -> bool:
        fault = await self._connection.ask("note_taken_in", None)
        noted = await self._orders.note_taken_in(record, until=until, before=before)
        self._connection.tell(f"note taken in until {until}", noted, None)
        await self._connection.answered(fault, None)
        return noted

    async def unmatched_events(self, *, limit: int) -> tuple[ReceivedEvent, ...]:
        return await self._orders.unmatched_events(limit=limit)

    async def events_to_match(self, *, after: EventPlace, limit: int) -> tuple[ReceivedEvent, ...]:
        fault = await self._connection.ask("events_to_match", None)
        events = await self._orders.events_to_match(after=after, limit=limit)
        await self._connection.answered(fault, None)
        return events

    async def match(self, event: ReceivedEvent, /) -> bool:
        fault = await self._connection.ask("match", event.order_id)
        changed = await self._orders.match(event)
        self._connection.tell(f"match {event.event_id}", event.verdict, event.order_id)
        await self._connection.answered(fault, event.order_id)
        return changed

    async def list(self, query: OrderQuery, /) -> OrderPage:
        return await self._orders.list(query)

    async def show(self, order_id: str, view: OwnerView, /) -> ViewedOrder:
        return await self._orders.show(order_id, view)

    async def show_list(self, query: OrderQuery, view: OwnerView, /) -> ViewedPage:
        return await self._orders.show_list(query, view)

    async def history(self, order_id: str, /) -> OrderHistory:
        return await self._orders.history(order_id)


class DistantWork:
    """The `WorkQueue` of one process."""

    def __init__(self, work: InMemoryWorkQueue, connection: Connection) -> None:
        self._work = work
        self._connection = connection

    async def claim(
        self, *, limit: int, hold: timedelta, tokens: tuple[str, ...]
    ) -> tuple[Claim, ...]:
        fault = await self._connection.ask("claim", None)
        claims = await self._work.claim(limit=limit, hold=hold, tokens=tokens)
        if claims and self._connection.process.has_wrong_clock:
            told = f"{self._connection.process.name} claimed, with a clock that is hours off"
            self._connection.shop.judge.found(WRONG_CLOCK_CLAIMS_NOTHING, None, told)
        for claim in claims:
            self._connection.tell("claim", claim.order, claim.order.id)
        await self._connection.answered(fault, None)
        return claims

    async def release(self, lease: Lease, /) -> None:
        fault = await self._connection.ask("release", lease.order_id)
        await self._work.release(lease)
        self._connection.shop.work.ring()
        self._connection.tell("release", "done", lease.order_id)
        await self._connection.answered(fault, lease.order_id)


class DistantOutbox:
    """The `Outbox` of one process."""

    def __init__(self, outbox: InMemoryOutbox, connection: Connection) -> None:
        self._outbox = outbox
        self._connection = connection

    async def claim_notices(self, *, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        fault = await self._connection.ask("claim_notices", None)
        notices = await self._outbox.claim_notices(limit=limit, hold=hold)
        await self._connection.answered(fault, None)
        return notices

    async def told(self, notice: Notice, /) -> None:
        fault = await self._connection.ask("told", notice.order.id)
        await self._outbox.told(notice)
        await self._connection.answered(fault, notice.order.id)

    async def tell_later(self, notice: Notice, /, *, delay: timedelta) -> None:
        fault = await self._connection.ask("tell_later", notice.order.id)
        await self._outbox.tell_later(notice, delay=delay)
        await self._connection.answered(fault, notice.order.id)

    async def give_up(self, notice: Notice, /, *, because: str) -> None:
        fault = await self._connection.ask("give_up", notice.order.id)
        await self._outbox.give_up(notice, because=because)
        await self._connection.answered(fault, notice.order.id)
