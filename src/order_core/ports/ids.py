"""The port through which the core names new things."""

from typing import Protocol


class Ids(Protocol):
    """A source of names."""

    def new_id(self) -> str:
        """A name that was never given before: 1 to 36 characters of `[A-Za-z0-9-]`.

        Ids should grow with time, so that new rows stand together in the store.
        """
        ...
