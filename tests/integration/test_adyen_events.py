"""What people, schemes and banks do to a payment is told by Adyen's events, and by nothing else."""

from typing import Any

import pytest

from order_adyen.webhooks import AdyenWebhooks
from order_core.outcomes import Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact
from order_memory.contracts import samples
from tests.integration.adyen_events import an_event
from tests.integration.adyen_wire import HMAC_KEY, MERCHANT


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
