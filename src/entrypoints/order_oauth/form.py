"""The parameters of a request to the issuer, read strictly (RFC 6749, 3.2)."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
LONGEST_BODY: Final = 16_384
MOST_PARAMETERS: Final = 32
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def read_form(content_type: str, body: bytes) -> Mapping[str, str]:
    """Name -> value. A parameter without a value is one that was not sent.

    Raises:
        InvalidRequestError: not a form, larger than `LONGEST_BODY`, more than
            `MOST_PARAMETERS`, or with a name twice, of which two readers could take
            different values.
    """
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise InvalidRequestError(f"The body must be {MEDIA_TYPE}.")
    if len(body) > LONGEST_BODY:
        raise InvalidRequestError(f"The body must not be larger than {LONGEST_BODY} bytes.")
    try:
        text = body.decode("ascii")
        if _BROKEN_ESCAPE.search(text):
            raise InvalidRequestError("The body has a % without two hexadecimal digits.")
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise InvalidRequestError(
            f"The body is not a form of up to {MOST_PARAMETERS} parameters in UTF-8."
        ) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequestError("A parameter is there twice.")
    if any(_CONTROL.search(part) for pair in pairs for part in pair):
        raise InvalidRequestError("A parameter has a control character in it.")
    return {name: value for name, value in form.items() if value}
