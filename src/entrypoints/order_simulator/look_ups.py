"""What the provider of a shop can be asked about: at some of them nothing, or not everything."""

from typing import Final

from order_core.payment import TransactionKind
from order_core.payment_terms import ALL_KINDS
from order_simulator.chance import Chance

_K = TransactionKind
CHANGES: Final = frozenset({_K.CAPTURE, _K.VOID, _K.REFUND})
_NOTHING: Final[frozenset[TransactionKind]] = frozenset()
_SOME: Final = (
    _NOTHING,
    _NOTHING,
    _NOTHING,
    frozenset({_K.CHARGE, _K.AUTHORIZATION}),
    CHANGES,
)


def looks_up(seed: int, shop: int) -> frozenset[TransactionKind]:
    """The kinds of movement that the provider of this shop shows to whoever asks."""
    chance = Chance(f"look-ups {seed}/{shop}")
    return chance.choice(_SOME) if chance.happens(0.2) else ALL_KINDS


def only_receives(seed: int, shop: int) -> bool:
    """Whether it answers captures, voids and refunds with "received", as Adyen does.

    What becomes of them only its events tell.
    """
    can_be_asked = looks_up(seed, shop) & CHANGES
    return not can_be_asked and Chance(f"received {seed}/{shop}").happens(0.5)
