"""A payment provider that only pretends: the token chooses what happens.

`order_sandbox.tokens.TOKENS` is the table of tokens. The provider's books are an SQLite
file of their own, so that they can be compared with the orders after any crash.
"""

from order_sandbox.gateway import SandboxGateway
from order_sandbox.ledger import SandboxLedger
from order_sandbox.movement import Movement, Standing
from order_sandbox.plugin import build
from order_sandbox.tokens import SINGLE_USE, TOKENS

__all__ = [
    "SINGLE_USE",
    "TOKENS",
    "Movement",
    "SandboxGateway",
    "SandboxLedger",
    "Standing",
    "build",
]
