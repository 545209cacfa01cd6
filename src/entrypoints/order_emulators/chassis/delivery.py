"""Sends a pretended provider's events to the shop: in the background, again when refused."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from order_emulators.chassis.provider import EmulatedProvider, Event, Provision

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Posts a body with headers to an address; comes back with the status.

`httpx.HTTPError` and `OSError` mean that nobody answered.
"""

_MOST_EVENTS: Final = 10_000
_TRIES: Final = 6
_FIRST_PAUSE: Final = 0.1
_OK: Final = range(200, 300)
_SECONDS: Final = 10.0


async def post_over_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post over the network."""
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
        return (await client.post(url, content=body, headers=dict(headers))).status_code


@dataclass(slots=True)
class Told:
    """One event, and the status of each try to deliver it (0: nobody answered)."""

    event: Event
    tries: list[int] = field(default_factory=list)


class Delivery:
    """Delivers in order, unless told to hold, lose, shuffle, repeat or forge."""

    def __init__(self, provider: EmulatedProvider, provision: Provision, post: Post) -> None:
        self._provider = provider
        self._provision = provision
        self._post = post
        self._told: deque[Told] = deque(maxlen=_MOST_EVENTS)
        self._waiting: deque[tuple[Told, bool]] = deque(maxlen=_MOST_EVENTS)
        self._held: list[Told] = []
        self._is_holding = False
        self._copies = 1
        self._running: asyncio.Task[None] | None = None

    @property
    def told(self) -> tuple[Told, ...]:
        """The newest events, oldest first, delivered or not."""
        return tuple(self._told)

    def collect(self) -> None:
        """Take what the provider has to tell, and begin to deliver it."""
        for event in self._provider.take_events():
            told = Told(event)
            self._told.append(told)
            if self._is_holding and len(self._held) < _MOST_EVENTS:
                self._held.append(told)
            else:
                self._deliver([told] * self._copies)

    def hold(self) -> None:
        """Deliver nothing new until `release`."""
        self._is_holding = True

    def release(self, *, newest_first: bool = False) -> None:
        """Deliver what was held, and everything from now on."""
        held, self._held, self._is_holding = self._held, [], False
        self._deliver(reversed(held) if newest_first else held)

    def lose(self) -> None:
        """Deliver nothing of what was held, and everything from now on."""
        self._held, self._is_holding = [], False

    def repeat_each(self, copies: int) -> None:
        """Deliver every event from now on this many times."""
        self._copies = copies

    def again(self, event_id: str | None, *, forged: bool = False) -> int:
        """Deliver one event again, or all; answers how many. Forged ones are not retried."""
        found = [told for told in self._told if event_id in {None, told.event.id}]
        self._deliver(found, forged=forged)
        return len(found)

    async def drain(self) -> None:
        """Come back when nothing is waiting to be delivered."""
        while self._running is not None and not self._running.done():
            await asyncio.wait([self._running])

    def _deliver(self, events: Iterable[Told], *, forged: bool = False) -> None:
        if self._provision.webhook_url is None:
            return
        self._waiting.extend((told, forged) for told in events)
        if self._waiting and (self._running is None or self._running.done()):
            self._running = asyncio.get_running_loop().create_task(
                self._work(self._provision.webhook_url)
            )

    async def _work(self, url: str) -> None:
        while self._waiting:
            told, forged = self._waiting.popleft()
            for number in range(1 if forged else _TRIES):
                if number:
                    await self._provision.sleep(_FIRST_PAUSE * 2**number)
                told.tries.append(await self._try(told.event, url, forged=forged))
                if told.tries[-1] in _OK:
                    break

    async def _try(self, event: Event, url: str, *, forged: bool) -> int:
        at = self._provision.clock()
        signed = self._provider.signed(event, url=url, at=at, forged=forged)
        try:
            return await self._post(url, signed.body, signed.headers)
        except (httpx.HTTPError, OSError):
            return 0
