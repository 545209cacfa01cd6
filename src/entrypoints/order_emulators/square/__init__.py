"""A pretended Square: payments, holds, refunds and disputes of one location."""

from order_emulators.square.emulator import DEFAULT_SECRETS, SquareEmulator

__all__ = ["DEFAULT_SECRETS", "SquareEmulator"]
