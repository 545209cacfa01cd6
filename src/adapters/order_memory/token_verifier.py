"""Who is calling, from a table."""

from collections.abc import Mapping

from order_core.errors import InvalidToken
from order_core.ports import Principal


class FixedTokens:
    """Knows the tokens in `principals` (token -> who bears it), and no other."""

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = dict(principals)

    async def verify(self, token: str, /) -> Principal:
        try:
            return self._principals[token]
        except KeyError:
            raise InvalidToken("this token was never issued") from None
