"""Turns away addresses that ask, or fail, too often; and tells every client what is left."""

from typing import Final

from starlette.types import Scope

from order_http.first_headers import FirstHeaders, RawHeaders
from order_http.rate_limits import RateLimits, address_in, raw_headers_of, told

_UNAUTHORIZED: Final = 401
_BAD_REQUEST: Final = 400
_TOO_MANY: Final = 429
_FAILURES: Final = frozenset({_UNAUTHORIZED, _BAD_REQUEST})
_TOKENS: Final = "/oauth/"
# Who watches the service must see it under attack too. A provider's burst is not refused: its
# events are signed, few of them are worked on at one time, and a refused one is late by hours.
_UNLIMITED: Final = ("/health/", "/metrics", "/api/webhooks/")


class AddressLimit:
    """Stands before everything that reads the body or looks at a token."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def admit(self, scope: Scope, first: FirstHeaders) -> bool:
        """Whether the answer must come by here, too.

        Raises:
            Problem: 429.
        """
        path = _path(scope)
        if path.startswith(_UNLIMITED):
            return False
        address = address_in(scope)
        if address is not None:
            await self._limits.admit_address(
                address,
                scope,
                proves_something=_proves_something(path, first),
                by_token=not path.startswith(_TOKENS),
            )
        return True

    async def answered(
        self, scope: Scope, first: FirstHeaders, status: int, headers: RawHeaders
    ) -> RawHeaders:
        """The headers of an answer, with what is left of the limits.

        A failure is counted before the answer leaves: a guesser must not have the next one in
        before.
        """
        if status in _FAILURES:
            path, address = _path(scope), address_in(scope)
            failed = status == _UNAUTHORIZED or path.startswith(_TOKENS)
            if failed and address is not None and _proves_something(path, first):
                await self._limits.count_failure(address, scope)
        # Who is turned away is told by the problem itself, of the limit that he reached.
        if status != _TOO_MANY and (quotas := told(scope)):
            return [*headers, *raw_headers_of(quotas)]
        return headers


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    root = scope.get("root_path")
    return path.removeprefix(root) if root else path


def _proves_something(path: str, first: FirstHeaders) -> bool:
    return b"authorization" in first or path.startswith(_TOKENS)
