"""Stripe's gateway keeps the promises of every gateway, over a Stripe that only pretends."""

from collections.abc import AsyncIterator

import pytest

from order_core.payment import PaymentTransaction
from order_core.ports import PaymentGateway
from order_memory.contracts import PaymentGatewayContract, ProviderTokens
from tests.integration.stripe_wire import Shop, assert_as_documented

_CREATE = "POST /v1/payment_intents"
_FAULTS = {
    "pm_card_amex": "request_lost",
    "pm_card_visa_debit": "answer_lost",
    "pm_card_mastercard_debit": "error_after",
}


class TestStripeGateway(PaymentGatewayContract):
    @pytest.fixture
    async def gateway(self) -> AsyncIterator[PaymentGateway]:
        shop = Shop()
        for token, kind in _FAULTS.items():
            await shop.fault(_CREATE, kind, times=100, body_contains=token)
        self.shop = shop
        yield shop.gateway
        await shop.close()
        assert_as_documented(shop.wire)

    @pytest.fixture
    def tokens(self) -> ProviderTokens:
        return ProviderTokens(
            pays="pm_card_visa",
            declined="pm_card_visa_chargeDeclined",
            unknown="card_visa",
            asks_buyer="pm_card_authenticationRequired",
            single_use="tok_1PaysOnce",
            loses_request="pm_card_amex",
            loses_answer="pm_card_visa_debit",
            fails_after="pm_card_mastercard_debit",
        )

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        return await self.shop.taken_by(transaction)
