"""What is true across orders: rules that no look at a single order can check.

Whatever only one may have, or must belong to an order, is a claim. A store lists its claims
by key, so that a check holds one of them at a time, however many orders there are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from order_core.invariants.rule import Rule


class ClaimKind(StrEnum):
    """What is claimed, and so what the parts of the claim's key are."""

    REQUEST_KEY = "request_key"
    """Customer, method and route, idempotency key."""
    PAYMENT = "payment"
    """Provider, account and reference of a charge or authorization that is alive."""
    SINGLE_USE_TOKEN = "single_use_token"  # noqa: S105 - a word, not a token
    """The fingerprint of a token that pays once, in a charge that may have used it."""
    TRANSACTION = "transaction"
    """The id of a movement of money."""
    HISTORY = "history"
    """The id of the order that the events say they are about."""
    RECEIVED_EVENT = "received_event"
    """Provider and id of an event that was settled on an order."""
    MONEY = "money"
    """What the provider calls a movement that it carried out."""
    ORDER = "order"
    """The id of an order that somebody has seen; it counts the requests that it belongs to."""


STORED: Final = (
    ClaimKind.REQUEST_KEY,
    ClaimKind.PAYMENT,
    ClaimKind.SINGLE_USE_TOKEN,
    ClaimKind.TRANSACTION,
    ClaimKind.HISTORY,
    ClaimKind.RECEIVED_EVENT,
)
"""The kinds that a store can list; the others are for those who look from outside."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One key, and who has it, seen at one moment."""

    kind: ClaimKind
    key: tuple[str, ...]
    count: int
    """How many rows have the key; not limited for a history."""
    first_order_id: str
    last_order_id: str
    """The smallest and the largest id of an order that has it; equal if there is only one."""
    missing_orders: tuple[str, ...] = ()
    """Those of the two that are not there."""

    def __str__(self) -> str:
        return " ".join((self.kind.replace("_", " "), *self.key))


@dataclass(frozen=True, slots=True)
class AcrossInvariant(Rule):
    """A rule across orders. `check` yields a sentence for each contradiction in a claim."""

    kinds: frozenset[ClaimKind]
    check: Callable[[Claim], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Collision:
    """A claim that breaks an invariant, and how. `order_id` is the first order that has it."""

    invariant: AcrossInvariant
    order_id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant.name}: order {self.order_id}: {self.detail}"


def collisions(claim: Claim) -> tuple[Collision, ...]:
    """Every contradiction between the claim and the invariants."""
    return tuple(
        Collision(invariant, claim.first_order_id, detail)
        for invariant in ACROSS
        if claim.kind in invariant.kinds
        for detail in invariant.check(claim)
    )


def _had_once(claim: Claim) -> Iterator[str]:
    if claim.count > 1:
        among = (
            f"orders {claim.first_order_id} and {claim.last_order_id}"
            if claim.first_order_id != claim.last_order_id
            else f"order {claim.first_order_id}"
        )
        yield f"{claim} stands {claim.count} times, in {among}"


def _wanted_once(claim: Claim) -> Iterator[str]:
    if claim.count != 1:
        yield f"it belongs to {claim.count} requests that anybody sent"


def _order_is_there(claim: Claim) -> Iterator[str]:
    for order_id in claim.missing_orders:
        yield f"{claim} belongs to order {order_id}, which does not exist"


ACROSS: Final = (
    AcrossInvariant(
        "one_order_a_key",
        "An idempotency key of a customer on a route made one order.",
        frozenset({ClaimKind.REQUEST_KEY}),
        _had_once,
    ),
    AcrossInvariant(
        "one_payment_one_order",
        "A payment at the provider pays one order.",
        frozenset({ClaimKind.PAYMENT}),
        _had_once,
    ),
    AcrossInvariant(
        "single_use_token_once",
        "A token that pays once stands in one charge that may have used it.",
        frozenset({ClaimKind.SINGLE_USE_TOKEN}),
        _had_once,
    ),
    AcrossInvariant(
        "transaction_ids_unique",
        "A movement's id, from which its key at the provider comes, is its own.",
        frozenset({ClaimKind.TRANSACTION}),
        _had_once,
    ),
    AcrossInvariant(
        "answered_order_exists",
        "The order that a client was answered with exists.",
        frozenset({ClaimKind.REQUEST_KEY}),
        _order_is_there,
    ),
    AcrossInvariant(
        "nothing_without_its_order",
        "Movements of money, events and a provider's settled events belong to an order.",
        frozenset({ClaimKind.TRANSACTION, ClaimKind.HISTORY, ClaimKind.RECEIVED_EVENT}),
        _order_is_there,
    ),
    AcrossInvariant(
        "no_unknown_money",
        "Money moves only for an order that is on record.",
        frozenset({ClaimKind.MONEY}),
        _order_is_there,
    ),
    AcrossInvariant(
        "orders_stay",
        "An order that was stored is never removed.",
        frozenset({ClaimKind.ORDER}),
        _order_is_there,
    ),
    AcrossInvariant(
        "one_request_an_order",
        "An order belongs to one request, which somebody sent.",
        frozenset({ClaimKind.ORDER}),
        _wanted_once,
    ),
)
"""Every rule across orders. They hold always."""
