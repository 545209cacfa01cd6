"""Turns away addresses that ask, or fail, too often; and tells every client what is left."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_http.rate_limits import RateLimits, address_in, headers_of, told

_UNAUTHORIZED: Final = 401
_BAD_REQUEST: Final = 400
_TOO_MANY: Final = 429
_TOKENS: Final = "/oauth/"
# Who watches the service must see it under attack too. A provider's burst is not refused: its
# events are signed, few of them are worked on at one time, and a refused one is late by hours.
_UNLIMITED: Final = ("/health/", "/metrics", "/api/webhooks/")


class AddressLimit:
    """Stands before everything that reads the body or looks at a token."""

    def __init__(self, app: ASGIApp, *, limits: RateLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path.startswith(_UNLIMITED):
            await self._app(scope, receive, send)
            return
        asks_for_tokens = path.startswith(_TOKENS)
        proves_something = asks_for_tokens or any(
            name == b"authorization" for name, _ in scope["headers"]
        )
        failing = (_UNAUTHORIZED, _BAD_REQUEST) if asks_for_tokens else (_UNAUTHORIZED,)
        address = address_in(scope)
        if address is not None:
            await self._limits.admit_address(
                address, scope, proves_something=proves_something, by_token=not asks_for_tokens
            )

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Before the answer leaves: a guesser must not have the next one in before.
                if proves_something and address is not None and message["status"] in failing:
                    await self._limits.count_failure(address, scope)
                # Who is turned away is told by the problem itself, of the limit that he reached.
                if message["status"] != _TOO_MANY and (quotas := told(scope)):
                    message["headers"] = [
                        *message["headers"],
                        *(
                            (name.lower().encode(), value.encode())
                            for name, value in headers_of(quotas).items()
                        ),
                    ]
            await send(message)

        await self._app(scope, receive, send_counted)
