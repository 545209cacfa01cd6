"""Which parts a save has."""

from dataclasses import dataclass

from order_sqlalchemy.postgresql_rows import MOST_ROWS
from order_sqlalchemy.saving import Saving


@dataclass(frozen=True, slots=True)
class Shape:
    """Saves of one shape share one statement, and the server's plan of it."""

    adds: bool
    transactions: int
    """As many as there are; of more than `MOST_ROWS`, one more. So are the events."""
    events: int
    has_key: bool
    is_guarded: bool
    """It is refused if an equal order stands in its way."""
    takes: bool
    releases: bool
    frees: bool
    """An equal order is no double click any more."""
    guards_anew: bool
    """From now on an equal order is a double click."""
    erases: bool

    @property
    def replaces_its_only_one(self) -> bool:
        """Its charge was stored with the order, so there is a row to write anew."""
        return not self.adds and self.transactions == 1

    @property
    def compares_moments(self) -> bool:
        """A lease that somebody else may hold is taken if its time is over."""
        return not self.adds and self.takes

    @classmethod
    def of(cls, saving: Saving) -> "Shape":
        """What `saving` needs."""
        adds = saving.is_new
        return cls(
            adds=adds,
            transactions=min(len(saving.order.transactions), MOST_ROWS + 1),
            events=min(len(saving.order.news), MOST_ROWS + 1),
            has_key=saving.request is not None,
            is_guarded=adds and saving.guard is not None and bool(saving.guard.window),
            takes=saving.take is not None,
            releases=not adds and saving.release is not None,
            frees=not adds and saving.may_be_repeated,
            guards_anew=not adds and saving.places_it,
            erases=saving.erases,
        )
