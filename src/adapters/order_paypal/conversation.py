"""The calls that one movement or look-up needs, within one time limit."""

import time
from collections.abc import Callable

from order_paypal.api import ApiAnswer, ApiRequest, NoAnswer, RequestNotSent
from order_paypal.reading import Json, text
from order_paypal.threads import Threads

_NOT_FOUND = 404


class Conversation:
    """`may_send` is asked right before a request leaves that changes something."""

    def __init__(
        self, threads: Threads, *, seconds: float, may_send: Callable[[], bool] = lambda: True
    ) -> None:
        self._threads = threads
        self._until = time.monotonic() + seconds
        self._may_send = may_send
        self._something_left = False

    async def change(self, request: ApiRequest) -> ApiAnswer:
        """Send what may move money.

        Raises:
            RequestNotSent: neither this nor an earlier change left.
            NoAnswer: one may have.
        """
        try:
            answer = await self._threads.call(request, until=self._until, may_leave=self._may_send)
        except RequestNotSent as error:
            if self._something_left:
                raise NoAnswer(error.because) from error
            raise
        except NoAnswer:
            self._something_left = True
            raise
        self._something_left = True
        return answer

    async def ask(self, request: ApiRequest) -> Json | None:
        """What PayPal has on record; None if there is no such thing.

        Raises:
            RequestNotSent: it could not be asked, and no change was sent before.
            NoAnswer: it could not be asked.
        """
        try:
            answer = await self._threads.call(request, until=self._until, may_leave=lambda: True)
        except RequestNotSent as error:
            if self._something_left:
                raise NoAnswer(error.because) from error
            raise
        # Any other 404 comes from something between us and PayPal, and proves nothing.
        if answer.status == _NOT_FOUND and text(answer.body, "name") == "RESOURCE_NOT_FOUND":
            return None
        if not answer.is_success or not answer.body:
            raise NoAnswer(f"not_readable:status_{answer.status}")
        return answer.body
