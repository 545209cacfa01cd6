"""The place in a list where the next page begins, as opaque text."""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}")
_HEAD: Final = 9


class BrokenCursor(Exception):
    """This text was not made by `encode_cursor`."""


def encode_cursor(created_at: datetime, order_id: str) -> str:
    """Text for "after the order that was created then and has this id"."""
    microseconds = (created_at - _EPOCH) // timedelta(microseconds=1)
    # By its length, an id that was cut short is seen to be none.
    head = bytes([len(order_id)]) + microseconds.to_bytes(8, "big", signed=True)
    packed = head + order_id.encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode_cursor(text: str) -> tuple[datetime, str]:
    """What `encode_cursor` was given.

    Raises:
        BrokenCursor: anything else.
    """
    if not 1 <= len(text) <= LONGEST:
        raise BrokenCursor
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        order_id = packed[_HEAD:].decode("ascii")
        microseconds = int.from_bytes(packed[1:_HEAD], "big", signed=True)
        created_at = _EPOCH + timedelta(microseconds=microseconds)
    except (ValueError, binascii.Error, OverflowError):
        raise BrokenCursor from None
    if not _ORDER_ID.fullmatch(order_id) or encode_cursor(created_at, order_id) != text:
        raise BrokenCursor
    return created_at, order_id
