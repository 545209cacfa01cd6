"""Ids that can be read, and foreseen, in a test."""

from itertools import count


class SequentialIds:
    """`id-000001`, `id-000002`, ...: sorted text is the order in which they were given."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._numbers = count(1)

    def new_id(self) -> str:
        return f"{self._prefix}-{next(self._numbers):06}"
