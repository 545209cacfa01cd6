"""What the repository, the work queue and the outbox ask of a database, in either dialect."""

from dataclasses import dataclass
from typing import Protocol

from order_sqlalchemy.mapping import Row
from order_sqlalchemy.saving import Saving
from order_sqlalchemy.statements import Statements


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of a call may take, in seconds."""

    connect: float = 5.0
    """Until a new connection is open."""
    pool: float = 5.0
    """Until a connection is free."""
    statement: float = 10.0
    """Until the database has answered."""


class Store(Protocol):
    """One database. Every method ends within the `Timeouts`, or raises `StoreUnavailable`.

    On PostgreSQL a save may wait for its turn first, and begin anew if its company was refused.
    """

    @property
    def statements(self) -> Statements: ...

    @property
    def companies_refused(self) -> int:
        """How often saves that went together were refused together, and then went alone."""
        ...

    async def rows(self, statement: str, /, *arguments: object) -> list[Row]:
        """Read with one statement."""
        ...

    async def change(self, statement: str, /, *arguments: object) -> list[Row]:
        """Write with one statement. It may have happened even if this raises.

        Returns:
            What the statement's RETURNING names, if it has one.
        """
        ...

    async def save(self, saving: Saving, /) -> bool:
        """Whether the lease that was asked for is held. Raises what the port's `save` raises."""
        ...

    async def claim_orders(self, limit: int, hold_us: int, tokens: tuple[str, ...], /) -> list[Row]:
        """Of each order: its lease's token, then the whole order; longest waiting first."""
        ...

    async def claim_notices(self, limit: int, hold_us: int, /) -> list[Row]:
        """Of each notice: sequence, moment, name, data, attempts, then its whole order."""
        ...

    async def close(self) -> None: ...
