"""The explorer visits what it says, finds planted bugs, and tells the shortest way to them."""

from typing import Any

import pytest

from order_core.order import Order
from order_core.outcomes import Declined, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.settlement import believed
from order_core.settlement.review import doubted
from order_core.use_cases.carry_out import CarryOut
from order_core.use_cases.tell_customers import TellCustomers
from order_explorer.__main__ import main
from order_explorer.meaning import meaning
from order_explorer.scenarios import SCENARIOS
from order_explorer.search import OVER, Outcome, Search
from order_explorer.telling import as_line, from_line, told
from order_memory.store import Store

NAMES = [scenario.name for scenario in SCENARIOS]


def explored(name: str, *, faults: int) -> tuple[Outcome, Search]:
    (scenario,) = (s for s in SCENARIOS if s.name == name)
    search = Search(scenario, faults)
    return search.run(most_states=300_000), search


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_in_any_order_of_turns_without_faults(name: str) -> None:
    outcome, _ = explored(name, faults=0)
    assert outcome.finding is None
    assert outcome.complete
    assert outcome.endings > 1


def test_it_visits_all_that_the_simplest_search_finds() -> None:
    outcome, search = explored("two-creates", faults=0)
    ended = [s for s in search_states(search) if all(slot == OVER for slot in s[3:5])]
    assert ended, "both requests come to an end"
    assert outcome.states == len(search_states(search))


def search_states(search: Search) -> list[tuple[int, ...]]:
    """All states, found a second time by the simplest possible search."""
    known, waiting = {search.first}, [search.first]
    while waiting:
        for _, following in search.successors(waiting.pop()):
            if following not in known:
                known.add(following)
                waiting.append(following)
    return list(known)


def test_more_faults_are_more_states() -> None:
    states = [explored("create-retry-worker", faults=n)[0].states for n in (0, 1)]
    assert states[0] < states[1] / 10


# Planted bugs ---------------------------------------------------------------------------------


def found(name: str, faults: int) -> tuple[str, ...]:
    outcome, search = explored(name, faults=faults)
    assert outcome.finding is not None, "the bug was not found"
    assert "Replay:" in "\n".join(told(search, outcome.finding))
    return outcome.finding.broken


def test_a_time_out_taken_for_a_decline_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def gullible(transaction: PaymentTransaction, fact: Any) -> Any:
        outcome = believed(transaction, fact)
        return Declined("no_answer") if isinstance(outcome, OutcomeUnknown) else outcome

    monkeypatch.setattr("order_core.settlement.fact.believed", gullible)
    assert any("failed_is_unpaid" in broken for broken in found("create-retry-worker", 1))


def test_not_found_believed_at_once_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(self: PaymentTransaction, asked_at: Any, skew: Any = None) -> bool:
        return True

    monkeypatch.setattr(PaymentTransaction, "absence_is_proof_at", hasty)
    # The second look repairs the money, but not what the client was told.
    assert found("create-webhook-worker", 2)


def test_a_cancel_that_forgets_the_refund_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_core.cancelling.giving_back", lambda order, **_: order)
    assert any("ended_nets_to_zero" in broken for broken in found("two-cancels", 0))


def test_a_key_of_its_own_for_every_send_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PaymentTransaction, "key", property(lambda self: f"{self.id}{self.sends}"))
    assert any("charged_once" in broken for broken in found("create-retry-worker", 2))
    assert any("charged_once" in broken for broken in found("two-workers", 2))


def test_an_absence_that_waits_for_no_horizon_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        PaymentTransaction, "absence_is_proof_from", lambda self, skew: self.send_until + skew
    )
    assert found("create-retry-worker", 1)


def test_an_absence_that_trusts_a_fast_clock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        PaymentTransaction,
        "absence_is_proof_from",
        lambda self, skew: self.send_until + self.horizon,
    )
    assert found("create-retry-worker", 2)


def test_a_void_that_is_believed_and_never_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    send = CarryOut._send  # noqa: SLF001 - the bug sits where only `CarryOut` looks

    async def gullible(self: CarryOut, order: Order, transaction: Any, held: Any) -> Any:
        if transaction.kind is TransactionKind.VOID:
            return Succeeded("void", transaction.amount, transaction.id)
        return await send(self, order, transaction, held)

    monkeypatch.setattr(CarryOut, "_send", gullible)
    assert any("holds_agree" in broken for broken in found("capture-void", 0))


def test_a_message_that_is_never_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(self: TellCustomers, notice: Any) -> None:
        return None

    monkeypatch.setattr(TellCustomers, "_tell", silent)
    assert any("events_delivered" in broken for broken in found("two-cancels", 0))


def test_a_worker_that_never_asks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Any, order: Order, *_: Any) -> Order:
        return order

    monkeypatch.setattr("order_core.use_cases.recover.Recover._ask", nothing)
    assert any("rest" in broken for broken in found("two-workers", 0))


def test_two_orders_of_one_key_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "request", lambda *_: None)
    assert any("one_order_a_key" in broken for broken in found("two-creates", 0))


def test_a_use_case_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_order: Order, **_: Any) -> Order:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("order_core.cancelling.giving_back", broken)
    assert any("no_bug" in broken for broken in found("two-cancels", 0))


def test_a_use_case_that_breaks_before_it_asks_anything_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(self: Any, *_: Any, **__: Any) -> Any:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("order_core.use_cases.process_order.ProcessOrder.__call__", broken)
    assert any("no_bug" in broken for broken in found("cancel-process", 0))


def test_a_doubt_that_nothing_is_reason_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubting(settling: Any, outcome: Any, _: Any) -> Order:
        doubtful: Order = doubted(settling, f"unsure_about_{type(outcome).__name__}")
        return doubtful

    monkeypatch.setattr("order_core.settlement.fact.money_moved", doubting)
    assert any("people_are_spared" in broken for broken in found("two-cancels", 0))


# Telling --------------------------------------------------------------------------------------


def test_a_finding_is_replayed_by_the_line_that_it_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(CarryOut, "reaches", lambda self, transaction: False)
    outcome, search = explored("create-retry-worker", faults=1)
    assert outcome.finding is not None
    line = as_line(search, outcome.finding.schedule)
    assert from_line(search, line) == outcome.finding.schedule

    assert main(["create-retry-worker", "--faults", "1", "--replay", line]) == 1
    printed = capsys.readouterr().out
    assert outcome.finding.broken[0] in printed
    assert "client" in printed


@pytest.mark.parametrize("line", ["nobody", "client!no-such-fault", "worker"])
def test_a_schedule_that_cannot_be_is_refused(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["create-retry-worker", "--replay", line])
    assert exit_.value.code == 2
    assert capsys.readouterr().err


def test_a_search_that_is_cut_off_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["two-creates", "--faults", "1", "--most-states", "50", "--processes", "1"]) == 1
    assert "CUT OFF" in capsys.readouterr().out


# Folding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two-creates", "two-workers"])
def test_worlds_that_are_taken_for_one_lead_to_the_same_worlds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folded = explored(name, faults=1)
    with monkeypatch.context() as exactly:
        exactly.setattr("order_explorer.worlds.meaning", _exactly)
        exactly.setattr("order_explorer.worlds.prospects", _exactly)
        outcome, exact = explored(name, faults=1)

    assert outcome.complete
    assert outcome.finding is None
    assert len(exact.worlds) > len(folded.worlds)
    assert set(exact.worlds.meanings()) == set(folded.worlds.meanings())


def _exactly(snapshot: Any, moments: Any) -> Any:
    """With whole orders, histories and leases, and the exact time, beside what is folded."""
    rows = snapshot["store"]["_rows"]
    passing = tuple((row.order, row.events, row.lease) for _, row in sorted(rows.items()))
    return passing, snapshot["clock"]["_now"], meaning(snapshot, moments)
