"""One run: start, break and buy, calm down, rest, compare."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Final

from order_sqlalchemy import Database, Timeouts, open_database
from tests.chaos import customers, staff, telling
from tests.chaos.books import Books, Movement, read_books
from tests.chaos.calling import Caller
from tests.chaos.comparing import Offence, offences
from tests.chaos.customers import Customer
from tests.chaos.dashboard import Dashboard
from tests.chaos.diary import Diary
from tests.chaos.havoc import Havoc
from tests.chaos.heard import Heard
from tests.chaos.resting import Rest
from tests.chaos.staff import Clerk
from tests.chaos.town import PROVIDERS, Plan, Town
from tests.chaos.watching import Watch
from tests.integration.service_process import command, environment

_CUSTOMERS: Final = 8
_CLERKS: Final = 2
_FINISH_SECONDS: Final = 180.0
_ASKED_AGAIN: Final = 200
_COMMAND_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Outcome:
    """What the run came to."""

    is_clean: bool
    tells: str
    verdict: str
    """In one line."""


async def carry_out(plan: Plan) -> Outcome:
    """The whole run.

    Raises:
        RuntimeError: something did not start, or does not answer any more.
        TimeoutError: the clients did not come to an end in a calm shop.
    """
    diary, heard = Diary(), Heard()
    town = Town(plan, diary)
    try:
        await town.start()
        # Past the wire that is cut: what is compared is read for sure.
        timeouts = Timeouts(connect=20, pool=20, statement=60)
        database = open_database(town.database_url, pool_size=2, timeouts=timeouts)
        try:
            return await _run(town, database, heard)
        finally:
            await database.close()
    finally:
        await town.close()


async def _run(town: Town, database: Database, heard: Heard) -> Outcome:
    diary, watch = town.diary, Watch(database)
    over = asyncio.Event()
    async with AsyncExitStack() as closing:
        buyers, clerks = await _people(town, heard, closing)
        watching = asyncio.create_task(watch.run())
        working = [asyncio.create_task(buyer.shop(over)) for buyer in buyers]
        working += [asyncio.create_task(clerk.serve(over)) for clerk in clerks]
        working.append(asyncio.create_task(Dashboard(town, heard).work(over)))
        await Havoc(town).run(town.plan.seconds)
        await town.calm_down()
        over.set()
        _say(diary, "calm again; clients finish what they have begun")
        async with asyncio.timeout(_FINISH_SECONDS):
            await asyncio.gather(*working)
            await _ask_again(heard, buyers, Random(town.plan.seed))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    _say(diary, "reading what the providers told and nobody delivered")
    unread = await _reconciled(town)
    _say(diary, "waiting until all rests")
    rest = Rest(town, database)
    await rest.wait()
    _say(diary, "comparing")
    books = await _read(town, database, heard, watch)
    found = unread + watch.found + offences(books, heard) + await _verified(town.database_url)
    tells = telling.summary(books, heard, diary, hours=rest.hours)
    if found:
        stories = telling.stories(found, books, heard, town)
        return Outcome(False, f"{tells}\n{stories}", telling.verdict(found))
    return Outcome(True, tells, f"nothing contradicts anything ({diary.seconds:.0f} s in all)")


async def _people(
    town: Town, heard: Heard, closing: AsyncExitStack
) -> tuple[list[Customer], list[Clerk]]:
    async def caller(who: str, scopes: list[str]) -> Caller:
        chance = Random(f"{town.plan.seed} {who}")
        one = Caller(
            who, scopes, doors=town.door_urls, heard=heard, diary=town.diary, chance=chance
        )
        return await closing.enter_async_context(one)

    buyers = [
        Customer(await caller(f"customer-{number}", customers.SCOPES), town)
        for number in range(_CUSTOMERS)
    ]
    clerks = [Clerk(await caller(f"clerk-{number}", staff.SCOPES)) for number in range(_CLERKS)]
    return buyers, clerks


async def _ask_again(heard: Heard, buyers: list[Customer], chance: Random) -> None:
    """Every wish without a definite answer, and some of those that had one."""
    wishes = list(heard.wishes.values())
    again = [wish for wish in wishes if not wish.is_settled]
    again += chance.sample(wishes, min(_ASKED_AGAIN, len(wishes)))

    async def ask(number: int, buyer: Customer) -> None:
        for wish in again:
            if wish.customer == f"customer-{number}":
                await buyer.settle(wish)

    await asyncio.gather(*(ask(number, buyer) for number, buyer in enumerate(buyers)))


async def _read(town: Town, database: Database, heard: Heard, watch: Watch) -> Books:
    movements = [
        Movement.of(provider, entry)
        for provider in PROVIDERS
        for entry in await town.ledger(provider)
    ]
    return await read_books(database, movements, heard, watch.seen)


async def _reconciled(town: Town) -> list[Offence]:
    """Take in what was lost on its way, as after a restore."""
    return await _told_by("reconcile", town.settings | {"DATABASE_URL": town.database_url})


async def _verified(database_url: str) -> list[Offence]:
    """What `order-core verify` says, which sees our database only."""
    return await _told_by("verify", {"DATABASE_URL": database_url})


async def _told_by(name: str, settings: dict[str, str]) -> list[Offence]:
    """An offence if the command does not end well."""
    running = await asyncio.create_subprocess_exec(
        *command(name),
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_COMMAND_SECONDS):
            said, complained = await running.communicate()
    except TimeoutError:
        running.kill()
        await running.wait()
        raise
    if running.returncode == 0:
        return []
    text = (said + complained).decode("utf-8", "replace")
    return [Offence(f"order-core {name} ends with {running.returncode}: {text[-2000:]}")]


def _say(diary: Diary, what: str) -> None:
    telling.say(f"  {diary.seconds:6.0f} s  {what}")
