"""Many shops, one after the other or side by side, and what they came to together."""

import gc
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from order_simulator.judge import Finding
from order_simulator.knobs import Knobs
from order_simulator.shop import Shop, ShopReport
from order_simulator.story import Story


@dataclass(frozen=True, slots=True)
class Failure:
    """A shop in which something is wrong."""

    shop: int
    finding: Finding
    story: tuple[str, ...]
    """Everything that happened to the order, in virtual time."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a simulation came to."""

    seed: int
    customers: int
    shops: int
    orders: int
    statuses: dict[str, int]
    faults: dict[str, int]
    webhooks: int
    restarts: int
    virtual_seconds: int
    """Of all shops together."""
    seconds: float
    failures: tuple[Failure, ...]

    @property
    def orders_per_second(self) -> float:
        return self.orders / self.seconds if self.seconds else 0.0


def simulate(
    *,
    seed: int,
    customers: int,
    processes: int = 1,
    knobs: Knobs | None = None,
    only_shop: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Run shops until `customers` came, however many processes share the work.

    The same seed gives the same shops. `progress` hears after each shop how many customers
    came so far, and of how many. After a failure no further shop is begun.

    Raises:
        ValueError: no customers, or no such shop.
    """
    knobs = knobs or Knobs()
    sizes = dict(enumerate(_sizes(customers, knobs.shop_size)))
    if only_shop is not None:
        if only_shop not in sizes:
            raise ValueError(f"there is no shop {only_shop}: they are 0 to {len(sizes) - 1}")
        sizes = {only_shop: sizes[only_shop]}
    begun, come, reports = time.perf_counter(), 0, []
    for report in _reports(seed, sizes, knobs, processes):
        reports.append(report)
        come += sizes[report.index]
        if progress:
            progress(come, sum(sizes.values()))
    seconds = time.perf_counter() - begun
    reports.sort(key=lambda report: report.index)
    failures = tuple(
        _failure(seed, report.index, sizes[report.index], knobs, report.findings[0])
        for report in reports
        if report.findings
    )
    return Report(
        seed=seed,
        customers=customers,
        shops=len(reports),
        orders=sum(report.orders for report in reports),
        statuses=_sum(report.statuses for report in reports),
        faults=_sum(report.faults for report in reports),
        webhooks=sum(report.webhooks for report in reports),
        restarts=sum(report.restarts for report in reports),
        virtual_seconds=sum(report.virtual_seconds for report in reports),
        seconds=seconds,
        failures=failures,
    )


def story_of(
    seed: int, shop: int, customers: int, knobs: Knobs, order_id: str | None = None
) -> tuple[str, ...]:
    """The history of one order in a shop, or of everything that happened there."""
    story = Story(order_id)
    Shop(seed, shop, customers, knobs, story=story).run()
    return story.lines


def _sizes(customers: int, shop_size: int) -> list[int]:
    if customers < 1:
        raise ValueError("at least one customer must come")
    shops = math.ceil(customers / shop_size)
    each, more = divmod(customers, shops)
    return [each + (index < more) for index in range(shops)]


def _run_shop(index: int, customers: int, *, seed: int, knobs: Knobs) -> ShopReport:
    # A shop keeps nearly everything that it makes, so that looking for garbage finds none.
    collects = gc.isenabled()
    gc.disable()
    try:
        return Shop(seed, index, customers, knobs).run()
    finally:
        if collects:
            gc.enable()


def _reports(
    seed: int, sizes: dict[int, int], knobs: Knobs, processes: int
) -> Iterator[ShopReport]:
    run = partial(_run_shop, seed=seed, knobs=knobs)
    if processes == 1 or len(sizes) == 1:
        for index, customers in sizes.items():
            report = run(index, customers)
            yield report
            if report.findings:
                return
        return
    with ProcessPoolExecutor(max_workers=min(processes, len(sizes))) as pool:
        running = {pool.submit(run, index, customers) for index, customers in sizes.items()}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            reports = [future.result() for future in done]
            yield from reports
            if any(report.findings for report in reports):
                # Nobody is ever told that a future was cancelled: to wait for it is to hang.
                running = {future for future in running if not future.cancel()}


def _failure(seed: int, shop: int, customers: int, knobs: Knobs, finding: Finding) -> Failure:
    lines = story_of(seed, shop, customers, knobs, finding.order_id) if finding.order_id else ()
    return Failure(shop, finding, lines)


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
