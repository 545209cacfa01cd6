"""A process of ours: it has a clock that is a little wrong, and it can stall and crash."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from order_core.assembly import OrderCore
from order_simulator.faults import Fault
from order_simulator.virtual_time import HOUR, SECOND, START, Scheduler, Task, die, pause

if TYPE_CHECKING:
    from order_simulator.shop import Shop


class SkewedClock:
    """A `Clock` that is off by a constant, and that sleeps in virtual time."""

    def __init__(self, scheduler: Scheduler, offset: int) -> None:
        self._scheduler = scheduler
        self._start = START + timedelta(microseconds=offset)
        self._read_at = -1
        self._read = START

    def now(self) -> datetime:
        time = self._scheduler.now
        if time != self._read_at:
            self._read_at = time
            self._read = self._start + timedelta(0, 0, time)
        return self._read

    async def sleep(self, seconds: float, /) -> None:
        await pause(max(int(seconds * SECOND), 0))


class NewIds:
    """Ids that grow with time, like the real ones."""

    def __init__(self) -> None:
        # All of one length, so that they sort as they were given.
        self._given = 1_000_000

    def new_id(self) -> str:
        self._given += 1
        return f"i{self._given}"


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
        self.has_wrong_clock = False
        self.strange_account = ""
        self.strange_installation = ""
        self.start()

    def start(self) -> None:
        """Begin with nothing in memory, once anything of ours runs."""
        shop = self.shop
        if shop.away_for():
            shop.scheduler.after(shop.away_for(), self.start)
            return
        self._draw_settings()
        self.core = shop.assembled(self)
        self.is_up = True
        self.paused_until = 0
        if shop.story is not None:
            shop.story.tell(shop.scheduler.now, self.name, "starts", None)
        if not self.serves:
            shop.begin_work(self)

    def _draw_settings(self) -> None:
        shop, chance, knobs = self.shop, self.shop.chance, self.shop.knobs
        # Most clocks are kept well; some are as far off as the knob allows.
        skew = int(knobs.skew * chance.choice((0.01, 1, 1)) * SECOND)
        offset = chance.randint(-skew, skew)
        self.has_wrong_clock = chance.happens(knobs.wrong_clock)
        if self.has_wrong_clock:
            # By more than the longest stall, which could hide it.
            offset = chance.choice((-1, 1)) * int(chance.uniform(3, 50) * HOUR)
            shop.inject(Fault.CLOCK_WRONG, self.name, None)
        self.clock = SkewedClock(shop.scheduler, offset)
        self.strange_account = self.strange_installation = ""
        if not self.serves and chance.happens(knobs.strange_worker):
            shop.inject(Fault.STRANGE_WORKER, self.name, None)
            if chance.happens(0.5):
                self.strange_account = "acct-elsewhere"
            else:
                self.strange_installation = "elsewhere"
        if self.has_wrong_clock or self.is_strange:
            # Somebody sees it, and starts it anew.
            shop.scheduler.after(int(chance.uniform(0.2, 2) * HOUR), self.crash)

    @property
    def is_strange(self) -> bool:
        """Whether its settings are another shop's."""
        return bool(self.strange_account or self.strange_installation)

    def is_offered_requests(self, now: int) -> bool:
        """Whether a load balancer believes in this process: it needs a while to notice."""
        if self.has_wrong_clock:
            # Which it says itself.
            return False
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
        seconds = shop.chance.choice((2, 20, 45, 45, 90, 11 * 60, 42 * 60, 75 * 60))
        await self.stand_still(seconds * (0.7 + shop.chance.random() * 0.6))

    async def stand_still(self, seconds: float) -> None:
        """Do nothing for a while; the clock goes on, and whoever waits for it gives up."""
        self._stalls_since = self.shop.scheduler.now
        self.paused_until = self._stalls_since + int(seconds * SECOND)
        await pause(0)
