"""Draw the page about late money from the table in the code.

Run after a change of `order_core.late_money`: `python tools/draw_late_money.py`.
A unit test compares the page with the table.
"""

from collections.abc import Mapping
from pathlib import Path

from order_core.late_money import LATE_MONEY, Cell, MoneyEvent, Verdict
from order_core.order_status import OrderStatus

DOCUMENT = Path(__file__).parents[1] / "docs" / "late-money.md"
BEGIN = "<!-- late money: drawn from the code by tools/draw_late_money.py -->"
END = "<!-- end of late money -->"


def table() -> str:
    """Every event by every status, in words."""
    head = "| what happens | " + " | ".join(f"`{status}`" for status in OrderStatus) + " |"
    line = "|---" * (len(OrderStatus) + 1) + "|"
    rows = [
        f"| {event} | " + " | ".join(_word(row[status].verdict) for status in OrderStatus) + " |"
        for event, row in LATE_MONEY.items()
    ]
    return "\n".join([head, line, *rows])


def reasons() -> str:
    """Why, for every event."""
    return "\n".join(f"- **{_capitalized(event)}.** {_says(event)}" for event in MoneyEvent)


def with_drawing(text: str) -> str:
    """The document with the drawing between its marks brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    drawing = f"{BEGIN}\n\n{table()}\n\n## Why\n\n{reasons()}\n\n{END}"
    return before + drawing + after


def _says(event: MoneyEvent) -> str:
    return " ".join(
        f"{_where(statuses)}*{cell.verdict}*: {cell.says}"
        for cell, statuses in _groups(LATE_MONEY[event]).items()
    )


def _groups(row: Mapping[OrderStatus, Cell]) -> dict[Cell, list[OrderStatus]]:
    groups: dict[Cell, list[OrderStatus]] = {}
    for status in OrderStatus:
        groups.setdefault(row[status], []).append(status)
    return groups


def _where(statuses: list[OrderStatus]) -> str:
    if len(statuses) == len(OrderStatus):
        return ""
    return ", ".join(f"`{status}`" for status in statuses) + " "


def _word(verdict: Verdict) -> str:
    decisive = {Verdict.REFUND, Verdict.REVIEW}
    return f"**{verdict}**" if verdict in decisive else str(verdict)


def _capitalized(event: MoneyEvent) -> str:
    return event[0].upper() + event[1:]


if __name__ == "__main__":
    DOCUMENT.write_text(with_drawing(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
