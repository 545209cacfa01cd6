"""Payments through Adyen, with its own SDK, which is loaded when a gateway is built."""

from order_adyen.plugin import build

__all__ = ["build"]
