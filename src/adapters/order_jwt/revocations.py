"""Which tokens were called back before they expired."""

from typing import Protocol

from order_jwt.claims import Proof


class Revocations(Protocol):
    """Asked about every token that is authentic and in its time, whenever it is borne."""

    async def is_revoked(self, proof: Proof, token: str, /) -> bool:
        """Whether `token`, of which `proof` was read, must not be believed any more.

        `proof` names it by issuer, `jti`, subject, actor and time of issue, each as far as
        the token has it. The token itself is for its issuer alone: it must neither be kept
        nor written down. An answer within two seconds counts; a longer silence, and any
        `TokenUnverifiable`, lets nobody in.
        """
        ...
