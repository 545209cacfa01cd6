"""A process may die at any call to the outside: just before it, or just after it.

Each test counts the calls of an undisturbed run, then runs once more for every one of
them and dies there. Then a new process works until everything rests, and the books of
the shop are compared with those of the provider.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import OrderCoreError
from order_core.money import Money
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode
from order_memory import InMemoryOutbox, InMemoryWorkQueue, reactions

_AWAITED = {
    "save", "get", "find_request", "claim", "release", "send", "look_up",
    "claim_notices", "told", "tell_later", "tell",
}  # fmt: skip


class Died(BaseException):
    """The process is gone: nothing catches this, as nothing catches `kill -9`."""


@dataclass
class Fate:
    """Dies at call number `at`, before or after its effect; `at` 0 lives and only counts."""

    at: int = 0
    after: bool = False
    calls: list[str] = field(default_factory=list)

    def over(self, port: Any) -> Any:
        return _Mortal(port, self)


class _Mortal:
    def __init__(self, port: Any, fate: Fate) -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if name not in _AWAITED:
            return real
        fate = self._fate

        async def call(*args: Any, **named: Any) -> Any:
            fate.calls.append(name)
            mine = len(fate.calls) == fate.at
            if mine and not fate.after:
                raise Died
            result = await real(*args, **named)
            if mine:
                raise Died
            return result

        return call


def mortal(shop: Any, fate: Fate) -> Any:
    """The use cases of a process that dies as `fate` says."""
    return shop.assembled(
        orders=fate.over(shop.orders),
        work=fate.over(InMemoryWorkQueue(shop.orders)),
        outbox=fate.over(InMemoryOutbox(shop.orders)),
        gateways={"scripted": fate.over(shop.gateway)},
        notifier=fate.over(shop.notifier),
    )


async def _placed(shop: Any, token: str) -> Any:
    return await shop.place(payment_method=token, key="k-1")


async def place(shop: Any, token: str) -> None:
    await _placed(shop, token)


async def cancel(shop: Any, token: str) -> None:
    order = await _placed(shop, token)
    await shop.core.cancel(order.id, customer_id="ann")


async def work(shop: Any, token: str) -> None:
    await _placed(shop, token)
    await shop.work_until()


SCENARIOS: list[tuple[Callable[[Any, str], Any], str]] = [
    (story, token)
    for story in (place, cancel, work)
    for token in (
        "ok", "declined", "two_step", "lost_answer", "lost_request", "error_after", "error_before",
        "action_required", "late_request",
    )
    if (story, token) != (cancel, "declined")
]  # fmt: skip


async def run(make_shop: Any, story: Any, token: str, fate: Fate) -> Any:
    shop = make_shop()
    shop.core = mortal(shop, fate)
    with contextlib.suppress(Died):
        await story(shop, token)
    # The next process lives. The provider hears whatever was still on its way.
    shop.core = shop.assembled()
    shop.gateway.deliver_late_requests()
    await shop.work_until()
    return shop


@pytest.mark.parametrize(
    ("story", "token"), SCENARIOS, ids=lambda value: getattr(value, "__name__", value)
)
async def test_wherever_it_dies_order_and_money_agree_in_the_end(
    make_shop: Any, story: Any, token: str
) -> None:
    undisturbed = Fate()
    await run(make_shop, story, token, undisturbed)
    calls = min(len(undisturbed.calls), 40)
    assert calls >= 2
    for at in range(1, calls + 1):
        for after in (False, True):
            fate = Fate(at, after)
            shop = await run(make_shop, story, token, fate)
            where = f"died {'after' if after else 'before'} call {at}, {fate.calls[-1]}"
            try:
                shop.assert_order_and_money_agree()
                assert len(shop.gateway.ledger.entries) <= 3
            except AssertionError as broken:
                raise AssertionError(f"{where}: {broken}") from broken


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("token", ["ok", "lost_answer", "two_step"])
async def test_the_client_who_repeats_his_key_after_the_crash_pays_once(
    make_shop: Any, token: str, *, after: bool
) -> None:
    for at in range(1, 6):
        shop = make_shop()
        shop.core = mortal(shop, Fate(at, after))
        with contextlib.suppress(Died):
            await place(shop, token)
        shop.core = shop.assembled()
        try:
            await place(shop, token)
        except OrderCoreError:
            # "Still running": as far as the store knows, the first request is.
            assert shop.all_orders
        await shop.work_until()
        shop.assert_order_and_money_agree()
        assert [order.status for order in shop.all_orders] == [OrderStatus.PENDING]
        assert shop.net_minor_units_at_the_provider() == 2500


async def test_a_mail_whose_delivery_was_not_noted_comes_twice_with_one_id(shop: Any) -> None:
    await shop.place()
    fate = Fate(at=2, after=True)
    with pytest.raises(Died):
        await mortal(shop, fate).tell()
    assert fate.calls == ["claim_notices", "tell"]
    await shop.work_until()

    assert len({notice.id for notice in shop.notifier.told}) == 1
    assert len(shop.notifier.told) == 2


async def test_a_refund_survives_a_crash_between_the_cancel_and_its_call(shop: Any) -> None:
    placed = await shop.place()
    fate = Fate(at=3)
    with pytest.raises(Died):
        await mortal(shop, fate).cancel(placed.id, customer_id="ann")
    assert fate.calls == ["get", "save", "send"]
    assert shop.net_minor_units_at_the_provider() == 2500
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 0
    shop.assert_order_and_money_agree()


async def test_the_crash_test_sees_money_that_no_order_has(shop: Any) -> None:
    """The comparison itself can fail: a charge behind the shop's back is noticed."""
    placed = await shop.place()
    shop.gateway.ledger.carry_out(placed.charge)

    with pytest.raises(AssertionError):
        shop.assert_order_and_money_agree()


@pytest.mark.parametrize("reaction", [None, reactions.LOSE_ANSWER, reactions.LOSE_REQUEST])
@pytest.mark.parametrize("after", [False, True])
async def test_a_part_refund_is_given_once_wherever_its_process_dies(
    make_shop: Any, reaction: Any, *, after: bool
) -> None:
    for at in range(1, 5):
        shop = make_shop()
        placed = await shop.place()
        if reaction:
            shop.gateway.react(reaction)
        ten = Money(1000, "EUR")
        with contextlib.suppress(Died):
            await mortal(shop, Fate(at, after)).refund(placed.id, amount=ten, by="s", key="r-1")
        shop.core = shop.assembled()
        await shop.core.refund(placed.id, amount=ten, by="s", key="r-1")
        await shop.work_until()
        assert shop.net_minor_units_at_the_provider() == 1500
        assert (await shop.orders.get(placed.id)).refunded_minor_units == 1000


@pytest.mark.parametrize("reaction", [None, reactions.LOSE_ANSWER, reactions.LOSE_REQUEST])
@pytest.mark.parametrize("after", [False, True])
async def test_a_capture_is_taken_once_wherever_its_process_dies(
    make_shop: Any, reaction: Any, *, after: bool
) -> None:
    for at in range(1, 5):
        shop = make_shop(capture=CaptureMode.ON_PROCESSING)
        placed = await shop.place()
        if reaction:
            shop.gateway.react(reaction)
        with contextlib.suppress(Died):
            await mortal(shop, Fate(at, after)).process(placed.id, by="s")
        shop.core = shop.assembled()
        await shop.work_until(passed=timedelta(hours=3))
        # If it died before it recorded anything, this is the first attempt, and may need help.
        await shop.core.process(placed.id, by="s")
        await shop.work_until(passed=timedelta(hours=3))
        order = await shop.orders.get(placed.id)
        assert (order.status, order.captured_minor_units) == (OrderStatus.PROCESSING, 2500)
        entries = shop.gateway.ledger.entries
        captures = [e for e in entries if e.transaction.kind is TransactionKind.CAPTURE]
        assert len(captures) == 1
