"""A request to a pretended provider, and its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it arrived.

    `work_seconds` and `fails_after` are faults that only the provider itself can commit: it
    takes that long while it holds the idempotency key, and it answers with its server error
    *after* the work is done, remembered under the key as it remembers errors.
    """

    method: str
    path: str
    """Not decoded, without the query."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""
    body: bytes = b""
    work_seconds: float = 0.0
    fails_after: bool = False

    @property
    def on(self) -> str:
        """`POST /v1/refunds`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `headers` do not name the length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    leaves_no_trace: bool = False
    """The request was not carried out, because its key belongs to another one."""

    @classmethod
    def of_json(cls, status: int, value: Any, **headers: str) -> "Answer":  # noqa: ANN401 - whatever JSON can hold
        """The answer whose body is `value`; `request_id="r"` is the header `request-id`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = json.dumps(value, separators=(",", ":")).encode()
        return cls(status, body, {"content-type": "application/json", **named})
