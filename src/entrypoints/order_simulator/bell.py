"""How idle workers of a simulated shop rest: only looks that may find something are played."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from order_simulator.virtual_time import DAY, SECOND, START, Task, wait

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_MICROSECOND: Final = timedelta(microseconds=1)
_PROMPT: Final = SECOND // 2
"""What is known to come is late by at least so much, now and then."""
_LONGEST: Final = DAY
"""After which a worker looks in any case, and sees whether the shop is over."""


@dataclass(slots=True)
class _Rest:
    """Of one worker: when it began, how often the worker would look, and when it does next."""

    since: int
    beat: int
    until: int


class Bell:
    """Wakes the workers that wait for one kind of work.

    The real worker asks twice a second, and nothing happens at a question that finds nothing.
    Here each worker has a beat of its own, slower than that, so that work waits for a while as
    it does behind a busy worker; of its beats only those are played at which work is there.
    What the worker knew of when it began to rest, it takes soon after it is due.
    """

    def __init__(self, shop: "Shop", next_due: Callable[[], datetime | None]) -> None:
        self._shop = shop
        self._next_due = next_due
        """When there is work next; None if no work is known of."""
        self._known: datetime | None = None
        """The work that all who rest have heard of."""
        self._resting: dict[Task, _Rest] = {}

    async def rest(self) -> None:
        """Come back when there is work, or after a long time."""
        scheduler, chance = self._shop.scheduler, self._shop.chance
        worker, now = scheduler.current, scheduler.now
        if worker is None:
            raise RuntimeError("only tasks can rest")
        next_due = self._next_due()
        if next_due != self._known:
            self._known = None
        beat = self._shop.longest_idle()
        rest = _Rest(now, int(beat * (0.8 + 0.4 * chance.random())), now + _LONGEST)
        if next_due is not None:
            due = _as_time(next_due)
            late = min(max(due - now, _PROMPT), beat) * 0.2 * chance.random()
            rest.until = min(rest.until, max(due, now) + int(late))
        self._resting[worker] = rest
        scheduler.wake(worker, rest.until - now)
        try:
            await wait()
        finally:
            del self._resting[worker]

    def ring(self) -> None:
        """There may be work now that nobody knew of: whoever rests looks at its next beat."""
        next_due = self._next_due()
        if next_due is None or next_due == self._known:
            return
        self._known = next_due
        scheduler, due = self._shop.scheduler, _as_time(next_due)
        for worker, rest in self._resting.items():
            beats = (scheduler.now - rest.since) // rest.beat + 1
            at = max(due, rest.since + beats * rest.beat)
            if at < rest.until:
                rest.until = at
                scheduler.wake(worker, at - scheduler.now)

    def is_due(self) -> bool:
        """Whether there is work now."""
        due = self._next_due()
        return due is not None and due <= self._shop.true_clock.now()


def _as_time(moment: datetime) -> int:
    return (moment - START) // _MICROSECOND
