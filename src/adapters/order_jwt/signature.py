"""Whether a token was signed with a key of ours."""

from typing import Final

from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError

from order_core.errors import InvalidToken
from order_jwt.keys import ALGORITHMS, VerificationKey
from order_jwt.unproven import MALFORMED, UnprovenToken

# Each knows one algorithm and no other, so there is nothing a token could switch to.
_CHECKS: Final = {algorithm: PyJWS(algorithms=[algorithm]) for algorithm in ALGORITHMS}


def check_signature(token: UnprovenToken, key: VerificationKey) -> None:
    """That whoever holds `key` has signed `token`. HMACs are compared in constant time.

    Raises:
        InvalidToken: it was signed with another key, changed since, or for an algorithm
            that is not the key's own.
    """
    try:
        _CHECKS[key.algorithm].decode(token.text, key.key, [key.algorithm])
    except InvalidSignatureError:
        raise InvalidToken("the signature of the token is wrong") from None
    except PyJWTError:
        raise InvalidToken(MALFORMED) from None
