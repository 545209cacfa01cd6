"""What people, schemes and banks do to a payment is told by Adyen's events, and by nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from order_adyen.webhooks import AdyenWebhooks
from order_core.outcomes import Authorized, Declined, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact
from order_memory.contracts import samples
from tests.integration.adyen_events import an_event
from tests.integration.adyen_wire import HMAC_KEY, MERCHANT, NOON


async def facts(name: str, **but: Any) -> tuple[ProviderFact, ...]:
    webhooks = AdyenWebhooks(hmac_key=HMAC_KEY, merchant=MERCHANT)
    return (await webhooks.parse(an_event(name, **but), {})).facts


# In the Customer Area ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reference", "kind"),
    [
        ("REFUND", "charge-1@kiel-1", TransactionKind.REFUND),
        ("REFUND", "hold-1~kiel-1", TransactionKind.REFUND),
        ("CAPTURE", "hold-1~kiel-1", TransactionKind.CAPTURE),
        ("CANCELLATION", "hold-1~kiel-1", TransactionKind.VOID),
        ("CANCELLATION", "charge-1@kiel-1", TransactionKind.VOID),
    ],
)
async def test_what_was_done_in_the_customer_area_is_told_with_the_payments_own_reference(
    name: str, reference: str, kind: TransactionKind
) -> None:
    [fact] = await facts(name, merchantReference=reference)

    assert fact == ProviderFact(
        kind,
        Succeeded("MODIFICATION1", samples.EUR_25, ""),
        "MODIFICATION1",
        installation="kiel-1",
        parent_reference="PAYMENT1",
    )


async def test_what_names_no_payment_is_known_by_the_reference_that_it_inherited() -> None:
    [fact] = await facts("REFUND", originalReference=None)

    assert (fact.transaction_id, fact.parent_reference) == ("charge-1", None)


async def test_the_automatic_capture_of_a_charge_is_no_news() -> None:
    assert await facts("CAPTURE") == ()


async def test_a_charge_whose_automatic_capture_is_refused_is_taken_back() -> None:
    [fact] = await facts("CAPTURE", success="false", reason="Capture Failed")

    assert fact.kind is TransactionKind.REVERSAL
    assert fact.outcome == Reversed("MODIFICATION1", samples.EUR_25, "capture_failed")
    assert fact.parent_reference == "PAYMENT1"


@pytest.mark.parametrize(
    ("name", "action", "kind"),
    [
        ("CANCEL_OR_REFUND", "refund", TransactionKind.REFUND),
        ("CANCEL_OR_REFUND", "cancel", TransactionKind.VOID),
        # What it was is not signed: without a word that is known, a person has to look.
        ("CANCEL_OR_REFUND", "else", TransactionKind.VOID),
        ("CANCEL_OR_REFUND", None, TransactionKind.VOID),
        ("TECHNICAL_CANCEL", None, TransactionKind.VOID),
    ],
)
async def test_a_payment_that_was_let_go_by_risk_management_is_told(
    name: str, action: str | None, kind: TransactionKind
) -> None:
    [fact] = await facts(name, more={"modification.action": action} if action else {})

    assert (fact.kind, fact.parent_reference) == (kind, "PAYMENT1")
    assert fact.outcome == Succeeded("MODIFICATION1", samples.EUR_25, "")


# Disputes ---------------------------------------------------------------------------------


def lost(name: str, *, still_open: bool = False) -> Reversed:
    return Reversed("MODIFICATION1", samples.EUR_25, name.lower(), open=still_open)


def won(name: str) -> Restored:
    return Restored("MODIFICATION1", samples.EUR_25, name.lower())


@pytest.mark.parametrize(
    ("name", "status", "outcome"),
    [
        ("CHARGEBACK", "Unresponded", lost("CHARGEBACK", still_open=True)),
        ("CHARGEBACK", "Lost", lost("CHARGEBACK")),
        ("CHARGEBACK_REVERSED", "Won", won("CHARGEBACK_REVERSED")),
        ("DISPUTE_DEFENSE_PERIOD_ENDED", "Lost", lost("DISPUTE_DEFENSE_PERIOD_ENDED")),
        ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "Won", won("ISSUER_RESPONSE_TIMEFRAME_EXPIRED")),
        ("SECOND_CHARGEBACK", None, lost("SECOND_CHARGEBACK")),
        ("PREARBITRATION_ACCEPTED", "Lost", lost("PREARBITRATION_ACCEPTED")),
        ("PREARBITRATION_ISSUER_WITHDRAWN", "Won", won("PREARBITRATION_ISSUER_WITHDRAWN")),
        ("PREARBITRATION_WON", None, won("PREARBITRATION_WON")),
        ("PREARBITRATION_LOST", None, lost("PREARBITRATION_LOST")),
        ("SCHEME_ARBITRATION_WON", None, won("SCHEME_ARBITRATION_WON")),
        ("SCHEME_ARBITRATION_LOST", None, lost("SCHEME_ARBITRATION_LOST")),
    ],
)
async def test_each_end_of_a_dispute_is_told(
    name: str, status: str | None, outcome: Reversed | Restored
) -> None:
    [fact] = await facts(name, more={"disputeStatus": status} if status else {})

    assert (fact.kind, fact.outcome) == (TransactionKind.REVERSAL, outcome)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("CHARGEBACK_REVERSED", None),
        ("CHARGEBACK_REVERSED", "Pending"),
        ("DISPUTE_DEFENSE_PERIOD_ENDED", None),
        ("DISPUTE_DEFENSE_PERIOD_ENDED", "Won"),
        ("PREARBITRATION_WON", "Pending"),
        ("NOTIFICATION_OF_CHARGEBACK", "Lost"),
        ("REQUEST_FOR_INFORMATION", "Lost"),
    ],
)
async def test_what_may_not_be_the_end_of_a_dispute_leaves_it_open(
    name: str, status: str | None
) -> None:
    assert await facts(name, more={"disputeStatus": status} if status else {}) == ()


async def test_a_status_that_says_lost_is_believed_against_a_name_that_says_won() -> None:
    [fact] = await facts("PREARBITRATION_WON", more={"disputeStatus": "Lost"})

    assert fact.outcome == lost("PREARBITRATION_WON")


async def test_a_later_stage_of_a_dispute_is_the_later_word() -> None:
    names = ("CHARGEBACK", "SECOND_CHARGEBACK", "PREARBITRATION_WON", "SCHEME_ARBITRATION_LOST")
    stages = [(await facts(name))[0].sequence for name in names]

    assert stages == sorted({stage for stage in stages if stage is not None})


@pytest.mark.parametrize("name", ["SECOND_CHARGEBACK", "PREARBITRATION_LOST"])
async def test_a_dispute_that_names_no_payment_is_known_by_our_own_reference(name: str) -> None:
    [fact] = await facts(name, originalReference=None)

    assert (fact.transaction_id, fact.installation) == ("charge-1", "kiel-1")


async def test_a_dispute_is_never_taken_for_a_refund_of_ours() -> None:
    [fact] = await facts("CHARGEBACK", merchantReference="refund-1!kiel-1")

    assert (fact.transaction_id, fact.parent_reference) == (None, "PAYMENT1")


# Holds ------------------------------------------------------------------------------------


async def test_a_hold_that_only_an_event_tells_of_is_counted_on_from_then() -> None:
    told = an_event("AUTHORISATION", merchantReference="hold-1~kiel-1", pspReference="PAYMENT1")
    webhooks = AdyenWebhooks(hmac_key=HMAC_KEY, merchant=MERCHANT, now=lambda: NOON)
    [fact] = (await webhooks.parse(told, {})).facts

    ends = NOON + timedelta(days=5)
    assert fact.outcome == Authorized("PAYMENT1", samples.EUR_25, "hold-1", ends)


@pytest.mark.parametrize(
    "named",
    [
        {"pspReference": "PAYMENT1", "originalReference": None},
        {"pspReference": "EXPIRY1", "originalReference": "PAYMENT1"},
    ],
)
async def test_the_end_of_a_hold_is_told_with_its_own_reference(named: dict[str, str]) -> None:
    [fact] = await facts("EXPIRE", merchantReference="hold-1~kiel-1", **named)

    assert fact == ProviderFact(
        TransactionKind.AUTHORIZATION,
        Declined("authorization_expired", reference="PAYMENT1"),
        "PAYMENT1",
        transaction_id="hold-1",
        installation="kiel-1",
        parent_reference="PAYMENT1",
    )


async def test_a_charge_that_expires_was_never_taken() -> None:
    [fact] = await facts("EXPIRE", pspReference="PAYMENT1", originalReference=None)

    assert (fact.kind, fact.parent_reference) == (TransactionKind.REVERSAL, "PAYMENT1")
    assert fact.outcome == Reversed("PAYMENT1", samples.EUR_25, "authorization_expired")


async def test_what_expires_of_another_system_is_not_ours() -> None:
    assert await facts("EXPIRE", merchantReference="a shop's own words") == ()
