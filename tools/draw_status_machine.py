"""Draw the status machine of an order into the documents, from the table in the code.

Run after a change of `order_core.order_status`: `python tools/draw_status_machine.py`.
A unit test compares the documents with the table.
"""

from pathlib import Path

from order_core.order_status import CANCEL_REFUSALS, TRANSITIONS, OrderStatus

DOCUMENTS = tuple(Path(__file__).parents[1] / name for name in ("README.md", "docs/statuses.md"))
BEGIN = "<!-- status machine: drawn from the code by tools/draw_status_machine.py -->"
END = "<!-- end of the status machine -->"


def picture() -> str:
    """The table as a Mermaid diagram."""
    arrows = [
        f"    {source} --> {target}"
        for source, targets in TRANSITIONS.items()
        for target in OrderStatus
        if target in targets
    ]
    ends = [f"    {status} --> [*]" for status, targets in TRANSITIONS.items() if not targets]
    first = f"    [*] --> {OrderStatus.AWAITING_PAYMENT}"
    return "\n".join(["```mermaid", "stateDiagram-v2", first, *arrows, *ends, "```"])


def refusals() -> str:
    """Which statuses the owner cannot cancel, and what he is told."""
    rows = [f"| `{s}` | `{code}` | {clause} |" for s, (code, clause) in CANCEL_REFUSALS.items()]
    return "\n".join(["| status | reason | told as |", "|---|---|---|", *rows])


def with_drawing(text: str, name: str) -> str:
    """The document with the drawing between its marks brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [BEGIN, picture(), *([refusals()] if name == "statuses.md" else []), END]
    return before + "\n\n".join(parts) + after


if __name__ == "__main__":
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        document.write_text(with_drawing(text, document.name), encoding="utf-8")
