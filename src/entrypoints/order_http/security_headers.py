"""Tells browsers to do nothing with our answers but hand them to the script that asked."""

from typing import Final

from order_http.first_headers import RawHeaders

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Pages of configured origins ask by CORS, to which this does not apply.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    # In place of the HTTP server's own, which would tell an attacker what to look for.
    "Server": "order-core",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
}
# Over plain HTTP browsers ignore it, and RFC 6797 forbids it. Subdomains are not ours to decide.
_OVER_TLS: Final = {"Strict-Transport-Security": "max-age=31536000"}


def _raw(headers: dict[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


_PLAIN: Final = _raw(_HEADERS)
_SECURE: Final = _raw(_HEADERS | _OVER_TLS)
_NAMES: Final = frozenset(name for name, _ in _SECURE)


def guards_of(scheme: str, headers: RawHeaders) -> RawHeaders:
    """What is added to an answer with `headers`; one that it sets itself it keeps."""
    guards = _SECURE if scheme == "https" else _PLAIN
    own = [name for name, _ in headers if name in _NAMES]
    return [guard for guard in guards if guard[0] not in own] if own else guards
