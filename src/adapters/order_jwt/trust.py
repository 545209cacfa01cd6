"""Whose tokens are believed, and which of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from order_jwt.key_source import KeySource

LARGEST_LEEWAY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Trust:
    """An issuer, where its keys are, and what its tokens must claim.

    With an `audience`, a token must name it. Without one, a token that names any audience is
    refused: it was made for somebody, and nothing says that we are meant (RFC 7519, 4.1.3).
    With an `issuer`, a token must name exactly that one; without, it may name whom it likes
    except an issuer that is trusted with keys of its own. `leeway` forgives clocks that differ.
    Parties whose names begin with `foreign_prefix` belong to another issuer: no token of this one
    speaks as them.

    Raises:
        ValueError: an empty issuer, audience or prefix, or a leeway outside 0..`LARGEST_LEEWAY`.
    """

    keys: KeySource
    issuer: str | None = None
    audience: str | None = None
    leeway: timedelta = timedelta(seconds=30)
    foreign_prefix: str | None = None

    def __post_init__(self) -> None:
        if self.issuer == "" or self.audience == "":
            raise ValueError("a JWT issuer or audience, where given, must not be empty")
        if self.foreign_prefix == "":
            raise ValueError("an empty prefix would make every name a foreign one")
        if not timedelta() <= self.leeway <= LARGEST_LEEWAY:
            raise ValueError(
                f"the JWT leeway must be between 0 and {LARGEST_LEEWAY.total_seconds():.0f} seconds"
            )
