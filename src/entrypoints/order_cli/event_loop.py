"""The event loop that commands run on."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def run_loop(work: Coroutine[object, object, T]) -> T:
    """Run `work` on uvloop where there is one, and on Python's own loop elsewhere."""
    if sys.platform == "win32":
        return asyncio.run(work)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
