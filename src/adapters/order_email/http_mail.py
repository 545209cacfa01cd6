"""Mail through an HTTP service of the shop or of a mail provider."""

import asyncio
from typing import Final

import httpx

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports.notifier import Notice
from order_email.channel import DELIVERY_SECONDS
from order_email.letter import notice_name, recipient
from order_email.message import render
from order_email.sender import Sender

# A wrong token (401, 403) must not lose every mail until it is put right. Time-out, conflict
# with a delivery that still runs, too early and too many pass by themselves.
_NOT_ABOUT_THE_MAIL: Final = frozenset({401, 403, 408, 409, 425, 429})


class HttpMail:
    """POSTs each mail as JSON to `url`, with the notice's id as the `Idempotency-Key`.

    2xx is success. A 4xx means that this mail is not wanted, unless it speaks of the moment
    or of our credentials; everything else has failed. Redirects are not followed, because
    they would carry the mail and the credentials to somebody whom nobody configured.
    `client` becomes ours: `close` closes it.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        sender: Sender,
        *,
        auth: tuple[str, str] | None = None,
        seconds: float = DELIVERY_SECONDS,
    ) -> None:
        self._client = client
        self._url = url
        self._sender = sender
        self._auth = httpx.BasicAuth(*auth) if auth else None
        self._seconds = seconds

    async def tell(self, notice: Notice, /) -> None:
        answer = await self._post(notice)
        if answer.is_success:
            return
        because = f"the mail service answered {answer.status_code}"
        if answer.is_client_error and answer.status_code not in _NOT_ABOUT_THE_MAIL:
            raise NotificationRefused(because)
        raise NotificationFailed(because)

    async def _post(self, notice: Notice) -> httpx.Response:
        message = render(notice)
        body = {
            "id": notice.id,
            "from": str(self._sender),
            "to": recipient(notice).addr_spec,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
        }
        try:
            # A stream, so that an endless answer is never read: the status says it all.
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream(
                    "POST",
                    self._url,
                    json=body,
                    headers={"Idempotency-Key": notice_name(notice)},
                    auth=self._auth,
                    follow_redirects=False,
                    timeout=self._seconds,
                ) as response,
            ):
                return response
        except (TimeoutError, httpx.TimeoutException) as error:
            raise NotificationFailed(
                f"the mail service did not answer within {self._seconds:g} seconds"
            ) from error
        except httpx.HTTPError as error:
            raise NotificationFailed(
                f"the mail service was not reached: {type(error).__name__}"
            ) from error

    async def close(self) -> None:
        await self._client.aclose()
