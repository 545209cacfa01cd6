"""A notifier that keeps what it was asked to tell."""

from collections import deque

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports import Notice


class RecordingNotifier:
    """Delivers into `told`, unless it was told to fail first."""

    def __init__(self) -> None:
        self._told: tuple[Notice, ...] = ()
        self._failures: deque[NotificationFailed | NotificationRefused] = deque()

    @property
    def told(self) -> tuple[Notice, ...]:
        """Every delivered notice, in the order of delivery."""
        return self._told

    def fail_next(self, *failures: NotificationFailed | NotificationRefused) -> None:
        """Raise each of these once, instead of the next deliveries."""
        self._failures.extend(failures)

    async def tell(self, notice: Notice, /) -> None:
        if self._failures:
            raise self._failures.popleft()
        self._told = (*self._told, notice)
