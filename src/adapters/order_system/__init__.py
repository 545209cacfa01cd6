"""The clock and the ids of the machine we run on."""

from order_system.clock import SystemClock
from order_system.ids import TimeOrderedIds

__all__ = ["SystemClock", "TimeOrderedIds"]
