"""The scripted provider does what the test says, and nothing that a provider would not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Declined,
    InProgress,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_memory import ManualClock, ScriptedGateway, Standing
from order_memory.contracts import samples
from order_memory.reactions import (
    DELAY_REQUEST,
    FAIL_AFTER,
    FAIL_BEFORE,
    LIMIT_RATE,
    LOSE_ANSWER,
    LOSE_REQUEST,
    NOT_SEND,
    SAY_IN_PROGRESS,
    WAIT,
    WRONG_AMOUNT,
    Reaction,
    decline,
)

CLOCK = ManualClock()


@pytest.fixture
def gateway() -> ScriptedGateway:
    return ScriptedGateway(CLOCK)


def a_charge(token: str) -> PaymentTransaction:
    return samples.a_charge("order-9", CLOCK.now(), token=token)


def taken(gateway: ScriptedGateway) -> int:
    return sum(gateway.ledger.taken(entry.reference) for entry in gateway.ledger.entries)


async def test_reactions_come_before_tokens_one_a_send(gateway: ScriptedGateway) -> None:
    gateway.react(LIMIT_RATE, SAY_IN_PROGRESS, NOT_SEND)
    charge = a_charge("ok")

    answers = [type(await gateway.send(charge)) for _ in range(4)]

    assert answers == [RateLimited, InProgress, NotSent, Succeeded]
    assert gateway.asked == (charge,) * 4


@pytest.mark.parametrize(
    ("reaction", "money"),
    [(LOSE_REQUEST, 0), (FAIL_BEFORE, 0), (LOSE_ANSWER, 2500), (FAIL_AFTER, 2500)],
)
async def test_silence_tells_nothing_about_the_money(
    gateway: ScriptedGateway, reaction: Reaction, money: int
) -> None:
    gateway.react(reaction)

    assert isinstance(await gateway.send(a_charge("ok")), OutcomeUnknown)
    assert taken(gateway) == money


async def test_an_answer_can_be_lost_again(gateway: ScriptedGateway) -> None:
    gateway.react(LOSE_ANSWER, LOSE_ANSWER)
    charge = a_charge("ok")

    answers = [type(await gateway.send(charge)) for _ in range(3)]

    assert answers == [OutcomeUnknown, OutcomeUnknown, Succeeded]
    assert taken(gateway) == 2500


@pytest.mark.parametrize(("reaction", "money"), [(FAIL_BEFORE, 0), (FAIL_AFTER, 2500)])
async def test_a_5xx_is_remembered_as_the_answer(
    gateway: ScriptedGateway, reaction: Reaction, money: int
) -> None:
    gateway.react(reaction)
    charge = a_charge("ok")
    first = await gateway.send(charge)

    assert await gateway.send(charge) == first
    assert taken(gateway) == money


async def test_a_late_request_arrives_when_it_is_let(gateway: ScriptedGateway) -> None:
    gateway.react(DELAY_REQUEST)
    charge = a_charge("ok")
    await gateway.send(charge)
    before = await gateway.look_up(charge)

    assert gateway.deliver_late_requests() == 1

    assert before == NotFound()
    assert isinstance(await gateway.look_up(charge), Succeeded)
    assert gateway.deliver_late_requests() == 0


async def test_a_late_request_that_was_sent_again_meanwhile_takes_nothing_more(
    gateway: ScriptedGateway,
) -> None:
    gateway.react(DELAY_REQUEST)
    charge = a_charge("ok")
    await gateway.send(charge)
    await gateway.send(charge)

    gateway.deliver_late_requests()

    assert taken(gateway) == 2500


async def test_a_decline_says_what_it_was_told_to_say(gateway: ScriptedGateway) -> None:
    gateway.react(decline("expired_card", retryable=True))

    outcome = await gateway.send(a_charge("ok"))

    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.retryable) == ("expired_card", True)


async def test_another_amount_is_in_the_answer_and_in_the_books(gateway: ScriptedGateway) -> None:
    gateway.react(WRONG_AMOUNT)

    outcome = await gateway.send(a_charge("ok"))

    assert isinstance(outcome, Succeeded)
    assert outcome.amount == Money(2501, "EUR")
    assert taken(gateway) == 2501


@pytest.mark.parametrize("kind", [TransactionKind.CHARGE, TransactionKind.AUTHORIZATION])
async def test_the_buyer_approves(gateway: ScriptedGateway, kind: TransactionKind) -> None:
    charge = replace(a_charge("action_required"), kind=kind)
    asked = await gateway.send(charge)
    assert isinstance(asked, ActionRequired)

    assert gateway.approve(asked.reference)

    found = await gateway.look_up(charge)
    assert isinstance(found, Succeeded if kind is TransactionKind.CHARGE else Authorized)
    assert not gateway.refuse(asked.reference)


async def test_the_buyer_refuses(gateway: ScriptedGateway) -> None:
    charge = a_charge("action_required")
    asked = await gateway.send(charge)
    assert isinstance(asked, ActionRequired)

    assert gateway.refuse(asked.reference)

    assert isinstance(await gateway.look_up(charge), Declined)
    assert not gateway.approve(asked.reference)


async def test_what_is_pending_settles(gateway: ScriptedGateway) -> None:
    charge = a_charge("pending")
    waiting = await gateway.send(charge)
    assert isinstance(waiting, Pending)

    assert gateway.settle(waiting.reference)

    assert isinstance(await gateway.look_up(charge), Succeeded)


async def test_a_pending_refund_leaves_no_room_for_another(gateway: ScriptedGateway) -> None:
    paid = await gateway.send(charge := a_charge("ok"))
    assert isinstance(paid, Succeeded)
    gateway.react(WAIT)
    await gateway.send(samples.a_refund(charge, parent_reference=paid.reference))

    outcome = await gateway.send(samples.a_refund(charge, parent_reference=paid.reference))

    assert isinstance(outcome, Declined)
    assert outcome.reason == "refund_exceeds_capture"


async def test_nobody_can_approve_what_was_never_asked(gateway: ScriptedGateway) -> None:
    with pytest.raises(KeyError):
        gateway.approve("ref-000099")


async def test_a_look_up_can_fail(gateway: ScriptedGateway) -> None:
    charge = a_charge("ok")
    await gateway.send(charge)
    gateway.fail_look_ups(1)

    found = [type(await gateway.look_up(charge)) for _ in range(2)]

    assert found == [OutcomeUnknown, Succeeded]
    assert gateway.looked_up == (charge, charge)


async def test_a_key_with_another_request_is_no_answer(gateway: ScriptedGateway) -> None:
    charge = a_charge("ok")
    await gateway.send(charge)

    outcome = await gateway.send(replace(charge, amount=Money(2600, "EUR")))

    assert outcome == OutcomeUnknown("key_reused_with_another_request")


async def test_tokens_can_be_given_other_meanings() -> None:
    gateway = ScriptedGateway(CLOCK, tokens={"pm_card_broke": decline("insufficient_funds")})

    outcome = await gateway.send(a_charge("pm_card_broke"))

    assert isinstance(outcome, Declined)
    assert outcome.reason == "insufficient_funds"


async def test_the_books_show_where_each_movement_stands(gateway: ScriptedGateway) -> None:
    for token in ("ok", "declined", "pending"):
        await gateway.send(a_charge(token))

    standings = [entry.standing for entry in gateway.ledger.entries]

    assert standings == [Standing.SUCCEEDED, Standing.DECLINED, Standing.PENDING]


async def test_a_request_is_too_late_from_its_last_moment_on(gateway: ScriptedGateway) -> None:
    charge = a_charge("ok")
    last = replace(charge, id="in-time", send_until=CLOCK.now() + timedelta(microseconds=1))

    assert isinstance(await gateway.send(replace(charge, send_until=CLOCK.now())), NotSent)
    assert isinstance(await gateway.send(last), Succeeded)


async def test_a_key_is_forgotten_when_its_life_is_over_and_then_charges_again() -> None:
    clock = ManualClock()
    gateway = ScriptedGateway(clock)
    charge = replace(
        samples.a_charge("order-10", clock.now(), token="ok"),
        send_until=clock.now() + timedelta(hours=5),
    )
    await gateway.send(charge)
    clock.advance(gateway.profile.key_life - timedelta(seconds=1))
    await gateway.send(charge)
    assert taken(gateway) == charge.amount.minor_units
    clock.advance(timedelta(seconds=1))
    await gateway.send(charge)
    assert taken(gateway) == 2 * charge.amount.minor_units
