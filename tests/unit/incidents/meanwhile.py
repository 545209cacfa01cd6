"""Let something else happen at one exact call of a use case to the outside."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from order_core.assembly import OrderCore
from order_core.errors import OrderCoreError
from order_memory import InMemoryOutbox, InMemoryWorkQueue
from tests.unit.incidents.shop import Shop

Story = Callable[[OrderCore], Awaitable[Any]]
_MOST_CALLS = 200
_AWAITED = {
    "save", "get", "find_request", "find_by_transaction", "find_by_reference", "receive",
    "claim", "release", "send", "look_up", "claim_notices", "told", "tell_later", "tell",
    "events_to_match", "match",
}  # fmt: skip


@dataclass
class Meanwhile:
    """Pauses a use case before, or after, a call to the outside, as long as `story` takes.

    `call` is the name of a port's method, or None for any; `number` counts those calls.
    """

    story: Callable[[], Awaitable[Any]]
    call: str | None = None
    number: int = 1
    after: bool = False
    happened: bool = False
    calls: list[str] = field(default_factory=list)

    def core_of(self, shop: Shop) -> OrderCore:
        """The use cases of a process to which this happens."""
        return shop.assembled(
            orders=_Interrupted(shop.orders, self),
            work=_Interrupted(InMemoryWorkQueue(shop.orders), self),
            outbox=_Interrupted(InMemoryOutbox(shop.orders), self),
            gateways={"scripted": _Interrupted(shop.gateway, self)},
            notifier=_Interrupted(shop.notifier, self),
        )

    def is_now(self, name: str) -> bool:
        if self.call not in {None, name}:
            return False
        self.calls.append(name)
        return len(self.calls) == self.number

    async def happen(self) -> None:
        self.happened = True
        await self.story()


class _Interrupted:
    def __init__(self, port: Any, meanwhile: Meanwhile) -> None:
        self._port = port
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if name not in _AWAITED:
            return real
        meanwhile = self._meanwhile

        async def call(*args: Any, **named: Any) -> Any:
            now = meanwhile.is_now(name)
            if now and not meanwhile.after:
                await meanwhile.happen()
            result = await real(*args, **named)
            if now and meanwhile.after:
                await meanwhile.happen()
            return result

        return call


async def answer_of(doing: Awaitable[Any]) -> Any:
    """What it comes to: its result, or the error that it was refused with."""
    try:
        return await doing
    except OrderCoreError as refusal:
        return refusal


async def at_every_call(
    begin: Callable[[], Awaitable[Shop]], story: Story, other: Story
) -> AsyncIterator[tuple[Shop, Any, Any]]:
    """Run `story` once for each of its calls to the outside, with all of `other` just before it.

    Yields the shop and what both came to; the shop's use cases are those of a new process.
    """
    for number in range(1, _MOST_CALLS):
        shop = await begin()
        others: list[Any] = []

        async def happens(shop: Shop = shop, others: list[Any] = others) -> None:
            others.append(await answer_of(other(shop.assembled())))

        meanwhile = Meanwhile(happens, number=number)
        answer = await answer_of(story(meanwhile.core_of(shop)))
        if not meanwhile.happened:
            assert number > 1, "the story called nobody"
            return
        shop.core = shop.assembled()
        yield shop, answer, others[0]
    raise AssertionError("the story never came to an end")
