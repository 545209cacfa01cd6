"""Payments through Stripe: PaymentIntents, refunds, and the events about them."""

from order_stripe.event_log import StripeEventLog
from order_stripe.gateway import StripeGateway
from order_stripe.http_client import StripeHttp, stripe_client
from order_stripe.plugin import build
from order_stripe.webhooks import StripeWebhooks

__all__ = [
    "StripeEventLog",
    "StripeGateway",
    "StripeHttp",
    "StripeWebhooks",
    "build",
    "stripe_client",
]
