"""Numbers in place of values, so that a state is a few numbers."""

from collections.abc import Hashable
from typing import Any

from order_explorer.steps import Raised


class Numbered:
    """Gives equal values the same number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self.values)

    def number_of(self, value: Any, key: Hashable = None) -> int:  # noqa: ANN401 - any value
        """The number of `value`; two values with one `key` are taken for equal."""
        known = _key(value) if key is None else key
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self.values)
            self.values.append(value)
        return number


def _key(value: Any) -> Hashable:  # noqa: ANN401 - any value
    if isinstance(value, Raised):
        return Raised, type(value.error), str(value.error)
    # The type too: True is not 1 here.
    return type(value), value
