"""Whole shops on virtual time: they repeat exactly, try every fault, and find planted bugs."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import SystemRandom
from typing import Any

import pytest

from order_cli.main import main
from order_core.clock_check import ClockCheck
from order_core.outcomes import Declined, Outcome, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction, TransactionStatus
from order_core.settlement import settled
from order_core.use_cases.carry_out import CarryOut
from order_simulator.faults import Fault
from order_simulator.knobs import CALM, ROUGH, Knobs
from order_simulator.simulation import simulate, story_of
from tests.conftest import FRESH_SEED

FIXED_SEEDS = (1, 16, 19, 24)


def broken_in(seed: int, *, customers: int = 2500, knobs: Knobs = ROUGH) -> str:
    """The first rule that a simulation finds broken, or nothing."""
    report = simulate(seed=seed, customers=customers, knobs=knobs)
    return report.failures[0].finding.rule.name if report.failures else ""


def test_no_seed_of_ours_breaks_an_invariant_and_every_fault_occurs() -> None:
    faults: Counter[str] = Counter()
    for seed in FIXED_SEEDS:
        report = simulate(seed=seed, customers=500, knobs=ROUGH)
        assert not report.failures, f"{seed}: {report.failures}"
        faults.update(report.faults)

    assert {fault.value for fault in Fault} - set(faults) == set()


@pytest.mark.parametrize("knobs", [Knobs(), ROUGH], ids=["usual", "rough"])
def test_no_fresh_seed_breaks_an_invariant(
    knobs: Knobs, record_property: Callable[[str, object], None]
) -> None:
    seed = SystemRandom().randint(1, 999_999_999)
    again = f"order-core simulate --seed {seed} --orders 500{' --rough' if knobs is ROUGH else ''}"
    record_property(FRESH_SEED, again)

    report = simulate(seed=seed, customers=500, knobs=knobs)

    if report.failures:
        # The first line is also the last of what pytest prints.
        finding = report.failures[0].finding
        story = "\n".join(report.failures[0].story[-200:])
        pytest.fail(f"{again}  # {finding}\n{story}\n{again}", pytrace=False)


def test_without_faults_nothing_goes_wrong_and_the_statuses_are_those_of_the_wishes() -> None:
    report = simulate(seed=5, customers=200, knobs=replace(CALM, shop_size=100))

    assert not report.failures
    assert report.restarts == 0
    assert report.statuses["pending"] > report.statuses["payment_failed"] > 0


def _story_in_another_process(hash_seed: str) -> bytes:
    program = (
        "from order_simulator.knobs import Knobs\n"
        "from order_simulator.simulation import story_of\n"
        "print('\\n'.join(story_of(21, 1, 60, Knobs(crash=0.01, provider_fault=0.2))))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout


def test_a_seed_replays_byte_for_byte_whatever_python_hashes_by() -> None:
    first, second = _story_in_another_process("1"), _story_in_another_process("2")

    assert len(first.splitlines()) > 500
    assert first == second
    assert first != "\n".join(story_of(22, 1, 60, Knobs())).encode()


def test_the_result_does_not_depend_on_the_number_of_processes() -> None:
    alone, together = (
        replace(
            simulate(seed=8, customers=240, knobs=replace(ROUGH, shop_size=80), processes=n),
            seconds=0.0,
        )
        for n in (1, 2)
    )

    assert alone == together


# Bugs planted by hand, each of which lost or doubled money somewhere in the world -------------


def test_it_finds_a_time_out_taken_for_a_decline(monkeypatch: Any) -> None:
    send = vars(CarryOut)["_send"]

    async def impatient(self: CarryOut, *given: Any) -> Outcome:
        outcome = await send(self, *given)
        return Declined("timed_out") if isinstance(outcome, OutcomeUnknown) else outcome

    monkeypatch.setattr(CarryOut, "_send", impatient)

    assert broken_in(31)


def test_it_finds_a_late_success_that_is_dropped(monkeypatch: Any) -> None:
    def forgetful(order: Any, transaction_id: str, fact: Any, **given: Any) -> Any:
        transaction = order.transaction(transaction_id)
        late = order.status in {"cancelled", "payment_failed"} and transaction.takes_money
        if late and isinstance(getattr(fact, "outcome", None), Succeeded) and transaction.is_open:
            return order.with_transaction(transaction.finished(TransactionStatus.FAILED))
        return settled(order, transaction_id, fact, **given)

    monkeypatch.setattr("order_core.use_cases.settle.settled", forgetful)

    assert broken_in(32)


def test_it_finds_a_key_that_is_made_of_the_time(monkeypatch: Any) -> None:
    monkeypatch.setattr(
        PaymentTransaction, "key", property(lambda self: f"{self.id}-{self.last_send_at}")
    )

    assert broken_in(33)


def test_it_finds_an_absence_that_is_believed_at_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(PaymentTransaction, "absence_is_proof_at", lambda *_, **__: True)

    assert broken_in(34)


def test_it_finds_a_worker_that_goes_by_a_wrong_clock(monkeypatch: Any) -> None:
    async def trusting(_: ClockCheck) -> None:
        pass

    monkeypatch.setattr(ClockCheck, "__call__", trusting)

    assert broken_in(35) == "wrong_clock_claims_nothing"


def test_it_finds_a_decline_that_is_only_an_echo(monkeypatch: Any) -> None:
    def trusting(_: PaymentTransaction, fact: Any) -> Any:
        return fact.outcome

    monkeypatch.setattr("order_core.settlement.fact.believed", trusting)

    assert broken_in(36) in {"dead_means_dead", "failed_is_unpaid"}


def test_the_failure_tells_the_story_of_the_order(monkeypatch: Any) -> None:
    monkeypatch.setattr(PaymentTransaction, "absence_is_proof_at", lambda *_, **__: True)

    failure = simulate(seed=34, customers=2500, knobs=ROUGH).failures[0]

    assert failure.finding.order_id
    assert "awaiting_payment" in failure.story[0]
    assert any("look_up" in line for line in failure.story)


def test_a_failure_ends_the_shops_that_wait_for_their_turn(monkeypatch: Any) -> None:
    monkeypatch.setattr(PaymentTransaction, "absence_is_proof_at", lambda *_, **__: True)

    report = simulate(seed=34, customers=3000, processes=2, knobs=replace(ROUGH, shop_size=50))

    assert report.failures
    assert report.shops < 60


def test_the_command_sums_up_what_happened(capsys: Any) -> None:
    code = main(["simulate", "--seed", "4", "--orders", "60", "--processes", "1"])

    told = capsys.readouterr()
    assert code == 0
    assert "No invariant was broken." in told.out
    assert all(fault.value in told.out for fault in Fault)
    assert "60 of 60" in told.err


def test_the_command_says_how_to_see_a_failure_again(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(PaymentTransaction, "absence_is_proof_at", lambda *_, **__: True)
    found = ["simulate", "--seed", "34", "--orders", "2000", "--processes", "1"]

    code = main(found)

    told = capsys.readouterr().out
    again = told.split("again: order-core ")[1].split("\n")[0]
    assert code == 1
    assert "VIOLATION" in told
    assert again.startswith("simulate --seed 34 --orders 2000 --shop ")
    assert main(again.split()) == 1
    assert "VIOLATION" in capsys.readouterr().out


def test_the_command_refuses_a_shop_that_the_seed_does_not_have(capsys: Any) -> None:
    assert main(["simulate", "--seed", "4", "--orders", "60", "--shop", "7"]) == 1
    assert "there is no shop 7: they are 0 to 0" in capsys.readouterr().err
