"""What the exit code of `order-core` says to a script."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
MISTAKE: Final = 2
"""The command line or the configuration is wrong; trying again does not help."""
INTERRUPTED: Final = 130
