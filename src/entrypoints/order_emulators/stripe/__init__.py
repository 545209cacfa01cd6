"""A pretended Stripe: PaymentIntents, refunds, disputes, idempotency keys and events.

Secrets: `api_key` (default `sk_test_emulator`) and `webhook_secret` (default
`whsec_emulator`).
"""

from order_emulators.stripe.emulator import StripeEmulator

__all__ = ["StripeEmulator"]
