"""Calls that block, made from an event loop: a bounded number of them, and none too late."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from order_paypal.api import ApiAnswer, ApiRequest, NoAnswer, PayPalApi, RequestNotSent

_GRACE_SECONDS: Final = 0.5


class Threads:
    """Makes at most `slots` calls of `api` at once."""

    def __init__(self, api: PayPalApi, slots: int) -> None:
        self._api = api
        self._free = asyncio.Semaphore(slots)
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="paypal")

    async def call(
        self, request: ApiRequest, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        """As `PayPalApi.call`, without blocking."""
        loop = asyncio.get_running_loop()
        # The slot comes first: a job that waited inside the pool could still be sent after
        # we gave it up and said that it was not.
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._free.acquire()
        except TimeoutError:
            raise RequestNotSent("no_free_connection") from None
        try:
            job = self._pool.submit(self._api.call, request, until=until, may_leave=may_leave)
        except RuntimeError:
            self._free.release()
            raise RequestNotSent("closed") from None

        def give_back(_: Future[ApiAnswer]) -> None:
            # Only when the thread is really free; a loop that ended needs no slot back.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._free.release)

        job.add_done_callback(give_back)
        answer = asyncio.wrap_future(job)
        # An answer that nobody waits for any more is no news.
        answer.add_done_callback(lambda late: late.cancelled() or late.exception())
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic()) + _GRACE_SECONDS):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise NoAnswer("no_answer_in_time") from None

    async def close(self) -> None:
        """Wait for the calls under way, then give the connections back."""
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._api.close)
