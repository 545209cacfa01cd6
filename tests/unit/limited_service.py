"""The HTTP service with limits, and callers at addresses of their own."""

from typing import Any

import httpx
from starlette.applications import Starlette

from order_limits import Rate
from order_limits.counts import MemoryCounts
from tests.unit.http_service import check_documented, service

DECLINES = {
    "declines-of-customer": "3/hour",
    "declines-of-payment-method": "3/hour",
    # From the fifth decline on: a twentieth.
    "declines-of-address": "100/hour",
    "paid-by-address": "100/hour",
    "counted-orders": "1/day",
}


class Watch:
    """The time of the counts, and of nothing else."""

    def __init__(self) -> None:
        self.now = 3_600.0 * 400_000 + 7

    def __call__(self) -> float:
        return self.now


def counts_of(rates: dict[str, str], watch: Watch | None = None) -> MemoryCounts:
    policies = {policy: Rate.parse(rate) for policy, rate in rates.items() if rate != "off"}
    return MemoryCounts(policies, clock=watch or Watch())


def limited(rates: dict[str, str], core: Any = None, **changes: Any) -> Starlette:
    """`rates` by the name of the limit."""
    return service(core, counts=counts_of(rates, changes.pop("watch", None)), **changes)


def caller(
    app: Any, bearer: str | None = "ann", address: str | None = "198.51.100.7"
) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    transport = httpx.ASGITransport(app, client=(address, 4711) if address else None)  # type: ignore[arg-type]
    return httpx.AsyncClient(
        transport=transport,
        base_url="http://shop.test",
        headers=headers,
        event_hooks={"response": [check_documented]},
    )
