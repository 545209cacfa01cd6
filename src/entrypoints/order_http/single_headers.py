"""Refuses a request that says twice what can only be said once."""

from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from order_http.problems import Problem

# Authorization is not among them: whoever reads it says that a token was wrong.
_ONCE: Final = (b"content-encoding", b"content-length", b"content-type", b"host")


class SingleHeaders:
    """A proxy may have believed one of two, and we would believe the other.

    That is how one request is smuggled past whoever checked another. Whatever is left of the
    servers' own defences, a length and `Transfer-Encoding` beside each other are refused too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            count = Counter(name for name, _ in scope["headers"])
            for name in _ONCE:
                if count[name] > 1:
                    raise Problem("bad_request", f"The header {name.decode()} comes twice.")
            if count[b"content-length"] and count[b"transfer-encoding"]:
                raise Problem(
                    "bad_request", "Content-Length and Transfer-Encoding exclude each other."
                )
        await self._app(scope, receive, send)
