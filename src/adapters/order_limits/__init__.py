"""Counts how often somebody did something lately, in this process or in Redis.

The parts that need third-party packages are imported from their own modules, so that reading
the settings does not wait for them.
"""

from order_limits.quota import Quota
from order_limits.rate import OFF, Rate

__all__ = ["OFF", "Quota", "Rate"]
