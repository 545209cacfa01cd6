"""What every way to send a mail has in common."""

from typing import Final, Protocol

from order_core.ports.notifier import Notice

DELIVERY_SECONDS: Final = 12.0
"""How long one delivery may take. Whoever claims a batch of notices holds it for minutes only."""


class Mail(Protocol):
    """A notifier that may hold connections, and gives them up when it is closed."""

    async def tell(self, notice: Notice, /) -> None:
        """As `order_core.ports.notifier.Notifier` promises."""
        ...

    async def close(self) -> None:
        """Give up what it holds. Closing twice does no harm."""
        ...
