"""What becomes of the money of a dispute at PayPal."""

from typing import Any

import pytest

from order_core.money import Money
from order_core.outcomes import Restored, Reversed
from tests.integration.paypal_events import DISPUTE, EUR_25, an_event, read, signed


async def test_a_dispute_that_the_shop_won_gives_the_money_back() -> None:
    won = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_SELLER_FAVOUR"}}
    body = an_event("CUSTOMER.DISPUTE.RESOLVED", **{**DISPUTE, **won})

    [fact] = (await read(body, signed(body))).facts
    assert fact.outcome == Restored("PP-D-27803", EUR_25, "dispute_won")
    assert fact.parent_reference == "2GG279541U471931P"


def resolved(code: str | None, refunded: Any = None, **but: Any) -> bytes:
    """A dispute that is over: how, and what its buyer got."""
    outcome = {"outcome_code": code} if code else {}
    got = {"amount_refunded": {"currency_code": "EUR", "value": refunded}} if refunded else {}
    over = {"status": "RESOLVED", "dispute_outcome": {**outcome, **got}, **but}
    return an_event("CUSTOMER.DISPUTE.RESOLVED", **{**DISPUTE, **over})


@pytest.mark.parametrize("code", ["RESOLVED_BUYER_FAVOUR", "ACCEPTED", "RESOLVED_WITH_PAYOUT"])
@pytest.mark.parametrize(
    ("refunded", "lost"),
    [("10.00", 1000), ("25.00", 2500), (None, 2500), ("31.00", 2500), ("?", 2500), ("0.00", 2500)],
)
async def test_a_dispute_that_is_lost_takes_what_its_buyer_got(
    code: str, refunded: str | None, lost: int
) -> None:
    body = resolved(code, refunded)

    [fact] = (await read(body, signed(body))).facts

    assert fact.outcome == Reversed("PP-D-27803", Money(lost, "EUR"), "dispute")


@pytest.mark.parametrize("code", ["NONE", None, "SOMETHING_NEW"])
@pytest.mark.parametrize("refunded", [None, "10.00"])
async def test_a_dispute_that_ended_without_a_decision_is_not_won(
    code: str | None, refunded: str | None
) -> None:
    body = resolved(code, refunded)

    [fact] = (await read(body, signed(body))).facts

    lost = Money(1000 if refunded else 2500, "EUR")
    assert fact.outcome == Reversed("PP-D-27803", lost, "dispute")


@pytest.mark.parametrize("code", ["RESOLVED_SELLER_FAVOUR", "CANCELED_BY_BUYER", "DENIED"])
async def test_what_paypal_gave_the_buyer_of_a_dispute_that_was_won_is_not_the_shops(
    code: str,
) -> None:
    body = resolved(code, "10.00")

    [fact] = (await read(body, signed(body))).facts

    assert fact.outcome == Restored("PP-D-27803", EUR_25, "dispute_won")


async def test_of_two_payments_disputed_and_lost_in_part_nobody_knows_which_lost_what() -> None:
    both = [
        {
            "seller_transaction_id": name,
            "gross_amount": {"currency_code": "EUR", "value": value},
        }
        for name, value in (("CAP-1", "10.00"), ("CAP-2", "15.00"))
    ]
    body = resolved("RESOLVED_BUYER_FAVOUR", "12.00", disputed_transactions=both)

    facts = (await read(body, signed(body))).facts

    outcomes = [fact.outcome for fact in facts]
    assert outcomes == [
        Reversed("PP-D-27803", Money(1000, "EUR"), "dispute"),
        Reversed("PP-D-27803", Money(1200, "EUR"), "dispute"),
    ]


async def test_a_dispute_of_two_payments_takes_its_part_of_each() -> None:
    def paid(name: str, value: str) -> dict[str, object]:
        gross = {"currency_code": "EUR", "value": value}
        return {"seller_transaction_id": name, "gross_amount": gross}

    both = {
        "disputed_transactions": [paid("CAP-1", "10.00"), paid("CAP-2", "15.00")],
        "update_time": "2030-05-04T10:00:00.000Z",
    }
    body = an_event("CUSTOMER.DISPUTE.CREATED", **{**DISPUTE, **both})

    facts = (await read(body, signed(body))).facts

    assert [(fact.parent_reference, fact.outcome) for fact in facts] == [
        ("CAP-1", Reversed("PP-D-27803", Money(1000, "EUR"), "dispute", open=True)),
        ("CAP-2", Reversed("PP-D-27803", Money(1500, "EUR"), "dispute", open=True)),
    ]
    assert {f.reference for f in facts} == {"PP-D-27803"}
    assert {f.sequence for f in facts} == {1_904_119_200_000_000}
