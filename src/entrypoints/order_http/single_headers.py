"""Refuses a request that says twice what can only be said once.

A proxy may have believed one of two, and we would believe the other. That is how one request is
smuggled past whoever checked another. A length and `Transfer-Encoding` beside each other are
refused too, if the server hands both on; ours takes the chunks and closes the connection.
"""

from collections import Counter
from typing import Final

from starlette.types import Scope

from order_http.first_headers import FirstHeaders, RawHeaders
from order_http.problems import Problem

# Authorization is not among them: whoever reads it says that a token was wrong.
_ONCE: Final = (b"content-encoding", b"content-length", b"content-type", b"host")


def check_host(scope: Scope, first: FirstHeaders) -> None:
    """Raises Problem when HTTP/1.1 comes without `Host`, which RFC 9112 (3.2) has refused."""
    # Granian puts an empty one where there is none.
    if not first.get(b"host") and scope.get("http_version") == "1.1":
        raise Problem("bad_request", "The header host is missing.")


def check_single(headers: RawHeaders, first: FirstHeaders) -> None:
    """Raises Problem when one of them is there twice."""
    # As many names as headers: none comes twice.
    if len(first) != len(headers):
        count = Counter(name for name, _ in headers)
        for name in _ONCE:
            if count[name] > 1:
                raise Problem("bad_request", f"The header {name.decode()} comes twice.")
    if b"transfer-encoding" in first and b"content-length" in first:
        raise Problem("bad_request", "Content-Length and Transfer-Encoding exclude each other.")
