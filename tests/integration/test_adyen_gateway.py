"""Adyen answers charges at once and everything else by event, and silence is never a no."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from Adyen.util import generate_notification_sig  # type: ignore[import-untyped]

from order_adyen import build
from order_core.errors import InvalidValue, WebhookRejected
from order_core.money import Money
from order_core.outcomes import (
    Authorized,
    Declined,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Restored,
    Reversed,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import PaymentGateway, WebhookEvent
from order_core.ports.gateway_plugin import SettingsInvalid
from order_memory.contracts import PaymentGatewayContract, ProviderTokens, samples
from tests.integration.adyen_wire import (
    API_KEY,
    HMAC_KEY,
    MERCHANT,
    NOON,
    PAYS,
    Adyen,
    Bridge,
    Time,
    a_gateway,
    an_answer,
    breaches,
    specification,
)

_PAY = "POST /v72/payments"
_NO_LOOK_UP = "Adyen has no look-up"
_BY_EVENT = "at Adyen this is pending until its event; see below"


@pytest.fixture
async def adyen() -> AsyncIterator[Adyen]:
    adyen = Adyen()
    yield adyen
    await adyen.gateway.close()
    if specification() is not None:
        assert breaches(adyen.bridge.exchanges) == []


class TestAdyenGateway(PaymentGatewayContract):
    @pytest.fixture
    async def gateway(self, adyen: Adyen) -> PaymentGateway:
        self.adyen = adyen
        for token, kind in (
            ("LOSESREQUEST", "request_lost"),
            ("LOSESANSWER", "answer_lost"),
            ("FAILSAFTER", "error_after"),
        ):
            rule = {"on": _PAY, "kind": kind, "body_contains": token}
            await adyen.control("faults", [rule])
        return adyen.gateway

    @pytest.fixture
    def tokens(self) -> ProviderTokens:
        return ProviderTokens(
            pays=PAYS,
            declined="stored:DECLINED@ann",
            unknown="stored:../x@ann",
            pends="stored:PENDS@ann",
            loses_request="stored:LOSESREQUEST@ann",
            loses_answer="stored:LOSESANSWER@ann",
            fails_after="stored:FAILSAFTER@ann",
        )

    def now(self) -> datetime:
        return self.adyen.time.now()

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        return sum(
            entry["amount"]
            for entry in await self.adyen.ledger()
            if entry["kind"] in {"charge", "capture"} and entry["transaction_id"] == transaction.id
        )

    # What the suite asks of a look-up, and of changes that are answered at once.

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_charge_that_came_too_late_is_not_sent(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_lost_answer_is_unknown_and_the_look_up_finds_the_money(
        self, *_: Any
    ) -> None: ...

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_lost_request_is_unknown_and_leaves_no_trace(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_look_up_finds_what_was_paid(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_look_up_moves_nothing(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_look_up_of_another_payment_is_not_ours(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_NO_LOOK_UP)
    async def test_a_look_up_of_a_declined_charge_never_says_paid(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_BY_EVENT)
    async def test_a_refund_of_more_than_was_taken_is_declined(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_BY_EVENT)
    async def test_a_payment_the_buyer_has_not_completed_can_be_voided(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_BY_EVENT)
    async def test_a_payment_that_was_taken_cannot_be_voided(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_BY_EVENT)
    async def test_a_hold_can_be_given_up(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_BY_EVENT)
    async def test_a_hold_can_be_captured_once(self, *_: Any) -> None: ...

    @pytest.mark.skip(reason=_BY_EVENT)
    async def test_a_hold_that_was_captured_cannot_be_given_up(self, *_: Any) -> None: ...


async def told(adyen: Adyen) -> list[WebhookEvent]:
    return [await adyen.webhooks.parse(body, {}) for body in await adyen.events()]


async def begun(adyen: Adyen, kind: TransactionKind) -> PaymentTransaction:
    wish = adyen.a_charge(kind=kind)
    outcome = await adyen.gateway.send(wish)
    assert isinstance(outcome, Succeeded | Authorized)
    return replace(wish, provider_reference=outcome.reference)


# Changes, which end by event --------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "then", "amount", "went_well"),
    [
        (TransactionKind.AUTHORIZATION, TransactionKind.CAPTURE, 2500, True),
        (TransactionKind.AUTHORIZATION, TransactionKind.CAPTURE, 1900, True),
        (TransactionKind.AUTHORIZATION, TransactionKind.CAPTURE, 2501, False),
        (TransactionKind.AUTHORIZATION, TransactionKind.VOID, 2500, True),
        (TransactionKind.CHARGE, TransactionKind.VOID, 2500, False),
        (TransactionKind.CHARGE, TransactionKind.REFUND, 700, True),
        (TransactionKind.CHARGE, TransactionKind.REFUND, 2501, False),
    ],
)
async def test_a_change_is_pending_until_its_event_says_how_it_ended(
    adyen: Adyen, first: TransactionKind, then: TransactionKind, amount: int, *, went_well: bool
) -> None:
    parent = await begun(adyen, first)
    reference, money = parent.provider_reference, Money(amount, "EUR")
    change = samples.a_refund(parent, kind=then, parent_reference=reference, amount=money)

    outcome = await adyen.gateway.send(change)

    assert isinstance(outcome, Pending)
    [fact] = (await told(adyen))[-1].facts
    assert (fact.kind, fact.reference, fact.parent_reference) == (
        then,
        outcome.reference,
        reference,
    )
    assert (fact.transaction_id, fact.installation) == (change.id, "kiel-1")
    if went_well:
        assert fact.outcome == Succeeded(outcome.reference, money, change.id)
    else:
        assert isinstance(fact.outcome, Declined)
    assert len(await adyen.ledger()) == (2 if went_well else 1)


async def test_there_is_no_look_up_and_the_profile_says_so(adyen: Adyen) -> None:
    charge = await begun(adyen, TransactionKind.CHARGE)

    assert adyen.gateway.profile.looks_up == frozenset()
    assert await adyen.gateway.look_up(charge) == OutcomeUnknown("adyen_has_no_look_up")


async def test_it_is_not_sent_when_it_is_too_late_or_leads_elsewhere(adyen: Adyen) -> None:
    late = adyen.a_charge(send_until=adyen.time.now())
    assert await adyen.gateway.send(late) == NotSent("too_late")
    for reference in ("../x", "a/b", "a?b", "", "ABC-live", None):
        refund = samples.a_refund(adyen.a_charge(), parent_reference=reference)
        assert await adyen.gateway.send(refund) == NotSent("no_usable_reference")

    assert adyen.bridge.asked == []


async def test_without_a_free_thread_nothing_is_sent(adyen: Adyen) -> None:
    adyen.gateway._free._value = 0  # noqa: SLF001 - as if every call hung

    assert await adyen.gateway.send(adyen.a_charge()) == NotSent("no_free_slot")
    assert adyen.bridge.asked == []


@pytest.mark.parametrize("currency", ["CLP", "ISK", "IDR", "CVE"])
def test_currencies_that_adyen_counts_otherwise_are_refused(currency: str) -> None:
    gateway = a_gateway(Bridge(lambda _: an_answer(200, b"{}")), Time())

    with pytest.raises(InvalidValue):
        gateway.check(Money(100, currency), PAYS)


# Answers and silences ---------------------------------------------------------------------


def an_error(code: str, kind: str = "validation") -> bytes:
    return json.dumps({"errorCode": code, "errorType": kind, "message": API_KEY}).encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, an_error("000"), NotSent("misconfigured")),
        (403, an_error("901"), NotSent("misconfigured")),
        (429, an_error("0"), RateLimited()),
        (422, an_error("704"), InProgress()),
        (422, an_error("137"), Declined("refused_137")),
        (422, an_error("137", "internal"), OutcomeUnknown("http_422:137")),
        (404, b"{}", OutcomeUnknown("http_404:unrecognised")),
        (500, an_error("905"), OutcomeUnknown("http_500:905")),
        (503, b"<html>", OutcomeUnknown("http_503:unrecognised")),
        (500, b"[]", OutcomeUnknown("AttributeError")),
        (307, b"", OutcomeUnknown("http_307:unrecognised")),
        (200, b"<html>", OutcomeUnknown("result:unrecognised")),
        (200, b"[]", OutcomeUnknown("AttributeError")),
        (200, b'{"resultCode": "Authorised"}', OutcomeUnknown("unreadable_answer")),
        (200, b'{"resultCode": "PresentToShopper"}', OutcomeUnknown("result:presenttoshopper")),
        (200, b'{"resultCode": "Error"}', OutcomeUnknown("result:error")),
    ],
)
async def test_an_answer_is_exactly_one_outcome(
    status: int, body: bytes, expected: Outcome
) -> None:
    bridge = Bridge(lambda _: an_answer(status, body))
    gateway = a_gateway(bridge, Time())

    outcome = await gateway.send(samples.a_charge("order-7", NOON, token=PAYS))

    await gateway.close()
    assert outcome == expected
    assert API_KEY not in repr((outcome, gateway, vars(gateway)))
    assert len(bridge.asked) == 1


@pytest.mark.parametrize("code", ["RedirectShopper", "IdentifyShopper", "ChallengeShopper"])
@pytest.mark.parametrize("reference", [None, "JLCMPCQ8HXSKGK82"])
async def test_a_payment_that_needs_the_buyer_is_refused_whether_adyen_names_it_or_not(
    code: str, reference: str | None
) -> None:
    answer = {"resultCode": code} | ({"pspReference": reference} if reference else {})
    gateway = a_gateway(Bridge(lambda _: an_answer(200, json.dumps(answer).encode())), Time())

    outcome = await gateway.send(samples.a_charge("order-7", NOON, token=PAYS))

    await gateway.close()
    assert outcome == Declined("authentication_required", retryable=True, reference=reference)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (requests.ConnectTimeout, NotSent("ConnectTimeout")),
        (requests.ReadTimeout, OutcomeUnknown("ReadTimeout")),
        (requests.ConnectionError, OutcomeUnknown("ConnectionError")),
        (OSError, OutcomeUnknown("OSError")),
    ],
)
async def test_only_a_connection_that_never_stood_is_not_sent(
    fault: type[Exception], expected: Outcome
) -> None:
    def break_off(_: requests.PreparedRequest) -> requests.Response:
        raise fault("on the way")

    gateway = a_gateway(Bridge(break_off), Time())

    assert await gateway.send(samples.a_charge("order-7", NOON, token=PAYS)) == expected
    await gateway.close()


async def test_nobody_listens() -> None:
    plugin = build(
        {
            "ADYEN_API_KEY": API_KEY,
            "ADYEN_MERCHANT_ACCOUNT": MERCHANT,
            "ADYEN_API_BASE": "http://127.0.0.1:9/v72",
        }
    )
    charge = samples.a_charge("order-7", NOON.replace(year=2999), token=PAYS)

    assert await plugin.gateway.send(charge) == NotSent("ConnectError")
    await plugin.gateway.close()


async def test_a_hold_is_counted_on_for_no_longer_than_the_shortest_promise(adyen: Adyen) -> None:
    hold = adyen.a_charge(kind=TransactionKind.AUTHORIZATION)
    adyen.time.is_now += timedelta(minutes=5)

    outcome = await adyen.gateway.send(hold)

    assert isinstance(outcome, Authorized)
    assert outcome.capture_before == hold.recorded_at + timedelta(days=5)


# Events -----------------------------------------------------------------------------------


async def test_a_payment_is_told_with_our_ids(adyen: Adyen) -> None:
    charge = await begun(adyen, TransactionKind.CHARGE)
    hold = await begun(adyen, TransactionKind.AUTHORIZATION)

    charged, held = (event.facts[0] for event in await told(adyen))

    assert isinstance(charged.outcome, Succeeded)
    assert isinstance(held.outcome, Authorized)
    assert [(fact.kind, fact.transaction_id, fact.installation) for fact in (charged, held)] == [
        (TransactionKind.CHARGE, charge.id, "kiel-1"),
        (TransactionKind.AUTHORIZATION, hold.id, "kiel-1"),
    ]


async def test_a_chargeback_takes_the_money_back(adyen: Adyen) -> None:
    charge = await begun(adyen, TransactionKind.CHARGE)
    await adyen.control("act", {"reference": charge.provider_reference, "decision": "refuse"})

    [fact] = (await told(adyen))[-1].facts

    assert fact.outcome == Reversed(fact.reference, samples.EUR_25, "chargeback", open=True)
    assert fact.parent_reference == charge.provider_reference


@pytest.mark.parametrize(("status", "is_ours_again"), [("Won", True), ("Pending", False)])
async def test_a_chargeback_that_is_won_gives_the_money_back(
    adyen: Adyen, status: str, *, is_ours_again: bool
) -> None:
    charge = await begun(adyen, TransactionKind.CHARGE)
    await adyen.control("act", {"reference": charge.provider_reference, "decision": "refuse"})
    chargeback = json.loads((await adyen.events())[-1])
    item = chargeback["notificationItems"][0]["NotificationRequestItem"]
    item["eventCode"] = "CHARGEBACK_REVERSED"
    signature = generate_notification_sig(item, HMAC_KEY)
    item["additionalData"] = {"hmacSignature": signature.decode(), "disputeStatus": status}

    event = await adyen.webhooks.parse(json.dumps(chargeback).encode(), {})

    restored = Restored(item["pspReference"], samples.EUR_25, "chargeback_reversed")
    assert [fact.outcome for fact in event.facts] == ([restored] if is_ours_again else [])
    # Told first as pending and then as won, it is two events, both of which are remembered.
    assert event.id.endswith(f":{status}")


async def a_told(adyen: Adyen, name: str, **but: Any) -> Any:
    """The event `name` of a payment at the emulator, as Adyen would sign it."""
    await begun(adyen, TransactionKind.CHARGE)
    shown = json.loads((await adyen.events())[-1])
    item = shown["notificationItems"][0]["NotificationRequestItem"]
    item |= {"eventCode": name, "pspReference": "EMUREFUND1", "originalReference": "EMU1", **but}
    signature = generate_notification_sig(item, HMAC_KEY)
    item["additionalData"] = {"hmacSignature": signature.decode()}
    return await adyen.webhooks.parse(json.dumps(shown).encode(), {})


async def test_the_stages_of_a_dispute_are_ordered_whatever_arrives_first(adyen: Adyen) -> None:
    names = ("SECOND_CHARGEBACK", "CHARGEBACK")
    later, earlier = [(await a_told(adyen, name)).facts[0] for name in names]

    assert later.sequence > earlier.sequence


@pytest.mark.parametrize("name", ["REFUND_FAILED", "REFUNDED_REVERSED"])
async def test_a_refund_that_fails_is_no_dispute_of_its_payment(adyen: Adyen, name: str) -> None:
    [fact] = (await a_told(adyen, name, merchantReference="a shop's own words")).facts

    assert fact.kind is TransactionKind.REFUND
    assert fact.outcome == Reversed("EMUREFUND1", samples.EUR_25, name.lower())
    assert (fact.transaction_id, fact.parent_reference) == (None, "EMU1")


async def test_only_what_adyen_signed_is_believed(adyen: Adyen) -> None:
    await begun(adyen, TransactionKind.CHARGE)
    [body] = await adyen.events()
    genuine = json.loads(body)
    item = genuine["notificationItems"][0]["NotificationRequestItem"]

    def with_item(**but: Any) -> bytes:
        changed = {**item, **but}
        changed = {name: value for name, value in changed.items() if value is not None}
        return json.dumps({"notificationItems": [{"NotificationRequestItem": changed}]}).encode()

    wrong = [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        with_item(success="false"),
        with_item(success=True),
        with_item(amount={"value": 2501, "currency": "EUR"}),
        with_item(amount=None),
        with_item(pspReference="EMUOTHER"),
        with_item(merchantAccountCode="Another"),
        # Without a signature the SDK's check says None, which is not yes.
        with_item(additionalData=None),
        with_item(additionalData={}),
        with_item(additionalData={"hmacSignature": ""}),
        with_item(additionalData={"hmacSignature": "é"}),
        # The same signed text, cut at other places.
        with_item(originalReference=f":{MERCHANT}", merchantAccountCode=""),
        json.dumps({"notificationItems": genuine["notificationItems"] * 2}).encode(),
        b"[" + b"[]," * 300_000 + b"[]]",
    ]
    began = time.process_time()
    for forged in wrong:
        with pytest.raises(WebhookRejected):
            await adyen.webhooks.parse(forged, {})
    assert time.process_time() - began < 0.2, "what a stranger sends costs little"
    assert (await adyen.webhooks.parse(with_item(), {})).facts
    await adyen.control("webhooks", {"action": "forge"})
    with pytest.raises(WebhookRejected):
        await adyen.webhooks.parse((await adyen.events())[-1], {})


# Settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, {"ADYEN_API_KEY", "ADYEN_MERCHANT_ACCOUNT"}),
        (
            {"ADYEN_API_KEY": "k", "ADYEN_MERCHANT_ACCOUNT": "M", "ADYEN_HMAC_KEY": HMAC_KEY[1:]},
            {"ADYEN_HMAC_KEY"},
        ),
        (
            {"ADYEN_API_KEY": "k", "ADYEN_MERCHANT_ACCOUNT": "M", "ADYEN_API_BASE": "http://a.b"},
            {"ADYEN_API_BASE"},
        ),
        (
            {"ADYEN_API_KEY": "k", "ADYEN_MERCHANT_ACCOUNT": "M", "ADYEN_X": "1"},
            {"ADYEN_X"},
        ),
    ],
)
def test_every_mistake_is_named_at_once(settings: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        build(settings)

    assert {name for name, _ in refusal.value.mistakes} == wrong
