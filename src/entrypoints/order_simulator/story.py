"""What happened in a run, in virtual time: everything, or all that concerns one order."""

from collections.abc import Iterable
from datetime import timedelta

from order_core.order import Order
from order_core.payment import PaymentTransaction


class Story:
    """Lines to print. One without readers costs a run nothing: see `Shop.story`."""

    def __init__(self, order_id: str | None = None) -> None:
        self._about = order_id
        self._lines: list[str] = []

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self._lines)

    def tell(self, time: int, who: str, what: str, order_id: str | None) -> None:
        """Add a line, unless the story is about another order."""
        if self._about is None or self._about == order_id:
            at = timedelta(microseconds=time)
            self._lines.append(f"{at!s:<24} {who:<12} {what}")


def in_short(order: Order) -> str:
    """The state of an order in one line."""
    return f"v{order.version} {order.status} [{', '.join(_movements(order.transactions))}]"


def _movements(transactions: Iterable[PaymentTransaction]) -> Iterable[str]:
    for t in transactions:
        review = f" review:{t.review}" if t.review else ""
        by = "" if t.origin == "ours" else f" by {t.origin}"
        yield f"{t.id} {t.kind} {t.amount.minor_units} {t.status}{by} sends={t.sends}{review}"
