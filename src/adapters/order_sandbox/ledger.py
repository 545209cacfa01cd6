"""The pretended provider's books, in an SQLite file that survives whoever writes it."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from order_core.outcomes import (
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RateLimited,
)
from order_core.payment import PaymentTransaction, TransactionKind, fingerprint
from order_sandbox import answers
from order_sandbox.books import Books
from order_sandbox.entries import Entries
from order_sandbox.movement import Movement, Standing
from order_sandbox.schema import STATEMENTS
from order_sandbox.tokens import PAYS, SINGLE_USE, TOKENS, Behaviour, Effect, Way

_BUSY_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.005
_RETRY_AFTER_SECONDS: Final = 0.5


class LedgerBusy(Exception):
    """Nothing was entered: another process kept the file for too long."""


class Received(NamedTuple):
    """What the provider answers, and how the answer travels."""

    answer: Outcome
    way: Way = Way.ANSWERED


_SENT_AWAY: Final = {
    Way.NOT_SENT: Received(NotSent("told_not_to")),
    Way.RATE_LIMITED: Received(RateLimited(_RETRY_AFTER_SECONDS)),
    Way.REQUEST_LOST: Received(OutcomeUnknown("no_answer_in_time"), Way.REQUEST_LOST),
}
_SENT_AWAY_ONCE: Final = {
    Way.RATE_LIMITED_ONCE: Received(RateLimited(_RETRY_AFTER_SECONDS)),
    Way.IN_PROGRESS_ONCE: Received(InProgress()),
}


class SandboxLedger:
    """The books in the file at `path`; several processes and threads may use one file.

    Every entry is on the disk before it is answered (WAL, `synchronous=FULL`). A charge
    that settles later does so `settle_seconds` after it was entered. `now` is the clock.
    """

    def __init__(
        self,
        path: Path,
        *,
        public_url: str = "http://127.0.0.1:8000",
        settle_seconds: float = 5.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._public_url = public_url
        self._settle_seconds = settle_seconds
        self._now = now
        self._lock = threading.Lock()
        self._open: tuple[int, sqlite3.Connection] | None = None
        self._together = threading.local()

    @property
    def account(self) -> str:
        """The name of these books. A new file has another: what it lacks proves nothing."""
        with self._books() as books:
            (name,) = books.entries.connection.execute("SELECT id FROM account").fetchone()
            return str(name)

    def entries(self) -> tuple[Movement, ...]:
        """Every movement that reached the provider, oldest first."""
        with self._books() as books:
            return books.entries.all()

    def receive(self, transaction: PaymentTransaction) -> Received:
        """Take a request in, do what its token says, and remember the answer.

        Raises:
            LedgerBusy: nothing was entered.
        """
        with self._books() as books:
            # Here and not earlier: the request may have waited for a thread or for the file.
            if self._now() >= transaction.send_until:
                return Received(NotSent("too_late"))
            behaviour = _behaviour_for(transaction, books)
            if away := _sent_away(transaction, behaviour, books):
                return away
            request = _request_of(transaction)
            if known := books.entries.answer_to(transaction.key):
                came_with, answered = known
                reused = OutcomeUnknown("key_reused_with_another_request")
                return Received(answers.read(answered) if came_with == request else reused)
            answer = self._answer(transaction, behaviour, books)
            books.entries.remember(transaction.key, request, answers.written(answer))
            return Received(answer, behaviour.way)

    def look_up(self, transaction: PaymentTransaction) -> Outcome | NotFound:
        """What the books say about the transaction.

        Raises:
            LedgerBusy: they could not be read.
        """
        with self._books() as books:
            movement = books.entries.movement_of(transaction.id)
        if movement is None:
            return NotFound()
        if movement.standing is Standing.BEGUN and transaction.step > 1:
            # The first step moved nothing, so it is no trace of the second.
            return NotFound()
        return movement.outcome(self._public_url)

    def find(self, reference: str) -> Movement | None:
        """The movement with the provider's id `reference`, if there is one."""
        with self._books() as books:
            return books.entries.movement(reference)

    def approve(self, reference: str) -> bool:
        """The buyer agrees; False if the payment does not wait for that (any more)."""
        with self._books() as books:
            movement = books.entries.movement(reference)
            if movement is None or movement.standing is not Standing.ACTION_REQUIRED:
                return False
            held = movement.kind is TransactionKind.AUTHORIZATION
            books.entries.stand(reference, Standing.AUTHORIZED if held else Standing.SUCCEEDED)
            return True

    def refuse(self, reference: str) -> bool:
        """The buyer says no; False if the payment does not wait for that (any more)."""
        with self._books() as books:
            movement = books.entries.movement(reference)
            if movement is None or movement.standing is not Standing.ACTION_REQUIRED:
                return False
            books.entries.stand(reference, Standing.DECLINED)
            return True

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._open and self._open[0] == os.getpid():
                self._open[1].close()
            self._open = None

    # Inside -------------------------------------------------------------------------------

    def _answer(
        self, transaction: PaymentTransaction, behaviour: Behaviour, books: Books
    ) -> Outcome:
        token = transaction.token or ""
        if token.startswith(SINGLE_USE) and not books.entries.token_pays(token, transaction.id):
            return books.decline(transaction, "token_already_used").outcome(self._public_url)
        if behaviour.effect is Effect.NOTHING:
            return OutcomeUnknown("provider_error")
        outcome = books.act(transaction, behaviour).outcome(self._public_url)
        # Providers remember a 5xx as the answer to its key, and repeat it.
        failed = behaviour.way is Way.SERVER_ERROR
        return OutcomeUnknown("provider_error") if failed else outcome

    @contextmanager
    def together(self, *, wait_seconds: float | None = None) -> Iterator[None]:
        """All that this thread asks meanwhile is one transaction, on the disk when this ends.

        For the file it waits so long at most, or as long as anybody else. What waits is settled
        when this begins; whether a request is too late, each is asked when its turn comes. If an
        error leaves this, nothing was entered, so none may be caught inside.

        Raises:
            LedgerBusy: nothing was entered.
        """
        with self._transaction(wait_seconds) as books:
            self._together.books = books
            try:
                yield
            finally:
                self._together.books = None

    def _books(self) -> AbstractContextManager[Books]:
        together: Books | None = getattr(self._together, "books", None)
        return self._transaction() if together is None else nullcontext(together)

    @contextmanager
    def _transaction(self, wait_seconds: float | None = None) -> Iterator[Books]:
        until = time.monotonic() + (_BUSY_SECONDS if wait_seconds is None else wait_seconds)
        if not self._lock.acquire(timeout=max(until - time.monotonic(), 0)):
            raise LedgerBusy("another thread keeps it")
        try:
            connection = self._connection(until)
            _insist(connection, "BEGIN IMMEDIATE", until)
            try:
                # Not earlier: the file may have kept us waiting.
                entries, now = Entries(connection), self._now().timestamp()
                entries.settle(now)
                yield Books(entries, now, self._settle_seconds)
                entries.write()
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        finally:
            self._lock.release()

    def _connection(self, until: float = 0) -> sqlite3.Connection:
        # A connection that came through a fork belongs to the parent; it is left alone.
        if self._open and self._open[0] == os.getpid():
            return self._open[1]
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            _prepare(connection, until)
        except (sqlite3.Error, LedgerBusy) as error:
            connection.close()
            raise LedgerBusy(str(error)) from error
        self._open = (os.getpid(), connection)
        return connection


def _insist(connection: sqlite3.Connection, statement: str, until: float) -> None:
    """Run it as soon as no other process keeps the file; `until` is of the monotonic clock."""
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= until:
                raise LedgerBusy(str(error)) from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _prepare(connection: sqlite3.Connection, until: float) -> None:
    # SQLite itself does not wait here when two processes turn a new file to WAL at once.
    _insist(connection, "PRAGMA journal_mode = WAL", until)
    connection.execute("PRAGMA synchronous = FULL")
    _insist(connection, "BEGIN IMMEDIATE", until)
    for statement in STATEMENTS:
        connection.execute(statement)
    if connection.execute("SELECT id FROM account").fetchone() is None:
        connection.execute("INSERT INTO account VALUES (?)", (f"sandbox-{uuid4().hex[:12]}",))
    connection.execute("COMMIT")


def _behaviour_for(transaction: PaymentTransaction, books: Books) -> Behaviour:
    if transaction.takes_money:
        named = TOKENS.get(transaction.token or "", PAYS)
        return PAYS if transaction.step > 1 else named
    parent = books.entries.movement(transaction.parent_reference)
    if transaction.kind is not TransactionKind.REFUND or parent is None:
        return PAYS
    of_token = TOKENS.get(parent.token, PAYS)
    return Behaviour("", of_token.refund_effect, of_token.refund_way, reason="refund_refused")


def _sent_away(
    transaction: PaymentTransaction, behaviour: Behaviour, books: Books
) -> Received | None:
    if behaviour.way in _SENT_AWAY_ONCE:
        first = books.entries.is_first_with(transaction.key)
        return _SENT_AWAY_ONCE[behaviour.way] if first else None
    return _SENT_AWAY.get(behaviour.way)


def _request_of(transaction: PaymentTransaction) -> str:
    amount = transaction.amount
    return fingerprint(
        transaction.order_id,
        transaction.kind,
        str(amount.minor_units),
        amount.currency,
        transaction.token or "",
        transaction.parent_reference or "",
        transaction.return_url or "",
    )
