"""What stands in the pretended provider's books: rows of SQLite, in one database transaction."""

# ruff: noqa: S608 - only names and question marks of ours become part of the SQL

import sqlite3
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from order_core.payment import TransactionKind
from order_sandbox.movement import Movement, Standing

_COLUMNS: Final = (
    *("reference", "transaction_id", "order_id", "installation", "kind", "minor_units"),
    *("currency", "standing", "token", "reason", "retryable", "parent_reference"),
    *("return_url", "at", "settles_at", "settles_as"),
)
_MOST_UNWRITTEN: Final = 64

Settlement = tuple[float, Standing]
"""When a movement that is pending ends (seconds since 1970), and how."""


@dataclass(slots=True)
class Entries:
    """The movements, the answers and the used tokens. The caller begins, writes and commits.

    What is entered is written when somebody reads, or at the end: a call of SQLite costs more than
    the row that it enters.
    """

    connection: sqlite3.Connection
    _highest: int | None = None
    """The number of the last movement, whether it is written or not."""
    _movements: list[tuple[object, ...]] = field(default_factory=list)
    _answers: dict[str, tuple[str, str]] = field(default_factory=dict)

    def write(self) -> None:
        """Give SQLite what was entered since."""
        if self._movements:
            values = [value for row in self._movements for value in row]
            self.connection.execute(_insert_movements(len(self._movements)), values)
            self._movements = []
        if self._answers:
            values = [value for key, said in self._answers.items() for value in (key, *said)]
            self.connection.execute(_insert_answers(len(self._answers)), values)
            self._answers = {}

    # Movements ----------------------------------------------------------------------------

    def movement(self, reference: str | None) -> Movement | None:
        """The movement with the provider's id `reference`."""
        return self._one("SELECT * FROM movements WHERE reference = ?", reference)

    def movement_of(self, transaction_id: str) -> Movement | None:
        """The newest movement that names our transaction."""
        return self._one(
            "SELECT * FROM movements WHERE transaction_id = ? ORDER BY number DESC LIMIT 1",
            transaction_id,
        )

    def all(self) -> tuple[Movement, ...]:
        """Every movement, oldest first."""
        rows = self._execute("SELECT * FROM movements ORDER BY number")
        return tuple(Movement.of_row(row) for row in rows)

    def next_number(self) -> int:
        """The number of the movement that is entered next."""
        if self._highest is None:
            found = self._execute("SELECT coalesce(max(number), 0) FROM movements")
            (self._highest,) = found.fetchone()
        return self._highest + 1

    def enter(self, movement: Movement, *, settles: Settlement | None = None) -> Movement:
        """Add a movement, and answer with it."""
        self._highest = self.next_number()
        self._movements.append(
            (*movement.row(), movement.at.timestamp(), *(settles or (None, None)))
        )
        if len(self._movements) >= _MOST_UNWRITTEN:
            self.write()
        return movement

    def stand(self, reference: str, standing: Standing) -> None:
        """Let the movement stand differently from now on."""
        self._execute("UPDATE movements SET standing = ? WHERE reference = ?", standing, reference)

    def end_begun(self, reference: str, standing: Standing, reason: str) -> Movement | None:
        """The movement of this reference with its end, if its first step is all that there was."""
        return self._one(
            "UPDATE movements SET standing = ?, reason = ? "
            "WHERE reference = ? AND standing = 'begun' RETURNING *",
            standing,
            reason,
            reference,
        )

    def settle(self, now: float) -> None:
        """Give the movements that waited long enough their end."""
        self._execute(
            "UPDATE movements SET standing = settles_as "
            "WHERE standing = 'pending' AND settles_at <= ?",
            now,
        )

    def sum_of(self, parent_reference: str, kind: TransactionKind) -> int:
        """Minor units of all that followed a payment; what is pending may still happen."""
        (total,) = self._execute(
            "SELECT coalesce(sum(minor_units), 0) FROM movements "
            "WHERE parent_reference = ? AND kind = ? AND standing IN ('succeeded', 'pending')",
            parent_reference,
            kind,
        ).fetchone()
        return int(total)

    # Answers and tokens -------------------------------------------------------------------

    def answer_to(self, key: str) -> tuple[str, str] | None:
        """The request that came with `key` before, and the answer that it got."""
        if key in self._answers:
            return self._answers[key]
        found: tuple[str, str] | None = self.connection.execute(
            "SELECT request, answer FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return found

    def remember(self, key: str, request: str, answer: str) -> None:
        """Answer the same whenever the key comes again."""
        self._answers[key] = request, answer
        if len(self._answers) >= _MOST_UNWRITTEN:
            self.write()

    def is_first_with(self, key: str) -> bool:
        """Whether no request came with `key` before that was sent away."""
        return bool(
            self.connection.execute("INSERT OR IGNORE INTO sent_away VALUES (?)", (key,)).rowcount
        )

    def token_pays(self, token: str, transaction_id: str) -> bool:
        """Whether a token that pays once may pay this; from now on it pays nothing else."""
        self.connection.execute(
            "INSERT OR IGNORE INTO used_tokens VALUES (?, ?)", (token, transaction_id)
        )
        (user,) = self.connection.execute(
            "SELECT transaction_id FROM used_tokens WHERE token = ?", (token,)
        ).fetchone()
        return bool(user == transaction_id)

    # Inside -------------------------------------------------------------------------------

    def _execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        self.write()
        return self.connection.execute(sql, values)

    def _one(self, sql: str, *values: object) -> Movement | None:
        row = self._execute(sql, *values).fetchone()
        return Movement.of_row(row) if row else None


@cache
def _insert_movements(rows: int) -> str:
    row = f"({', '.join('?' for _ in _COLUMNS)})"
    return f"INSERT INTO movements ({', '.join(_COLUMNS)}) VALUES {', '.join([row] * rows)}"


@cache
def _insert_answers(rows: int) -> str:
    return f"INSERT INTO answers (key, request, answer) VALUES {', '.join(['(?, ?, ?)'] * rows)}"
