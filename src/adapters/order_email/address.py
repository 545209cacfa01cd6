"""Which addresses a mail header and an SMTP command can hold."""

import re
from typing import Final

LONGEST_ADDRESS: Final = 254
_LONGEST_LOCAL_PART: Final = 64
# Words of anything but what has a meaning in a header, joined by single dots.
_WORD: Final = r"[^\s@<>()\[\],;:\\\".\x00-\x20\x7f-\x9f]+"
_LOCAL_PART: Final = re.compile(rf"{_WORD}(?:\.{_WORD})*")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def split_address(address: str) -> tuple[str, str]:
    """The part before the @, and the domain in the form that DNS knows (`xn--...`).

    Raises:
        ValueError: not one plain address. The text does not repeat it.
    """
    local_part, at, domain = address.rpartition("@")
    if not at or len(address) > LONGEST_ADDRESS:
        raise ValueError("is not an e-mail address")
    # Headers decode `=?...?=`, and the mail would go to what comes out of it.
    encoded_word = "=?" in local_part
    too_long = len(local_part) > _LONGEST_LOCAL_PART
    if encoded_word or too_long or _LOCAL_PART.fullmatch(local_part) is None:
        raise ValueError("has a part before the @ that a mail header cannot hold")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_domain = ""
    if _DOMAIN.fullmatch(ascii_domain) is None:
        raise ValueError("has no domain that mail can be sent to")
    try:
        local_part.encode()
    except UnicodeEncodeError:
        raise ValueError("has a part before the @ that a mail header cannot hold") from None
    return local_part, ascii_domain
