"""Requests that a proxy and a server may read differently, each with a second one behind it."""

from collections.abc import Mapping
from typing import Final

LIVE: Final = b"GET /health/live HTTP/1.1\r\nHost: shop\r\n"
EVENT: Final = b"POST /api/webhooks/sandbox HTTP/1.1\r\nHost: shop\r\n"
HIDDEN: Final = b"GET /health/live HTTP/1.1\r\nHost: shop\r\n\r\n"
LENGTH_AND_CHUNKS: Final = "length and chunks"


def ambiguous(head: bytes, body: bytes) -> Mapping[str, bytes]:
    """`head` begins a POST that succeeds with `body`, however anybody reads its length."""
    length = len(body)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (length, body)
    return {
        "two lengths": head + b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n" % length + body,
        "a list of lengths": head + b"Content-Length: %d, 0\r\n\r\n" % length + body,
        "length with a sign": head + b"Content-Length: +%d\r\n\r\n" % length + body,
        "negative length": head + b"Content-Length: -%d\r\n\r\n" % length + body,
        "endless length": head + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + body,
        "unknown coding": head + b"Transfer-Encoding: xchunked\r\n\r\n" + chunks,
        "chunked is not last": head + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + chunks,
        "blank before the colon": head + b"Transfer-Encoding : chunked\r\n\r\n" + chunks,
        "chunked in HTTP/1.0": head.replace(b"HTTP/1.1", b"HTTP/1.0")
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunks,
        LENGTH_AND_CHUNKS: head
        + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunks,
        "a chunk that is no number": head
        + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
        + chunks.split(b"\r\n", 1)[1],
        "a chunk beyond numbers": head
        + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"
        + chunks.split(b"\r\n", 1)[1],
        "a folded header": LIVE + b"X: a\r\n b\r\n\r\n",
        "NUL in the path": b"GET /health/live\x00 HTTP/1.1\r\nHost: shop\r\n\r\n",
        "NUL in a header": LIVE + b"X: a\x00b\r\n\r\n",
        "HTTP/0.9": b"GET /health/live\r\n\r\n",
        "HTTP/3.0 in words": b"GET /health/live HTTP/3.0\r\nHost: shop\r\n\r\n",
    }
