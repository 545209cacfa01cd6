"""Whoever works on the ledger, for everybody who waits together."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeVar

from order_sandbox.ledger import LedgerBusy, SandboxLedger

_MOST_AT_ONCE: Final = 64
_SLOW_SECONDS: Final = 0.05
_PATIENT_SECONDS: Final = 1.0

_Answer = TypeVar("_Answer")
_Told = tuple[Any, Exception | None]
"""What a question answered, or raised."""


class _Asked(NamedTuple):
    question: Callable[[], Any]
    answer: asyncio.Future[Any]


class Clerk:
    """Answers questions to `ledger`.

    Whoever asks in the same moment of the event loop, or while the clerk works, shares one
    transaction of the file and one sync of the disk. That is done on the event loop itself, which
    waits for the disk meanwhile: a thread, and the waiting of each for the other, would cost
    several times as much. What cannot be done at once is done on a thread: the file may keep its
    writers waiting. So is everything for a while after the disk was slow.

    A turn ends what it began even when nobody waits any more, like a provider does. If a question
    of it fails, or its commit does, all of the turn are asked again: the one that fails alone in
    the end. The ledger forgets the first time; a question may do nothing elsewhere.
    """

    def __init__(self, ledger: SandboxLedger) -> None:
        self._ledger = ledger
        # One thread, because the file takes one writer at a time anyway.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-ledger")
        self._waiting: deque[_Asked] = deque()
        self._has_turn = False
        self._patient_until = 0.0
        """By the monotonic clock: until then the thread works."""
        self._is_closed = False

    async def ask(self, question: Callable[[], _Answer], *, seconds: float) -> _Answer:
        """What `question` answers or raises.

        Raises:
            LedgerBusy: it is closed.
            TimeoutError: there was no answer in time; it may be carried out all the same.
        """
        if self._is_closed:
            raise LedgerBusy("it is closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer] = loop.create_future()
        self._waiting.append(_Asked(question, answer))
        self._begin(loop)
        # Half of what `asyncio.timeout` costs, which here may cancel nothing but the waiting.
        over = loop.call_later(seconds, _give_up, answer)
        try:
            return await answer
        finally:
            over.cancel()

    async def close(self) -> None:
        """Come back when the thread has ended. Whoever waits by then hears that it is busy."""
        self._is_closed = True
        await asyncio.to_thread(self._thread.shutdown)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiting and not self._has_turn:
            self._has_turn = True
            loop.call_soon(self._work, loop)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
        # Not the event loop's clock, which may stand while one of its callbacks runs.
        began = time.monotonic()
        if self._is_closed:
            self._hand_out(turn, [(None, LedgerBusy("it is closed"))] * len(turn), loop)
        elif began < self._patient_until or not (answers := self._answers_at_once(turn)):
            self._thread.submit(self._work_patiently, turn, loop)
        else:
            self._hand_out(turn, answers, loop)
        if time.monotonic() > began + _SLOW_SECONDS:
            # Everything else that runs on the event loop has waited, too.
            self._patient_until = time.monotonic() + _PATIENT_SECONDS

    def _answers_at_once(self, turn: list[_Asked]) -> list[_Told] | None:
        try:
            with self._ledger.together(wait_seconds=0):
                return [(asked.question(), None) for asked in turn]
        except Exception:  # noqa: BLE001 - nothing was entered; the thread finds out whose it is
            return None

    def _work_patiently(self, turn: list[_Asked], loop: asyncio.AbstractEventLoop) -> None:
        answers = self._answers([asked.question for asked in turn])
        loop.call_soon_threadsafe(self._hand_out, turn, answers, loop)

    def _answers(self, questions: list[Callable[[], Any]]) -> list[_Told]:
        try:
            with self._ledger.together():
                return [(question(), None) for question in questions]
        except LedgerBusy as error:
            # Another try would wait for the file as long again, and everybody behind it too.
            return [(None, error)] * len(questions)
        except Exception as error:  # noqa: BLE001 - it is told to whoever asked
            if len(questions) == 1:
                return [(None, error)]
        # Nothing of it is on the disk, whatever it was. By halves, whoever failed ends up alone,
        # and the others still share transactions.
        half = len(questions) // 2
        return self._answers(questions[:half]) + self._answers(questions[half:])

    def _hand_out(
        self, turn: list[_Asked], answers: list[_Told], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._has_turn = False
        self._begin(loop)
        for asked, (answer, error) in zip(turn, answers, strict=True):
            if asked.answer.done():
                continue  # Nobody waits any more.
            if error is not None:
                asked.answer.set_exception(error)
            else:
                asked.answer.set_result(answer)


def _give_up(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
