"""Two participants take turns at every call to the outside, in every order
that interrupts one of them up to four times.

A coroutine cannot be copied, so each order of turns is run from the beginning: the list
of choices is the address of a run, and the next run differs from it in its last choice.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import OrderCoreError
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_memory import InMemoryWorkQueue

_MOST_TURNS = 200
_MOST_INTERRUPTIONS = 4
_TURN_CALLS = {"save", "get", "find_request", "claim", "release", "send", "look_up"}


class _Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


class _TakesTurns:
    """A port that lets the other participant go first, at each of its calls."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if name not in _TURN_CALLS:
            return real

        async def call(*args: Any, **named: Any) -> Any:
            await _Turn()
            return await real(*args, **named)

        return call


def in_turns(shop: Any) -> Any:
    return shop.assembled(
        orders=_TakesTurns(shop.orders),
        work=_TakesTurns(InMemoryWorkQueue(shop.orders)),
        gateways={"scripted": _TakesTurns(shop.gateway)},
    )


class Participant:
    def __init__(self, story: Coroutine[Any, Any, Any]) -> None:
        self._story = story
        self.answer: Any = None
        self.done = False

    def take_turn(self) -> None:
        try:
            self._story.send(None)
        except StopIteration as end:
            self.done, self.answer = True, end.value
        except OrderCoreError as refusal:
            self.done, self.answer = True, refusal


def run_with(choices: list[int], participants: list[Participant]) -> list[tuple[int, int]]:
    """Let them take turns as `choices` says, then each to its end.

    Choice 0 goes on with whoever had the last turn. Interrupting somebody is allowed
    `_MOST_INTERRUPTIONS` times: bugs that need more are rare, and the runs many.
    Returns what was chosen at each turn, and out of how many.
    """
    made: list[tuple[int, int]] = []
    last = participants[0]
    interruptions = 0
    while waiting := [p for p in participants if not p.done]:
        waiting.sort(key=lambda p: p is not last)
        going_on = last in waiting
        allowed = waiting[:1] if going_on and interruptions == _MOST_INTERRUPTIONS else waiting
        choice = choices[len(made)] if len(made) < len(choices) else 0
        made.append((choice, len(allowed)))
        interruptions += going_on and choice > 0
        last = allowed[choice]
        last.take_turn()
        assert len(made) < _MOST_TURNS, "they never came to an end"
    return made


def every_order_of_turns(
    begin: Callable[[], tuple[Any, list[Participant]]],
) -> Iterator[tuple[Any, list[Participant]]]:
    choices: list[int] = []
    while True:
        world, participants = begin()
        made = run_with(choices, participants)
        yield world, participants
        while made and made[-1][0] + 1 == made[-1][1]:
            made.pop()
        if not made:
            return
        choices = [choice for choice, _ in made[:-1]] + [made[-1][0] + 1]


def finish(story: Awaitable[Any]) -> Any:
    """Run a story that waits for nobody else."""
    participant = Participant(story)  # type: ignore[arg-type] # Every `async def` is a coroutine.
    participant.take_turn()
    assert participant.done
    if isinstance(participant.answer, OrderCoreError):
        raise participant.answer
    return participant.answer


TOKENS = ["ok", "declined", "lost_answer", "lost_request", "two_step", "error_after"]


@pytest.mark.parametrize("token", TOKENS)
def test_two_requests_with_one_key_make_one_order_and_one_charge(
    make_shop: Any, token: str
) -> None:
    def begin() -> tuple[Any, list[Participant]]:
        # Short patience: a repeat that waits looks again and again, at the same thing.
        shop = make_shop(wait_for_first=timedelta(milliseconds=50))
        shop.core = in_turns(shop)
        return shop, [Participant(shop.place(payment_method=token, key="k")) for _ in range(2)]

    runs = 0
    for shop, participants in every_order_of_turns(begin):
        runs += 1
        assert len(shop.all_orders) == 1
        told = {p.answer.status for p in participants if isinstance(p.answer, Order)}
        assert told, "nobody got an answer"
        assert len({asked.order_id for asked in shop.gateway.asked}) == 1
        shop.core = shop.assembled()
        finish(shop.work_until())
        shop.assert_order_and_money_agree()
        (order,) = shop.all_orders
        if OrderStatus.PENDING in told:
            assert order.status is OrderStatus.PENDING
        if OrderStatus.PAYMENT_FAILED in told:
            assert order.status is OrderStatus.PAYMENT_FAILED
    assert runs >= 10


@pytest.mark.parametrize("token", ["ok", "lost_answer", "lost_request", "action_required"])
def test_two_cancels_give_the_money_back_once(make_shop: Any, token: str) -> None:
    def begin() -> tuple[Any, list[Participant]]:
        shop = make_shop()
        order = finish(shop.place(payment_method=token))
        shop.core = in_turns(shop)
        cancel = shop.core.cancel
        return shop, [Participant(cancel(order.id, customer_id="ann")) for _ in range(2)]

    for shop, participants in every_order_of_turns(begin):
        assert {p.answer.status for p in participants} == {OrderStatus.CANCELLED}
        shop.core = shop.assembled()
        finish(shop.work_until())
        shop.assert_order_and_money_agree()
        assert shop.net_minor_units_at_the_provider() == 0


@pytest.mark.parametrize("token", [*TOKENS, "late_request"])
def test_a_worker_beside_a_request_that_was_paused_charges_once(make_shop: Any, token: str) -> None:
    def begin() -> tuple[Any, list[Participant]]:
        shop = make_shop()
        shop.core = in_turns(shop)

        async def work_after_the_lease() -> None:
            await _Turn()
            shop.clock.advance(timedelta(minutes=1))
            await shop.core.recover()

        place = shop.place(payment_method=token)
        return shop, [Participant(place), Participant(work_after_the_lease())]

    for shop, (client, _worker) in every_order_of_turns(begin):
        shop.core = shop.assembled()
        finish(shop.work_until(passed=timedelta(minutes=20)))
        shop.gateway.deliver_late_requests()
        finish(shop.work_until())
        shop.assert_order_and_money_agree()
        if isinstance(client.answer, Order):
            (order,) = shop.all_orders
            told, now = client.answer.status, order.status
            assert told in {now, OrderStatus.AWAITING_PAYMENT}


@pytest.mark.parametrize("token", [*TOKENS, "action_required"])
def test_a_cancel_beside_a_worker_leaves_nothing_taken(make_shop: Any, token: str) -> None:
    def begin() -> tuple[Any, list[Participant]]:
        shop = make_shop()
        order = finish(shop.place(payment_method=token))
        shop.clock.advance(timedelta(minutes=1))
        shop.core = in_turns(shop)
        cancel = shop.core.cancel(order.id, customer_id="ann")
        return shop, [Participant(cancel), Participant(shop.core.recover())]

    for shop, (client, _worker) in every_order_of_turns(begin):
        shop.core = shop.assembled()
        finish(shop.work_until())
        shop.assert_order_and_money_agree()
        if isinstance(client.answer, Order):
            assert shop.net_minor_units_at_the_provider() == 0
            assert shop.all_orders[0].status is OrderStatus.CANCELLED


@pytest.mark.parametrize("token", ["lost_answer", "lost_request", "two_step", "action_required"])
def test_two_workers_on_one_order_move_its_money_once(make_shop: Any, token: str) -> None:
    def begin() -> tuple[Any, list[Participant]]:
        shop = make_shop()
        finish(shop.place(payment_method=token))
        shop.clock.advance(timedelta(minutes=1))
        shop.core = in_turns(shop)

        async def work_after_the_lease() -> None:
            await _Turn()
            shop.clock.advance(timedelta(minutes=1))
            await shop.core.recover()

        return shop, [Participant(shop.core.recover()), Participant(work_after_the_lease())]

    for shop, _workers in every_order_of_turns(begin):
        shop.core = shop.assembled()
        finish(shop.work_until())
        shop.assert_order_and_money_agree()
