"""A PayPal that only pretends: Orders v2, Payments v2 and signed webhooks.

Secrets: `client_id` and `client_secret` of the account, `webhook_id` of its webhook.
"""

from order_emulators.paypal.emulator import PayPalEmulator
from order_emulators.paypal.signing import WebhookSigner
from order_emulators.paypal.vault import VAULT

__all__ = ["VAULT", "PayPalEmulator", "WebhookSigner"]
