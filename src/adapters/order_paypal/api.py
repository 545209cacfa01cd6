"""What the gateway needs of a connection to PayPal: two methods, so that it can be replaced."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from order_paypal.reading import Json


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to PayPal. `body` is None where the operation takes none."""

    method: str
    path: str
    body: object | None = None
    key: str | None = None
    """The `PayPal-Request-Id`."""
    query: tuple[tuple[str, str], ...] = ()
    """What follows the path in the address, not encoded."""

    @property
    def changes_something(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer of PayPal. `body` is None if it cannot be read, and empty if there is none."""

    status: int
    body: Json | None
    retry_after_seconds: float | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status <= 299  # noqa: PLR2004 - as HTTP has it


class RequestNotSent(Exception):
    """No byte of the request left, and none can leave any more."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class NoAnswer(Exception):
    """The request may have arrived, and nothing certain came back."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class PayPalApi(Protocol):
    """A connection to one account at PayPal, usable by several threads at once."""

    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        """Send the request and wait for its answer, not beyond `until` (`time.monotonic`).

        `may_leave` is asked right before the first byte leaves.

        Raises:
            RequestNotSent: it certainly did not leave.
            NoAnswer: it may have arrived.
        """
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...
