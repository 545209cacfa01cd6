"""Answers HEAD as GET, without the body: also where the answer is a problem."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Not every server drops the body; the next answer on the connection would be lost in it.

    Content-Length stays that of the GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
            elif not message.get("more_body", False):
                await send({**message, "body": b""})

        await self._app(scope, receive, send_head)
