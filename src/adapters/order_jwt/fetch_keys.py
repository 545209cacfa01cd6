"""How the keys of an issuer are fetched, whoever fetches them."""

from collections.abc import Awaitable, Callable

from order_jwt.key_set import KeySet

FetchKeys = Callable[[], Awaitable[KeySet]]
"""Raises `IssuerUnreadable`."""


class IssuerUnreadable(Exception):
    """The issuer did not answer, or not what an issuer answers; the text is for the log."""
