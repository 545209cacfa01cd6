"""What clients are called."""

import re
from typing import Final

PREFIX: Final = "client-"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)


def client_id_of(name: str) -> str:
    """The id of the client that a person calls `name`, or already calls by its id.

    Raises:
        ValueError: not 1 to 40 small letters, digits and inner hyphens.
    """
    bare = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(bare):
        raise ValueError(
            "the name of a client is 1 to 40 small letters, digits and hyphens, "
            "and neither begins nor ends with a hyphen"
        )
    return PREFIX + bare


def could_be_client(text: str) -> bool:
    """Whether there can be a client of this id."""
    return text.startswith(PREFIX) and _NAME.fullmatch(text.removeprefix(PREFIX)) is not None


def is_kept_for_clients(text: str) -> bool:
    """Whether no customer can be called so.

    Both stand in the same claim, `sub`: a client that could name a customer after another
    client would act as that one.
    """
    return text.startswith(PREFIX)
