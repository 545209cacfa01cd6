"""Payments through PayPal: Orders v2 and Payments v2 over PayPal's own Python SDK.

PayPal has deprecated that SDK; only its OAuth2 client and transport serve here, behind the two
methods of `PayPalApi`, so that another one can take its place.
"""

from order_paypal.api import ApiAnswer, ApiRequest, NoAnswer, PayPalApi, RequestNotSent
from order_paypal.certificates import Certificates
from order_paypal.event_log import PayPalEventLog
from order_paypal.gateway import PayPalGateway
from order_paypal.plugin import build
from order_paypal.transport import PayPalTransport
from order_paypal.webhooks import PayPalWebhooks

__all__ = [
    "ApiAnswer",
    "ApiRequest",
    "Certificates",
    "NoAnswer",
    "PayPalApi",
    "PayPalEventLog",
    "PayPalGateway",
    "PayPalTransport",
    "PayPalWebhooks",
    "RequestNotSent",
    "build",
]
