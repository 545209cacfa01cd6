"""The provider's own record of its events, as a process reads it over a network."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from order_core.errors import EventsUnavailable
from order_core.ports import EventPage
from order_simulator.faults import Fault
from order_simulator.virtual_time import SECOND, pause

if TYPE_CHECKING:
    from order_simulator.process import Process

_BEFORE: Final = frozenset({Fault.CRASH_BEFORE, Fault.STALL_BEFORE})


class Record:
    """The `EventLog` of one process."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._shop = process.shop

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        process, shop, chance = self._process, self._shop, self._shop.chance
        await pause(int(chance.random() * SECOND))
        trouble = process.trouble()
        if trouble in _BEFORE and trouble is not None:
            await process.suffer(trouble, None)
        is_down = shop.scheduler.now < shop.provider_down_until
        if is_down or chance.happens(shop.knobs.look_up_fault):
            shop.inject(Fault.RECORD_UNANSWERED, process.name, None)
            raise EventsUnavailable("told to fail")
        shown = await shop.provider.post.record.read(begin, end, page=page)
        if trouble is not None:
            await process.suffer(trouble, None)
        return shown
