"""The run in words: what was done, what came of it, and the whole story of an offender."""

import base64
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import unquote_plus

from order_core.order import PaymentStatus
from tests.chaos.books import Books
from tests.chaos.comparing import Offence
from tests.chaos.diary import Diary
from tests.chaos.heard import Heard
from tests.chaos.town import PROVIDERS, Town

_MOST_STORIES: Final = 5
_MARGIN_SECONDS: Final = 8.0
_MOST_LINES: Final = 60
_LONGEST_LINE: Final = 1000


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def summary(books: Books, heard: Heard, diary: Diary, *, hours: float) -> str:
    """What happened, in figures."""
    statuses = Counter(e.order.status.value for e in books.evidence.values())
    reviewed = sum(
        e.order.payment_status is PaymentStatus.IN_REVIEW for e in books.evidence.values()
    )
    moved = Counter(
        movement.kind for each in books.movements.values() for movement in each if movement.moved
    )
    told = {name: n for name, n in diary.counts.items() if name.startswith("answer ")}
    done = {
        name: n
        for name, n in diary.counts.items()
        if name not in told and not name.startswith(("is up", "rests", "calm"))
    }
    accepted = sum(wish.is_accepted for wish in heard.refunds.values())
    lines = [
        f"{len(heard.wishes)} wishes made {len(books.evidence)} orders: {_listed(statuses)}",
        f"{reviewed} of them left to a person",
        f"at the providers: {_listed(moved)}",
        f"done to them: {_listed(done)}",
        f"answers: {_listed({name.removeprefix('answer '): n for name, n in told.items()})}",
        f"staff's refunds: {len(heard.refunds)} wanted, {accepted} accepted",
        f"all rested with the clock {hours:g} hours ahead",
    ]
    return "\n".join(f"  {line}" for line in lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "nothing"


def stories(found: list[Offence], books: Books, heard: Heard, town: Town) -> str:
    """The offences, and everything that is known about the first few offenders."""
    lines = [f"{len(found)} offences:"]
    lines += [f"  {_whose(each)}: {each.says}" for each in found[:_MOST_LINES]]
    told: list[str] = []
    for each in found:
        order_id = each.order_id
        if order_id in books.evidence and order_id not in told and len(told) < _MOST_STORIES:
            told.append(order_id)
            lines += ["", *_story(order_id, books, heard, town)]
    return "\n".join(lines)


def verdict(found: list[Offence]) -> str:
    """How many there are, and the first of them, in one line that is not too long."""
    first = " ".join(f"{_whose(found[0])}: {found[0].says}".split())
    return f"{len(found)} offences, first: {first[:_LONGEST_LINE]}"


def _whose(offence: Offence) -> str:
    return f"order {offence.order_id or '-'}, key {offence.key or '-'}"


def _story(order_id: str, books: Books, heard: Heard, town: Town) -> Iterator[str]:
    evidence = books.evidence[order_id]
    order = evidence.order
    yield f"Order {order_id}: {order.status}, {order.payment_status}, total {order.total}"
    yield " what clients were told:"
    keys = {key for (_, key), stored in books.keys.items() if stored == order_id}
    answers = [a for a in heard.answers if a.order_id == order_id or a.key in keys]
    yield from (f"   {answer}" for answer in answers[:_MOST_LINES])
    yield " what happened, by its own history:"
    for happened in evidence.history or ():
        yield f"   {_seconds(happened.at - town.diary.began_at)}  {happened.event}"
    yield " its movements of money:"
    for transaction in order.transactions:
        yield f"   {_seconds(transaction.recorded_at - town.diary.began_at)}  {transaction}"
    yield " the provider's books about it:"
    yield from (f"   {movement}" for movement in books.movements.get(order_id, ()))
    yield " what the provider was asked about it:"
    names = {order_id, *(t.id for t in order.transactions)}
    names |= {t.provider_reference for t in order.transactions if t.provider_reference}
    yield from (f"   {line}" for line in _requests(names, town))
    yield " what was done to the shop then:"
    first = (order.created_at - town.diary.began_at).total_seconds()
    last = max((a.at for a in answers), default=first)
    during = town.diary.between(first - _MARGIN_SECONDS, last + _MARGIN_SECONDS)
    yield from (f"   {line}" for line in during[: 2 * _MOST_LINES])


def _requests(names: set[str], town: Town) -> Iterator[str]:
    for provider in PROVIDERS:
        journal = town.journal(provider)
        lines = journal.read_text().splitlines()[1:] if journal.exists() else []
        for line in lines:
            entry = json.loads(line)
            body = unquote_plus(base64.b64decode(entry.get("body", "")).decode("utf-8", "replace"))
            asked = f"{entry.get('path', '')} {body} {entry.get('act', '')}"
            if any(name in asked for name in names):
                key = entry.get("headers", {}).get("idempotency-key", "")
                yield f"{entry['at']}  {provider} {entry.get('method', '')} {key} {asked}"


def _seconds(since: timedelta) -> str:
    return f"{since.total_seconds():8.2f} s"
