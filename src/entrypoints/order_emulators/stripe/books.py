"""Everything the pretended Stripe knows, and the events about it."""

import copy
import json
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from order_emulators.chassis import Event
from order_emulators.stripe.refusals import missing

Json = dict[str, Any]

_KEPT: Final = timedelta(days=30)
_MOST_KEPT: Final = 100_000


class Books:
    """Objects by id, oldest first, and what is to be told."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._numbers: dict[str, int] = {}
        self.intents: dict[str, Json] = {}
        self.charges: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.disputes: dict[str, Json] = {}
        self.used: set[str] = set()
        """Methods and tokens that pay once, and have."""
        self._events: list[Event] = []
        self._record: deque[Json] = deque(maxlen=_MOST_KEPT)

    def now(self) -> int:
        """Seconds since 1970."""
        return int(self._clock().timestamp())

    def new_id(self, prefix: str) -> str:
        """The next id of this kind."""
        number = self._numbers.get(prefix, 0) + 1
        self._numbers[prefix] = number
        return f"{prefix}_3Emulated{number:012}"

    def intent(self, reference: str) -> Json:
        """The PaymentIntent, or Stripe's 404."""
        if reference not in self.intents:
            raise missing("payment_intent", reference, "intent")
        return self.intents[reference]

    def charge_of(self, intent: Json) -> Json:
        """The charge of the last try."""
        return self.charges[intent["latest_charge"]]

    def tell(self, name: str, about: Json, **previous: Any) -> None:  # noqa: ANN401 - attributes of any kind
        """Put an event on the list, with the object as it is now."""
        event_id = self.new_id("evt")
        data: Json = {"object": copy.deepcopy(about)}
        if previous:
            data["previous_attributes"] = previous
        event: Json = {
            "id": event_id,
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": "req_emulated", "idempotency_key": None},
            "type": name,
        }
        payload = json.dumps(event).encode()
        self._events.append(Event(event_id, name, payload))
        # As text: the parsed event would take several times the memory.
        row = {"id": event_id, "type": name, "created": event["created"], "payload": payload}
        self._record.append(row)

    def take_events(self) -> list[Event]:
        """What is to be told, once."""
        events, self._events = self._events, []
        return events

    def record(self) -> Sequence[Json]:
        """What was told in the last 30 days, oldest first: its id, type, second and payload."""
        oldest = self.now() - int(_KEPT.total_seconds())
        while self._record and self._record[0]["created"] < oldest:
            self._record.popleft()
        return tuple(self._record)
