"""Which characters a text of an order may have: every one is tried."""

import sys

import pytest

from order_core.errors import InvalidValue
from order_core.text import checked_text

CONTROLS = {chr(code) for code in (*range(0x20), 0x7F)} - {"\n", "\t", "\r"}
SURROGATES = {chr(code) for code in range(0xD800, 0xE000)}
REFUSED = CONTROLS | SURROGATES


@pytest.mark.parametrize("character", sorted(CONTROLS | {min(SURROGATES), max(SURROGATES)}))
def test_a_text_with_a_character_that_nothing_can_hold_is_refused(character: str) -> None:
    with pytest.raises(InvalidValue, match="control characters"):
        checked_text(f"tea{character}cup", "product_id", longest=7)


def test_no_other_character_is_refused() -> None:
    everything = "".join(
        character for character in map(chr, range(sys.maxunicode + 1)) if character not in REFUSED
    )

    assert checked_text(everything, longest=len(everything)) is everything
