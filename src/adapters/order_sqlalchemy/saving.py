"""Everything that one save stores."""

from typing import Any, NamedTuple

from order_core.events import OrderPlaced
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports import DuplicateGuard, Lease, OwnerView, RequestRecord
from order_sqlalchemy.mapping import event_row, order_row, transaction_row

_FREES_ITS_CONTENT = frozenset({OrderStatus.PAYMENT_FAILED, OrderStatus.CANCELLED})


class Saving(NamedTuple):
    """The arguments of the port's `save`, and their rows."""

    order: Order
    request: RequestRecord | None
    guard: DuplicateGuard | None
    take: Lease | None
    release: Lease | None
    view: OwnerView | None = None
    erases: bool = False
    """Whether what people wrote about the order is forgotten with it."""

    @property
    def is_new(self) -> bool:
        return self.order.version == 0

    @property
    def may_be_repeated(self) -> bool:
        """Whether an equal order is no double click from now on."""
        return self.erases or self.order.status in _FREES_ITS_CONTENT

    @property
    def places_it(self) -> bool:
        """Whether an equal order counts as a double click from now on anew."""
        return OrderPlaced in {type(happened.event) for happened in self.order.news}

    def order_row(self) -> dict[str, Any]:
        row = order_row(self.order)
        # While the charge is open, whatever became of the order, the text may hold what the buyer
        # pays with; a program that knows no texts would erase that in the charge alone.
        is_kept = self.view and not self.order.charge.is_open
        row["owner_view"] = self.view.text_of(self.order) if self.view and is_kept else None
        row["owner_view_edition"] = self.view.edition if self.view and is_kept else None
        row["owner_view_version"] = self.order.version + 1 if is_kept else None
        return row

    def transaction_rows(self) -> list[dict[str, Any]]:
        numbered = enumerate(self.order.transactions)
        return [transaction_row(position, transaction) for position, transaction in numbered]

    def event_rows(self) -> list[dict[str, Any]]:
        return [event_row(self.order, happened) for happened in self.order.news]
