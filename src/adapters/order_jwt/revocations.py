"""Which tokens were called back before they expired."""

from typing import Protocol

from order_jwt.claims import Proof


class Revocations(Protocol):
    """Asked about every token that is authentic and in its time, whenever it is borne."""

    async def is_revoked(self, proof: Proof, /) -> bool:
        """Whether the token behind `proof` must not be believed any more.

        `proof` names it by issuer, `jti`, subject, actor and time of issue, each as far as
        the token has it. An answer within two seconds counts; a longer silence, and any
        `TokenUnverifiable`, lets nobody in.
        """
        ...
