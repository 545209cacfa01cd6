"""The headers of a request by their names, read once for everybody who looks for one."""

from collections.abc import Mapping, Sequence

RawHeaders = Sequence[tuple[bytes, bytes]]
"""As ASGI has them: names in small letters, in the order in which they came."""

FirstHeaders = Mapping[bytes, bytes]
"""Of those that come several times, the first."""


def first_of(headers: RawHeaders) -> FirstHeaders:
    """Each name with its first value."""
    return dict(reversed(headers))
