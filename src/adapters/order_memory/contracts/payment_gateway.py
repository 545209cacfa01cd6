"""What a payment gateway must do."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    InProgress,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.payment_terms import PaymentTerms
from order_core.ports import PaymentGateway
from order_memory.contracts import samples

_PRICE: Final = Money(2500, "EUR")
_LONGEST_KEY: Final = 45


@dataclass(frozen=True, slots=True)
class ProviderTokens:
    """Payment methods of the provider's test mode; None for what it cannot do.

    A suite's test of a behaviour that the provider does not have is skipped.
    """

    pays: str
    declined: str
    unknown: str | None = None
    """A token that `check` refuses."""
    asks_buyer: str | None = None
    pends: str | None = None
    two_steps: str | None = None
    single_use: str | None = None
    loses_request: str | None = None
    """The provider never sees the request, and nobody answers."""
    loses_answer: str | None = None
    """The money moves, and the answer does not come back."""
    fails_after: str | None = None
    """The money moves, and the answer is a 5xx."""
    kinds: frozenset[TransactionKind] = field(default=frozenset(TransactionKind))
    """What the provider can do."""

    def named(self, name: str) -> str:
        """The token for this behaviour; skips the test if there is none."""
        token: str | None = getattr(self, name)
        if token is None:
            pytest.skip(f"this provider has no way to show {name}")
        return token


class PaymentGatewayContract:
    """Override the fixtures `gateway` and `tokens`, `taken_by`, and `now` if it has a clock."""

    @pytest.fixture
    async def gateway(self) -> PaymentGateway:
        """The gateway under test, over a provider that has seen nothing yet."""
        raise NotImplementedError

    @pytest.fixture
    def tokens(self) -> ProviderTokens:
        """What the provider's tokens do."""
        raise NotImplementedError

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        """How many minor units the provider's own books show as taken for `transaction`."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The present moment by the gateway's clock."""
        return datetime.now(UTC)

    def a_charge(self, gateway: PaymentGateway, token: str, **but: Any) -> PaymentTransaction:  # noqa: ANN401
        """A charge that was just recorded, for this gateway."""
        profile = gateway.profile
        values: dict[str, Any] = {
            "provider": profile.provider,
            "account": profile.account,
            "request_version": profile.request_version,
            "horizon": profile.horizon,
            "amount": _PRICE,
            "token": token,
        }
        charge = samples.a_charge("order-1", self.now(), **values)
        return replace(charge, **but)

    def a_child(
        self,
        parent: PaymentTransaction,
        kind: TransactionKind,
        reference: str,
        **but: Any,  # noqa: ANN401
    ) -> PaymentTransaction:
        """A capture, void or refund of what `parent` moved."""
        child = samples.a_refund(parent, kind=kind, parent_reference=reference)
        return replace(child, **but)

    async def paid(self, gateway: PaymentGateway, tokens: ProviderTokens) -> PaymentTransaction:
        """A charge that succeeded, with the provider's reference."""
        charge = self.a_charge(gateway, tokens.pays)
        outcome = await gateway.send(charge)
        assert isinstance(outcome, Succeeded)
        return replace(charge, provider_reference=outcome.reference)

    async def held(self, gateway: PaymentGateway, tokens: ProviderTokens) -> PaymentTransaction:
        """An authorization that succeeded, with the provider's reference."""
        if TransactionKind.AUTHORIZATION not in tokens.kinds:
            pytest.skip("this provider does not authorize")
        wish = self.a_charge(gateway, tokens.pays, kind=TransactionKind.AUTHORIZATION)
        outcome = await gateway.send(wish)
        assert isinstance(outcome, Authorized)
        assert (outcome.amount, outcome.transaction_id) == (_PRICE, wish.id)
        return replace(wish, provider_reference=outcome.reference)

    # Before anything ----------------------------------------------------------------------

    async def test_its_times_fit_the_usual_policy(self, gateway: PaymentGateway) -> None:
        profile = gateway.profile

        assert PaymentTerms(profile).gateway is profile
        assert profile.provider
        assert profile.account
        assert timedelta(0) < profile.call_budget < profile.horizon

    async def test_a_token_that_can_never_pay_is_refused_at_once(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        with pytest.raises(InvalidValue) as refusal:
            gateway.check(_PRICE, tokens.named("unknown"))

        assert refusal.value.field == ("payment_method",)

    async def test_a_token_that_may_pay_is_not_refused(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        gateway.check(_PRICE, tokens.pays)
        gateway.check(_PRICE, tokens.declined)

    async def test_a_token_that_pays_once_is_known(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        assert gateway.is_single_use(tokens.named("single_use"))
        assert not gateway.is_single_use(tokens.pays)

    # Taking money -------------------------------------------------------------------------

    async def test_a_charge_takes_its_amount_and_names_our_transaction(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.pays)

        outcome = await gateway.send(charge)

        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.transaction_id) == (_PRICE, charge.id)
        assert outcome.reference
        assert await self.taken_by(gateway, charge) == _PRICE.minor_units

    @pytest.mark.parametrize("amount", [Money(1_234_567, "JPY"), Money(12_340, "KWD")])
    async def test_currencies_have_their_own_decimals(
        self, gateway: PaymentGateway, tokens: ProviderTokens, amount: Money
    ) -> None:
        try:
            gateway.check(amount, tokens.pays)
        except InvalidValue as refusal:
            assert refusal.field == ("currency",)  # noqa: PT017 - either way is right
            pytest.skip(f"this provider does not take {amount.currency}")

        outcome = await gateway.send(self.a_charge(gateway, tokens.pays, amount=amount))

        assert isinstance(outcome, Succeeded)
        assert outcome.amount == amount

    async def test_a_repeated_charge_takes_money_once_and_has_the_first_answer(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.pays)

        first = await gateway.send(charge)
        second = await gateway.send(replace(charge, sends=1, attempts=2))

        assert second == first
        assert await self.taken_by(gateway, charge) == _PRICE.minor_units

    async def test_a_charge_sent_twice_at_once_takes_money_once(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.pays)

        answers = await asyncio.gather(*(gateway.send(charge) for _ in range(5)))

        assert any(isinstance(answer, Succeeded) for answer in answers)
        assert all(isinstance(answer, Succeeded | InProgress) for answer in answers)
        assert await self.taken_by(gateway, charge) == _PRICE.minor_units

    async def test_two_charges_are_two_payments(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        first, second = await self.paid(gateway, tokens), await self.paid(gateway, tokens)

        assert first.provider_reference != second.provider_reference

    async def test_a_declined_charge_takes_nothing_and_says_why(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.declined)

        outcome = await gateway.send(charge)

        assert isinstance(outcome, Declined)
        assert outcome.reason
        assert await self.taken_by(gateway, charge) == 0

    async def test_a_charge_that_came_too_late_is_not_sent(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.pays, send_until=self.now())

        outcome = await gateway.send(charge)

        assert isinstance(outcome, NotSent)
        assert await self.taken_by(gateway, charge) == 0
        assert await gateway.look_up(charge) == NotFound()

    async def test_a_single_use_token_never_pays_twice(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        first = self.a_charge(gateway, tokens.named("single_use"))
        second = self.a_charge(gateway, tokens.named("single_use"))
        await gateway.send(first)

        outcome = await gateway.send(second)

        assert isinstance(outcome, Declined | OutcomeUnknown)
        assert await self.taken_by(gateway, first) == _PRICE.minor_units
        assert await self.taken_by(gateway, second) == 0

    async def test_a_payment_in_two_steps_takes_money_in_the_second(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.named("two_steps"))

        first = await gateway.send(charge)
        assert isinstance(first, Continue)
        assert await self.taken_by(gateway, charge) == 0
        step = replace(charge, step=2, provider_reference=first.reference)
        assert len(step.key) <= _LONGEST_KEY
        seen_between = await gateway.look_up(step)
        second = await gateway.send(step)

        # Another Continue would send the core on to a third step.
        assert not isinstance(seen_between, Succeeded | Declined | Continue)
        assert isinstance(second, Succeeded)
        assert await gateway.send(step) == second
        assert await self.taken_by(gateway, step) == _PRICE.minor_units

    async def test_a_buyer_who_must_act_is_shown_the_way_and_nothing_is_taken(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(
            gateway, tokens.named("asks_buyer"), return_url="https://shop.example/back"
        )

        outcome = await gateway.send(charge)

        assert isinstance(outcome, ActionRequired)
        assert outcome.url or outcome.client_secret
        assert await self.taken_by(gateway, charge) == 0

    async def test_a_payment_that_takes_its_time_is_pending(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        outcome = await gateway.send(self.a_charge(gateway, tokens.named("pends")))

        assert isinstance(outcome, Pending)

    # When nobody answers ------------------------------------------------------------------

    @pytest.mark.parametrize("behaviour", ["loses_answer", "fails_after"])
    async def test_a_lost_answer_is_unknown_and_the_look_up_finds_the_money(
        self, gateway: PaymentGateway, tokens: ProviderTokens, behaviour: str
    ) -> None:
        charge = self.a_charge(gateway, tokens.named(behaviour))

        outcome = await gateway.send(charge)

        assert isinstance(outcome, OutcomeUnknown)
        found = await gateway.look_up(charge)
        assert isinstance(found, Succeeded)
        assert (found.amount, found.transaction_id) == (_PRICE, charge.id)

    async def test_asking_again_after_a_lost_answer_takes_nothing_more(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.named("loses_answer"))
        await gateway.send(charge)

        again = await gateway.send(replace(charge, sends=1))

        assert isinstance(again, Succeeded | OutcomeUnknown | InProgress)
        assert await self.taken_by(gateway, charge) == _PRICE.minor_units

    async def test_a_lost_request_is_unknown_and_leaves_no_trace(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.named("loses_request"))

        outcome = await gateway.send(charge)

        assert isinstance(outcome, OutcomeUnknown)
        assert await gateway.look_up(charge) == NotFound()
        assert await self.taken_by(gateway, charge) == 0

    # Asking -------------------------------------------------------------------------------

    async def test_a_look_up_finds_what_was_paid(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.pays)
        answer = await gateway.send(charge)

        # As after a crash: the reference was in the answer, which was never stored.
        assert await gateway.look_up(charge) == answer

    async def test_a_look_up_moves_nothing(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.pays)

        assert await gateway.look_up(charge) == NotFound()
        assert await self.taken_by(gateway, charge) == 0

    async def test_a_look_up_of_another_payment_is_not_ours(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        await self.paid(gateway, tokens)

        assert await gateway.look_up(self.a_charge(gateway, tokens.pays)) == NotFound()

    async def test_a_look_up_of_a_declined_charge_never_says_paid(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.declined)
        await gateway.send(charge)

        assert isinstance(await gateway.look_up(charge), Declined | NotFound)

    # Giving back --------------------------------------------------------------------------

    async def test_a_refund_gives_back_and_is_found(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        refund = await self.refund_of_all(gateway, tokens)

        outcome = await gateway.send(refund)

        assert isinstance(outcome, Succeeded | Pending)
        if isinstance(outcome, Succeeded):
            assert (outcome.amount, outcome.transaction_id) == (_PRICE, refund.id)
        if TransactionKind.REFUND in gateway.profile.looks_up:
            assert await gateway.look_up(refund) == outcome

    async def refund_of_all(
        self,
        gateway: PaymentGateway,
        tokens: ProviderTokens,
        **but: Any,  # noqa: ANN401
    ) -> PaymentTransaction:
        """A refund of a charge that succeeded, not sent yet."""
        charge = await self.paid(gateway, tokens)
        reference = charge.provider_reference or ""
        return self.a_child(charge, TransactionKind.REFUND, reference, **but)

    async def test_a_repeated_refund_gives_back_once(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        refund = await self.refund_of_all(gateway, tokens, amount=Money(2000, "EUR"))

        first, again = await gateway.send(refund), await gateway.send(refund)
        rest = await gateway.send(replace(refund, id="the-rest", amount=Money(500, "EUR")))

        assert again == first
        assert isinstance(rest, Succeeded | Pending)

    async def test_a_refund_of_more_than_was_taken_is_declined(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        part = await self.refund_of_all(gateway, tokens, amount=Money(2000, "EUR"))
        await gateway.send(part)

        outcome = await gateway.send(replace(part, id="too-much", amount=Money(501, "EUR")))

        assert isinstance(outcome, Declined)

    async def test_a_payment_the_buyer_has_not_completed_can_be_voided(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = self.a_charge(gateway, tokens.named("asks_buyer"))
        asked = await gateway.send(charge)
        assert isinstance(asked, ActionRequired)
        void = self.a_child(charge, TransactionKind.VOID, asked.reference)

        outcome = await gateway.send(void)

        assert isinstance(outcome, Succeeded)
        assert outcome.transaction_id == void.id
        assert isinstance(await gateway.look_up(charge), Declined)
        assert await self.taken_by(gateway, charge) == 0

    async def test_a_payment_that_was_taken_cannot_be_voided(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        charge = await self.paid(gateway, tokens)
        void = self.a_child(charge, TransactionKind.VOID, charge.provider_reference or "")

        outcome = await gateway.send(void)

        assert isinstance(outcome, Declined)
        assert await self.taken_by(gateway, charge) == _PRICE.minor_units

    async def test_a_hold_can_be_given_up(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        hold = await self.held(gateway, tokens)
        void = self.a_child(hold, TransactionKind.VOID, hold.provider_reference or "")

        outcome = await gateway.send(void)

        assert isinstance(outcome, Succeeded)
        assert isinstance(await gateway.look_up(hold), Declined)

    async def test_a_hold_can_be_captured_once(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        hold = await self.held(gateway, tokens)
        capture = self.a_child(hold, TransactionKind.CAPTURE, hold.provider_reference or "")

        outcome = await gateway.send(capture)
        more = await gateway.send(replace(capture, id="capture-more"))

        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.transaction_id) == (_PRICE, capture.id)
        assert isinstance(more, Declined)
        assert await self.taken_by(gateway, capture) == _PRICE.minor_units

    async def test_a_hold_that_was_captured_cannot_be_given_up(
        self, gateway: PaymentGateway, tokens: ProviderTokens
    ) -> None:
        hold = await self.held(gateway, tokens)
        reference = hold.provider_reference or ""
        await gateway.send(self.a_child(hold, TransactionKind.CAPTURE, reference))

        outcome = await gateway.send(self.a_child(hold, TransactionKind.VOID, reference))

        assert isinstance(outcome, Declined)
