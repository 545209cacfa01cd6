"""Requests that a proxy and a server may read differently, each with a second one behind it."""

from typing import Final

LIVE: Final = b"GET /health/live HTTP/1.1\r\nHost: shop\r\n"
EVENT: Final = b"POST /api/webhooks/sandbox HTTP/1.1\r\nHost: shop\r\n"
HIDDEN: Final = b"GET /health/live HTTP/1.1\r\nHost: shop\r\n\r\n"

AMBIGUOUS: Final = {
    "two lengths": EVENT + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345" + HIDDEN,
    "a list of lengths": EVENT + b"Content-Length: 5, 6\r\n\r\n12345" + HIDDEN,
    "length with a sign": EVENT + b"Content-Length: +5\r\n\r\n12345" + HIDDEN,
    "negative length": EVENT + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "endless length": EVENT + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + HIDDEN,
    "unknown coding": EVENT + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked is not last": EVENT + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + HIDDEN,
    "blank before the colon": EVENT + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked in HTTP/1.0": EVENT.replace(b"1.1", b"1.0")
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "length and chunks": EVENT
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "a chunk that is no number": EVENT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + HIDDEN,
    "a chunk beyond numbers": EVENT
    + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n"
    + HIDDEN,
    "a folded header": LIVE + b"X: a\r\n b\r\n\r\n" + HIDDEN,
    "NUL in the path": b"GET /health/live\x00 HTTP/1.1\r\nHost: shop\r\n\r\n" + HIDDEN,
    "NUL in a header": LIVE + b"X: a\x00b\r\n\r\n" + HIDDEN,
    "HTTP/0.9": b"GET /health/live\r\n\r\n" + HIDDEN,
    "HTTP/3.0 in words": b"GET /health/live HTTP/3.0\r\nHost: shop\r\n\r\n" + HIDDEN,
}
