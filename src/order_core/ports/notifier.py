"""The port that tells the customer."""

from dataclasses import dataclass
from typing import Protocol

from order_core.events import Happened
from order_core.order import Order


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that the customer should hear of, with the order as it is now."""

    order: Order
    happened: Happened
    email: str
    attempts: int = 0
    """How many deliveries failed before."""

    @property
    def id(self) -> str:
        """The same for every delivery of this event, so that a repeat is recognisable."""
        return f"{self.order.id}.{self.happened.sequence}"


class Notifier(Protocol):
    """A channel to the customer."""

    async def tell(self, notice: Notice, /) -> None:
        """Deliver the notice within 20 seconds. It may come twice; `notice.id` is then the same.

        Raises:
            NotificationFailed: it may work later.
            NotificationRefused: it never will.
        """
        ...
