"""What Prometheus reads: how requests went, and what money is still waiting for."""

import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, fields
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the shop's money that somebody should be woken for."""

    open_charges: int
    """Charges and authorizations that are not final."""
    oldest_open_charge_seconds: float
    """Age of the oldest of them; 0 when there is none."""
    unknown_outcomes: int
    """Movements of money that the provider gave no clear answer about."""
    late_money: int
    """Payments that arrived for an order that no longer wanted them."""
    mails_waiting: int
    """Messages to customers that are not delivered yet."""


ReadFigures = Callable[[], Awaitable[Figures]]

_MEANING: Final = {
    "open_charges": "Charges that are not final.",
    "oldest_open_charge_seconds": "Age of the oldest charge that is not final; 0 if none.",
    "unknown_outcomes": "Movements of money without a clear answer of the provider.",
    "late_money": "Payments that arrived for an order that no longer wanted them.",
    "mails_waiting": "Messages to customers that are not delivered yet.",
}


class Metrics:
    """One registry for each application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "order_http_requests",
            "Answers by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "order_http_request_seconds",
            "Time from the request's headers to the end of the answer.",
            ("route", "method"),
            registry=self._registry,
        )
        self._answers: dict[tuple[str, str, int | None], tuple[Counter, Histogram]] = {}
        self._webhooks = Counter(
            "order_http_webhooks",
            "Events of payment providers by what they came to.",
            ("provider", "verdict"),
            registry=self._registry,
        )
        self._refusals = Counter(
            "order_http_rate_limited",
            "Requests that were turned away, by the limit that was reached.",
            ("policy",),
            registry=self._registry,
        )
        self._limits_up = Gauge(
            "order_http_rate_limit_storage_up",
            "0 while processes that should count together cannot.",
            registry=self._registry,
        )
        self._limits_up.set(1)
        self._figures_up = Gauge(
            "order_core_figures_up",
            "1 if the store answered; the other order_core figures are then present values.",
            registry=self._registry,
        )
        self._gauges = {
            name: Gauge(f"order_core_{name}", meaning, registry=self._registry)
            for name, meaning in _MEANING.items()
        }

    def count_request(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """`status` None: nothing was answered."""
        # A label for each word that a client may invent would fill the memory.
        method = method if method in _METHODS else "other"
        answer = (route, method, status)
        # To find the two by their labels costs as much as to find the order's route.
        counted = self._answers.get(answer)
        if counted is None:
            counted = self._answers[answer] = (
                self._requests.labels(route, method, str(status or "none")),
                self._seconds.labels(route, method),
            )
        answers, times = counted
        answers.inc()
        times.observe(seconds)

    def count_webhook(self, provider: str, verdict: str) -> None:
        """`provider` is one that is known here: a label must not come from a stranger."""
        self._webhooks.labels(provider, verdict).inc()

    def count_refusal(self, policy: str) -> None:
        """A request was turned away because of the limit `policy`."""
        self._refusals.labels(policy).inc()

    def watch_limits(self, is_up: Callable[[], bool]) -> None:
        """Show whether the counts of all processes are together."""
        self._limits_up.set_function(is_up)

    def watch_companies(self, refused: Callable[[], int]) -> None:
        """Show how many companies of saves were refused, which the store counts."""
        self._registry.register(_CompaniesRefused(refused))

    def render(self, figures: Figures | None) -> bytes:
        """The exposition; `figures` None means that the store could not be asked."""
        self._figures_up.set(1 if figures else 0)
        for field in fields(Figures):
            value = getattr(figures, field.name) if figures else math.nan
            self._gauges[field.name].set(value)
        return generate_latest(self._registry)


class _CompaniesRefused(Collector):
    """A counter that somebody else counts."""

    def __init__(self, refused: Callable[[], int]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(
            "order_core_companies_refused",
            "Companies of orders that the store refused; each order is then saved alone.",
            value=self._refused(),
        )
