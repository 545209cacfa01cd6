"""Every answer that any client received."""

from dataclasses import dataclass, field
from typing import Any, Final

from order_core.invariants import RefundWish
from order_core.order_status import OrderStatus

_PLACED: Final = 201
_DECLINED: Final = 402


@dataclass(frozen=True)
class Answer:
    """What one client was told once."""

    at: float
    """Seconds since the run began."""
    asked: str
    """`place`, `cancel`, `read`, `list`, `refund` or `process`."""
    http_status: int
    code: str | None = None
    """Of a problem document."""
    key: str | None = None
    order_id: str | None = None
    order_status: OrderStatus | None = None

    def __str__(self) -> str:
        parts = [f"{self.at:8.2f} s  {self.asked}: {self.http_status}"]
        parts += [str(part) for part in (self.code, self.order_status, self.order_id) if part]
        if self.key:
            parts.append(f"(key {self.key})")
        return " ".join(parts)


@dataclass
class Wish:
    """An order that a customer wants once."""

    key: str
    customer: str
    body: dict[str, Any]
    is_settled: bool = False
    """Whether the customer knows what became of it."""


@dataclass
class Refunding:
    """A refund that staff wants once."""

    key: str
    order_id: str
    minor_units: int | None
    """None: all that is left."""
    is_accepted: bool = False
    is_refused: bool = False

    @property
    def wish(self) -> RefundWish:
        """As the invariants know it."""
        return RefundWish(
            self.minor_units, is_accepted=self.is_accepted, is_refused=self.is_refused
        )


@dataclass
class Heard:
    """All of it, in the order in which it came."""

    answers: list[Answer] = field(default_factory=list)
    wishes: dict[str, Wish] = field(default_factory=dict)
    refunds: dict[str, Refunding] = field(default_factory=dict)
    by_hand: dict[tuple[str, str], list[RefundWish]] = field(default_factory=dict)
    """Provider and payment -> what somebody gave back of it at the dashboard."""

    def take(self, answer: Answer) -> None:
        self.answers.append(answer)

    def of_order(self, order_id: str) -> list[Answer]:
        return [answer for answer in self.answers if answer.order_id == order_id]

    def told(self) -> dict[str, list[OrderStatus]]:
        """Order -> the statuses that clients were told."""
        told: dict[str, list[OrderStatus]] = {}
        for answer in self.answers:
            if answer.order_id and answer.order_status:
                told.setdefault(answer.order_id, []).append(answer.order_status)
        return told

    def refund_wishes(self, order_id: str) -> tuple[RefundWish, ...]:
        """What staff asked to give back of an order."""
        return tuple(r.wish for r in self.refunds.values() if r.order_id == order_id)

    def orders_of_keys(self) -> dict[str, set[str]]:
        """Key -> the orders that were answered to it."""
        orders: dict[str, set[str]] = {}
        for answer in self.answers:
            if answer.asked == "place" and answer.key and answer.order_id:
                orders.setdefault(answer.key, set()).add(answer.order_id)
        return orders


def status_told(http_status: int, document: dict[str, Any]) -> OrderStatus | None:
    """What an answer says about the order's status."""
    if http_status == _DECLINED:
        return OrderStatus.PAYMENT_FAILED
    shown = document.get("order", document)
    word = shown.get("status") if isinstance(shown, dict) else None
    return OrderStatus(word) if word in set(OrderStatus) else None
