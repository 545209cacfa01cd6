"""A process of ours: it has a clock that is a little wrong, and it can stall and crash."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from order_core.assembly import OrderCore
from order_simulator.faults import Fault
from order_simulator.virtual_time import MINUTE, SECOND, START, Scheduler, Task, die, pause

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_POLL: Final = 10 * SECOND
"""So often a worker asks for orders that are due and that somebody else holds."""


class SkewedClock:
    """A `Clock` that is off by a constant, and that sleeps in virtual time."""

    def __init__(self, scheduler: Scheduler, offset: int) -> None:
        self._scheduler = scheduler
        self._offset = offset
        self._read_at = -1
        self._read = START

    def now(self) -> datetime:
        time = self._scheduler.now
        if time != self._read_at:
            self._read_at = time
            self._read = START + timedelta(microseconds=time + self._offset)
        return self._read

    async def sleep(self, seconds: float, /) -> None:
        await pause(max(int(seconds * SECOND), 0))


class NewIds:
    """Ids that grow with time, like the real ones."""

    def __init__(self) -> None:
        self._given = 0

    def new_id(self) -> str:
        self._given += 1
        return f"i{self._given:07}"


class Process:
    """An API instance or a worker. After a crash it starts anew, with a core of its own."""

    def __init__(self, shop: "Shop", name: str, *, serves: bool) -> None:
        self.shop = shop
        self.name = name
        self.serves = serves
        self.paused_until = 0
        self._stalls_since = 0
        self.is_up = False
        self._tasks: dict[Task, None] = {}
        self.core: OrderCore
        self.clock: SkewedClock
        self.start()

    def start(self) -> None:
        """Begin with nothing in memory."""
        shop = self.shop
        # Most clocks are kept well; some are as far off as the knob allows.
        skew = int(shop.knobs.skew * shop.chance.choice((0.01, 1, 1)) * SECOND)
        self.clock = SkewedClock(shop.scheduler, shop.chance.randint(-skew, skew))
        self.core = shop.assembled(self)
        self.is_up = True
        self.paused_until = 0
        if shop.story is not None:
            shop.story.tell(shop.scheduler.now, self.name, "starts", None)
        if not self.serves:
            shop.begin_work(self)

    def is_offered_requests(self, now: int) -> bool:
        """Whether a load balancer believes in this process: it needs a while to notice."""
        return self.is_up and (now >= self.paused_until or now < self._stalls_since + 10 * SECOND)

    def run(
        self,
        coroutine: Coroutine[Any, Any, Any],
        name: str,
        *,
        background: bool = False,
        on_end: Callable[[Task], None] | None = None,
    ) -> Task:
        """Run a task in this process, until it ends or the process crashes."""
        task = self.shop.scheduler.start(
            coroutine, name, process=self, background=background, on_end=on_end
        )
        self._tasks[task] = None
        return task

    def ended(self, task: Task, /) -> None:
        self._tasks.pop(task, None)

    def crash(self) -> None:
        """End everything that runs here, and start anew a little later."""
        shop = self.shop
        if not self.is_up:
            return
        shop.count_restart()
        if shop.story is not None:
            shop.story.tell(shop.scheduler.now, self.name, "CRASHES", None)
        self.is_up = False
        for task in tuple(self._tasks):
            shop.scheduler.kill(task)
        down = int(SECOND * shop.chance.choice((0.2, 2, 2, 10, 60, 300)))
        shop.scheduler.after(down, self.start)

    # Trouble at a call of a port ----------------------------------------------------------

    def trouble(self) -> Fault | None:
        """What befalls the process at this call, if anything does."""
        shop = self.shop
        if shop.is_calm:
            return None
        chance = shop.chance.random()
        knobs = shop.knobs
        if chance < knobs.crash:
            return shop.chance.choice((Fault.CRASH_BEFORE, Fault.CRASH_AFTER))
        if chance < knobs.crash + knobs.stall:
            return shop.chance.choice((Fault.STALL_BEFORE, Fault.STALL_AFTER))
        return None

    async def suffer(self, fault: Fault, order_id: str | None) -> None:
        """Crash, or stand still for a while."""
        shop = self.shop
        shop.inject(fault, self.name, order_id)
        if fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}:
            await die()
        stall = shop.chance.choice((2, 20, 45, 45, 90, 11 * 60, 42 * 60, 75 * 60)) * SECOND
        self._stalls_since = shop.scheduler.now
        self.paused_until = self._stalls_since + int(stall * (0.7 + shop.chance.random() * 0.6))
        # Its clock goes on meanwhile, and whoever waits for it gives up.
        await pause(0)


def idle_pause(now: datetime, due: datetime | None, *, busy: bool) -> int:
    """How long a worker that found nothing waits before it asks again.

    The real one asks twice a second. Nothing happens at a question that finds nothing, so
    the simulated one sleeps until something is due, and looks in between as often as needed
    to meet what comes up meanwhile. `now` is the slower of the two clocks that must agree on
    it: the worker's own, and the store's.
    """
    longest = 15 * SECOND if busy else 10 * MINUTE
    if due is None:
        return longest
    wanted = int((due - now) / timedelta(microseconds=1))
    return min(max(wanted, _POLL), longest)
