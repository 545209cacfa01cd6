"""The payment methods of the simulated provider, and how often customers use each."""

from types import MappingProxyType
from typing import Final

from order_memory import Effect, Reaction
from order_memory.reactions import ASK_BUYER, OBEY, TWO_STEPS, WAIT, WRONG_AMOUNT, decline

PAYMENT_METHODS: Final = MappingProxyType(
    {
        "ok": OBEY,
        "declined": decline(),
        "insufficient": decline("insufficient_funds", retryable=True),
        "buyer-approves": ASK_BUYER,
        "buyer-refuses": ASK_BUYER,
        "buyer-never": ASK_BUYER,
        "buyer-late": ASK_BUYER,
        "wallet-approves": ASK_BUYER,
        "wallet-late": ASK_BUYER,
        "bank-pays": WAIT,
        "bank-refuses": WAIT,
        "two-steps": TWO_STEPS,
        "wrong-amount": WRONG_AMOUNT,
    }
)
"""Wallets are approved by the buyer, and then the shop must take the money itself."""

HOW_OFTEN: Final = MappingProxyType(
    {
        "ok": 60.0,
        "declined": 5.0,
        "insufficient": 3.0,
        "buyer-approves": 5.0,
        "buyer-refuses": 1.0,
        "buyer-never": 1.2,
        "buyer-late": 1.2,
        "wallet-approves": 2.5,
        "wallet-late": 0.7,
        "bank-pays": 1.2,
        "bank-refuses": 0.6,
        "two-steps": 5.0,
        "wrong-amount": 1.5,
        "once_": 14.0,
    }
)

REFUSED: Final = Reaction(Effect.DECLINE, reason="refused_by_bank", retryable=True)
