"""Write the table of personal data into its document, from the code.

Run after a change of `order_sqlalchemy.personal_data`: `python tools/list_personal_data.py`.
A unit test compares the document with the code.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from order_sqlalchemy.personal_data import COLUMNS, Personal

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "personal-data.md"
BEGIN: Final = "<!-- personal data: listed from the code by tools/list_personal_data.py -->"
END: Final = "<!-- end of the personal data -->"


def _rows() -> Iterator[str]:
    for table, columns in COLUMNS.items():
        for column, says in columns.items():
            if isinstance(says, Personal):
                yield f"| `{table}.{column}` | {says.what} | {says.what_for} | {says.until} |"


def with_table(text: str) -> str:
    """The document with the table between its marks brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    head = ("| column | what | what for | gone with |", "|---|---|---|---|")
    table = "\n".join([*head, *_rows()])
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
