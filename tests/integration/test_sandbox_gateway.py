"""The pretended provider keeps a real one's promises, and does what its tokens say."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import PaymentGateway
from order_memory.contracts import PaymentGatewayContract, ProviderTokens, samples
from order_sandbox import TOKENS, SandboxGateway, SandboxLedger, Standing

_NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class _Time:
    """Stands still, but for sleeps."""

    def __init__(self) -> None:
        self.is_now = _NOON
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.is_now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.is_now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> _Time:
    return _Time()


@pytest.fixture
def ledger(tmp_path: Path, time: _Time) -> SandboxLedger:
    return SandboxLedger(
        tmp_path / "books.sqlite3", public_url="https://shop.example", now=time.now
    )


@pytest.fixture
async def sandbox(ledger: SandboxLedger, time: _Time) -> AsyncIterator[SandboxGateway]:
    gateway = SandboxGateway(ledger, hang_seconds=4, sleep=time.sleep)
    yield gateway
    await gateway.close()


class TestSandboxGateway(PaymentGatewayContract):
    @pytest.fixture
    async def gateway(self, sandbox: SandboxGateway, time: _Time) -> PaymentGateway:
        self.time = time
        self.ledger = sandbox.ledger
        return sandbox

    @pytest.fixture
    def tokens(self) -> ProviderTokens:
        return ProviderTokens(
            pays="ok",
            declined="declined",
            unknown="no_such_token",
            asks_buyer="action_required",
            pends="pending",
            two_steps="two_step",
            single_use="once_ann",
            loses_request="timeout_before_charge",
            loses_answer="timeout_after_charge",
            fails_after="unknown_after_charge",
        )

    def now(self) -> datetime:
        return self.time.now()

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        return taken(self.ledger, transaction)


def taken(ledger: SandboxLedger, transaction: PaymentTransaction) -> int:
    takes = {TransactionKind.CHARGE, TransactionKind.CAPTURE}
    return sum(
        entry.amount.minor_units
        for entry in ledger.entries()
        if entry.transaction_id == transaction.id
        and entry.kind in takes
        and entry.standing is Standing.SUCCEEDED
    )


def a_charge(token: str) -> PaymentTransaction:
    return samples.a_charge("order-7", _NOON, token=token, provider="sandbox")


def a_refund(charge: PaymentTransaction, outcome: object) -> PaymentTransaction:
    assert isinstance(outcome, Succeeded)
    return samples.a_refund(charge, parent_reference=outcome.reference)


# What each token does ---------------------------------------------------------------------

_ANSWERS: dict[str, tuple[type[Outcome], type[Outcome] | type[NotFound], int]] = {
    # token: (the answer, what a look-up finds, what was taken)
    "ok": (Succeeded, Succeeded, 2500),
    "declined": (Declined, Declined, 0),
    "insufficient_funds": (Declined, Declined, 0),
    "expired_card": (Declined, Declined, 0),
    "action_required": (ActionRequired, ActionRequired, 0),
    "pending": (Pending, Pending, 0),
    "pending_then_declined": (Pending, Pending, 0),
    "slow": (Succeeded, Succeeded, 2500),
    "unknown": (OutcomeUnknown, NotFound, 0),
    "unknown_after_charge": (OutcomeUnknown, Succeeded, 2500),
    "timeout_before_charge": (OutcomeUnknown, NotFound, 0),
    "timeout_after_charge": (OutcomeUnknown, Succeeded, 2500),
    "garbage": (OutcomeUnknown, Succeeded, 2500),
    "rate_limited": (RateLimited, NotFound, 0),
    "rate_limited_once": (RateLimited, NotFound, 0),
    "in_progress_once": (InProgress, NotFound, 0),
    "not_sent": (NotSent, NotFound, 0),
    "wrong_amount": (Succeeded, Succeeded, 2501),
    "refund_declined": (Succeeded, Succeeded, 2500),
    "refund_unknown": (Succeeded, Succeeded, 2500),
}


def test_every_token_is_tried_here() -> None:
    assert set(_ANSWERS) | {"two_step"} == set(TOKENS)


@pytest.mark.parametrize("token", _ANSWERS)
async def test_a_token_chooses_the_answer_and_what_really_happened(
    sandbox: SandboxGateway, token: str
) -> None:
    answer, found, money = _ANSWERS[token]
    charge = a_charge(token)

    assert type(await sandbox.send(charge)) is answer
    assert type(await sandbox.look_up(charge)) is found
    assert taken(sandbox.ledger, charge) == money


@pytest.mark.parametrize(
    ("token", "reason", "retryable"),
    [
        ("declined", "declined", False),
        ("insufficient_funds", "insufficient_funds", True),
        ("expired_card", "expired_card", False),
    ],
)
async def test_a_decline_has_its_reason(
    sandbox: SandboxGateway, token: str, reason: str, retryable: bool
) -> None:
    outcome = await sandbox.send(a_charge(token))

    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.retryable) == (reason, retryable)


@pytest.mark.parametrize("token", ["rate_limited_once", "in_progress_once"])
async def test_what_was_sent_away_once_is_paid_the_second_time(
    sandbox: SandboxGateway, token: str
) -> None:
    charge = a_charge(token)
    await sandbox.send(charge)

    assert isinstance(await sandbox.send(charge), Succeeded)
    assert taken(sandbox.ledger, charge) == 2500


async def test_a_replay_after_a_5xx_is_the_same_5xx(sandbox: SandboxGateway) -> None:
    charge = a_charge("unknown_after_charge")
    first = await sandbox.send(charge)

    assert await sandbox.send(charge) == first
    assert taken(sandbox.ledger, charge) == 2500


async def test_nobody_answers_for_as_long_as_it_was_set(
    sandbox: SandboxGateway, time: _Time
) -> None:
    await sandbox.send(a_charge("timeout_after_charge"))
    await sandbox.send(a_charge("timeout_before_charge"))
    await sandbox.send(a_charge("slow"))

    assert time.slept == [4, 4, 3]


@pytest.mark.parametrize(
    ("token", "end", "money"),
    [("pending", Succeeded, 2500), ("pending_then_declined", Declined, 0)],
)
async def test_what_is_pending_ends_after_a_while(
    sandbox: SandboxGateway, time: _Time, token: str, end: type, money: int
) -> None:
    charge = a_charge(token)
    await sandbox.send(charge)
    await time.sleep(5)

    assert isinstance(await sandbox.look_up(charge), end)
    assert taken(sandbox.ledger, charge) == money


async def test_a_key_with_another_request_is_no_answer(sandbox: SandboxGateway) -> None:
    charge = a_charge("ok")
    await sandbox.send(charge)

    outcome = await sandbox.send(replace(charge, amount=Money(2600, "EUR")))

    assert outcome == OutcomeUnknown("key_reused_with_another_request")
    assert taken(sandbox.ledger, charge) == 2500


async def test_a_used_up_token_is_declined_by_name(sandbox: SandboxGateway) -> None:
    await sandbox.send(a_charge("once_x"))

    outcome = await sandbox.send(a_charge("once_x"))

    assert isinstance(outcome, Declined)
    assert outcome.reason == "token_already_used"


async def test_a_second_request_does_not_bring_back_a_payment_that_was_let_go(
    sandbox: SandboxGateway,
) -> None:
    charge = a_charge("two_step")
    begun = await sandbox.send(charge)
    assert isinstance(begun, Continue)
    void = samples.a_refund(charge, kind=TransactionKind.VOID, parent_reference=begun.reference)
    await sandbox.send(void)

    await sandbox.send(replace(charge, step=2, provider_reference=begun.reference))

    let_go = sandbox.ledger.find(begun.reference)
    assert let_go is not None
    assert let_go.standing is Standing.VOIDED


# The buyer --------------------------------------------------------------------------------


@pytest.mark.parametrize(("approves", "end"), [(True, Succeeded), (False, Declined)])
async def test_the_buyer_decides(sandbox: SandboxGateway, approves: bool, end: type) -> None:
    charge = a_charge("action_required")
    asked = await sandbox.send(charge)
    assert isinstance(asked, ActionRequired)
    assert asked.url == f"https://shop.example/sandbox/{asked.reference}"

    decide = sandbox.ledger.approve if approves else sandbox.ledger.refuse
    assert decide(asked.reference)

    assert isinstance(await sandbox.look_up(charge), end)
    assert not sandbox.ledger.approve(asked.reference)
    assert not sandbox.ledger.refuse(asked.reference)


async def test_an_approved_authorization_holds_the_money(sandbox: SandboxGateway) -> None:
    hold = replace(a_charge("action_required"), kind=TransactionKind.AUTHORIZATION)
    asked = await sandbox.send(hold)
    assert isinstance(asked, ActionRequired)

    sandbox.ledger.approve(asked.reference)

    assert isinstance(await sandbox.look_up(hold), Authorized)


async def test_nothing_that_was_never_asked_can_be_approved(sandbox: SandboxGateway) -> None:
    assert not sandbox.ledger.approve("sb-charge-1")
    assert sandbox.ledger.find("sb-charge-1") is None


# Giving back ------------------------------------------------------------------------------


async def test_a_refund_can_be_refused(sandbox: SandboxGateway) -> None:
    charge = a_charge("refund_declined")
    refund = a_refund(charge, await sandbox.send(charge))

    outcome = await sandbox.send(refund)

    assert isinstance(outcome, Declined)
    assert outcome.reason == "refund_refused"


async def test_a_refund_can_happen_without_an_answer(sandbox: SandboxGateway) -> None:
    charge = a_charge("refund_unknown")
    refund = a_refund(charge, await sandbox.send(charge))

    outcome = await sandbox.send(refund)

    assert isinstance(outcome, OutcomeUnknown)
    assert isinstance(await sandbox.look_up(refund), Succeeded)


@pytest.mark.parametrize(
    ("kind", "amount", "reason"),
    [
        (TransactionKind.REFUND, Money(2501, "EUR"), "refund_exceeds_capture"),
        (TransactionKind.REFUND, Money(25, "USD"), "refund_exceeds_capture"),
        (TransactionKind.VOID, Money(2500, "EUR"), "already_captured"),
        (TransactionKind.CAPTURE, Money(2500, "EUR"), "not_authorized"),
    ],
)
async def test_the_rules_of_money_hold(
    sandbox: SandboxGateway, kind: TransactionKind, amount: Money, reason: str
) -> None:
    charge = a_charge("ok")
    child = a_refund(charge, await sandbox.send(charge))

    outcome = await sandbox.send(replace(child, kind=kind, amount=amount))

    assert isinstance(outcome, Declined)
    assert outcome.reason == reason


async def test_the_entry_carries_our_metadata(sandbox: SandboxGateway) -> None:
    charge = replace(a_charge("ok"), installation="kiel")
    await sandbox.send(charge)

    (entry,) = sandbox.ledger.entries()

    assert (entry.order_id, entry.transaction_id) == ("order-7", charge.id)
    assert entry.installation == "kiel"
