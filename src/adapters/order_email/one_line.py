"""Text of other people, made harmless to the line it stands in."""

import unicodedata
from typing import Final

# They turn the reading direction, and with it the meaning, of the text that follows.
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """`text` on one line: each run of white space a single space, control characters gone.

    A product called "Mug<newline>Total: 0" would otherwise write lines of its own into the
    mail, and an escape sequence would command the terminal that shows it.
    """
    return "".join(
        character
        for character in " ".join(text.split())
        if character not in _TURNS and unicodedata.category(character) != "Cc"
    )
