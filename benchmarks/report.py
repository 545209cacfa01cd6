"""What was measured: a table for people, a history for machines, a plot for the docs."""

import json
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.rounds import Figures, Measurements

_OURS: Final = "order-core"
_SERVERS: Final = (_OURS, "limit", "usual")
_MODES: Final = ("get", "list", "create")
_ROOT: Final = Path(__file__).parents[1]
_HISTORY: Final = _ROOT / "benchmarks" / "history.jsonl"
_PLOT: Final = _ROOT / "docs" / "speed.svg"
_COLOURS: Final = {_OURS: "#1f6f5c", "limit": "#9a9a9a", "usual": "#c98b2b"}
_BAR, _GAP, _LEFT, _WIDTH = 18, 26, 150, 420

_HEAD: Final = (
    f"{'':24} {'1/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'cpu us':>7} {'db us':>7} "
    f"{'commits':>7} {'errors':>6} {'MiB':>5}"
)


def as_text(figures: Measurements) -> str:
    """A line for each server and mode, and the ratios that are the goals."""
    ordered = sorted(figures.items(), key=lambda each: (each[0][1], each[0][0]))
    return "\n".join(
        [
            _HEAD,
            *(_line(f"{mode} {name}", own) for (name, mode), own in ordered),
            "",
            *(f"{what}: {ratio:.2f}" for what, ratio in ratios(figures).items()),
        ]
    )


def ratios(figures: Measurements) -> dict[str, float]:
    """Ours against the references, by medians of the rounds of one run."""

    def speed(name: str, mode: str) -> float:
        return figures[name, mode].median_per_second

    found = {
        f"{mode} of {other}": speed(_OURS, mode) / speed(other, mode)
        for mode in _MODES
        for other in ("limit", "usual")
    }
    for mode in _MODES:
        for name, whose in ((_OURS, ""), ("limit", ", limit's")):
            tail = statistics.median(figures[name, mode].paced_p99_of_p50)
            found[f"{mode} p99 of p50 at 70 %{whose}"] = tail
    bare = speed("limit", "create-twice")
    found["two bare commits of limit's create"] = bare / speed("limit", "create")
    found["create of two bare commits"] = speed(_OURS, "create") / bare
    return found


def keep(figures: Measurements) -> None:
    """Append to the history, and draw the plot anew."""
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}",
        "ratios": {what: round(ratio, 3) for what, ratio in ratios(figures).items()},
        "per_second": {
            f"{mode} {name}": round(own.median_per_second)
            for (name, mode), own in sorted(figures.items())
        },
    }
    with _HISTORY.open("a") as history:
        history.write(json.dumps(entry) + "\n")
    _PLOT.write_text(_plot(figures))


def _line(title: str, own: Figures) -> str:
    median = statistics.median
    return (
        f"{title:24} {own.median_per_second:8.0f} {median(own.p50_us) / 1000:7.2f} "
        f"{median(own.p99_us) / 1000:7.2f} {median(own.server_cpu_us):7.0f} "
        f"{median(own.database_cpu_us):7.0f} {median(own.commits):7.2f} {own.errors:6} "
        f"{own.memory_mib:5.0f}"
    )


def _plot(figures: Measurements) -> str:
    """Bars: requests a second, each mode scaled by its *limit*."""
    drawn: list[str] = []
    y = _GAP
    for mode in _MODES:
        limit = figures["limit", mode].median_per_second
        for name in _SERVERS:
            speed = figures[name, mode].median_per_second
            colour, long = _COLOURS[name], max(1, round(_WIDTH * speed / limit))
            drawn += [
                f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{mode} {name}</text>',
                f'<rect x="{_LEFT}" y="{y}" width="{long}" height="{_BAR}" fill="{colour}"/>',
                f'<text x="{_LEFT + long + 6}" y="{y + 13}">{speed / limit:.2f}</text>',
            ]
            y += _BAR + 4
        y += _GAP
    wide, font = _LEFT + _WIDTH + 60, 'font-family="sans-serif" font-size="13"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{y}" {font}>',
            "<title>Requests a second, as parts of what the limit reaches</title>",
            *drawn,
            "</svg>\n",
        ]
    )
