"""Spare each collection of garbage what the program itself is made of, and what is under way."""

import gc
from typing import Final

_OF_WHAT_IS_UNDER_WAY: Final = 10_000
"""Objects: more than the requests that are answered at one time are made of."""


def keep_what_is_loaded() -> None:
    """Take everything that is alive out of all later collections, and let them come seldom.

    A full collection looks at every object, and nobody is answered meanwhile: with all modules
    loaded that takes some hundredths of a second, once in some thousand requests. A small one
    would come with every second dozen of requests, and find nothing but these requests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OF_WHAT_IS_UNDER_WAY)
