"""Which parts a save has."""

from functools import lru_cache
from typing import Final, NamedTuple

from order_sqlalchemy.saving import Saving

_MOST_ROWS: Final = 16
"""An order of more movements is rare; a statement takes 32,767 arguments, and each number of
rows is another statement."""
_MOST_SHAPES: Final = 128


class Shape(NamedTuple):
    """Saves of one shape share one statement, and the server's plan of it.

    A tuple, because it is looked up and compared for each save.
    """

    adds: bool
    transactions: int
    """As many as there are; of more than 16, 17, which in a company is any number but one."""
    events: int
    """The same; in a company, 17 if there are any."""
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
    is_company: bool = False
    """It is that of many saves at once."""

    @property
    def replaces_its_only_one(self) -> bool:
        """Its charge was stored with the order, so there is a row to write anew."""
        return not self.adds and self.transactions == 1

    @property
    def compares_moments(self) -> bool:
        """A lease that somebody else may hold is taken if its time is over."""
        return not self.adds and self.takes

    def rows(self, number: int) -> int | None:
        """How many rows of arguments there are for `number` rows; None if any number of them."""
        any_number = number > _MOST_ROWS or (self.is_company and number > 0)
        return None if any_number else number

    @classmethod
    def of(cls, saving: Saving) -> "Shape":
        """What `saving` needs."""
        adds = saving.is_new
        return cls(
            adds=adds,
            transactions=min(len(saving.order.transactions), _MOST_ROWS + 1),
            events=min(len(saving.order.news), _MOST_ROWS + 1),
            has_key=saving.request is not None,
            is_guarded=adds and saving.guard is not None and bool(saving.guard.window),
            takes=saving.take is not None,
            releases=not adds and saving.release is not None,
            frees=not adds and saving.may_be_repeated,
            guards_anew=not adds and saving.places_it,
            erases=saving.erases,
        )

    @lru_cache(maxsize=_MOST_SHAPES)  # noqa: B019 - keeps shapes, of which there are few
    def in_company(self) -> "Shape":
        """The shape of many saves of which this is one."""
        more_than_one = _MOST_ROWS + 1
        return self._replace(
            is_company=True,
            transactions=1 if self.transactions == 1 else more_than_one,
            events=more_than_one if self.events else 0,
        )
