"""What the HTTP service can be told, already validated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The defaults suit one service behind a proxy."""

    default_currency: str = "USD"
    """ISO 4217, for a request that names no currency."""
    max_body_bytes: int = 1024 * 1024
    max_bodies_bytes: int = 64 * 1024 * 1024
    """All bodies together that are being read or answered; small ones are not counted."""
    body_timeout_seconds: float = 10.0
    """From the first wait for the body until its last byte."""
    answer_timeout_seconds: float = 60.0
    """How long a client may take to read an answer that is not small."""
    request_timeout_seconds: float = 40.0
    """After this long the client gets an answer, whatever the work is waiting for."""
    shutdown_timeout_seconds: float = 30.0
    """How long a stop waits for placing and cancelling that has begun."""
    probe_timeout_seconds: float = 3.0
    max_in_flight: int = 1000
    """Orders being placed, cancelled or worked on at one time; above it, new requests are
    turned away untouched."""
    max_webhooks_in_flight: int = 100
    """Events of providers that are being verified and stored at one time. Nobody proves who
    he is before that, so they must not take the room of orders."""
    max_headers: int = 100
    max_header_bytes: int = 32 * 1024
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the API, such as `https://shop.example`."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose word about their clients is believed."""
    forwarding_header: str = "x-forwarded-for"
    """Where they say it: `x-forwarded-for`, or `forwarded` (RFC 7239)."""
    return_origins: tuple[str, ...] = ()
    """Origins that a buyer may be sent back to after approving a payment."""
    version: str = "0"
    """Of the service, as the OpenAPI document shows it."""
