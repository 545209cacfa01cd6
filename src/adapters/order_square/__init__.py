"""Payments through Square, with its own SDK (`squareup`).

The SDK is loaded when a gateway is built, not when this package is imported.
"""

from order_square.plugin import build

__all__ = ["build"]
