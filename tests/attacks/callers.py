"""Who tries: each caller, and the problem that he must get under each owner rule."""

from collections.abc import Mapping

from order_core.ports import Principal
from order_http.authentication import MANAGE, READ, WRITE
from order_http.endpoint import Guarded, OwnerRule

_BOTH = frozenset({READ, WRITE})
VICTIM = "victim"
STRANGER = "stranger"
STAFF = "staff"
NOBODY = "nobody"
"""Sends no token."""

PRINCIPALS: Mapping[str, Principal] = {
    VICTIM: Principal("customer-victim", _BOTH, "victim@private.example"),
    STRANGER: Principal("customer-stranger", _BOTH),
    STAFF: Principal("staff-grace", frozenset({MANAGE})),
    "victim who may only read": Principal("customer-victim", frozenset({READ})),
    "victim who may only write": Principal("customer-victim", frozenset({WRITE})),
    "victim without a scope": Principal("customer-victim", frozenset()),
    "victim with scopes of somebody else": Principal(
        "customer-victim", frozenset({"orders", "orders:", "orders:*", "ORDERS:MANAGE", "admin"})
    ),
    "service account of the stranger": Principal("customer-stranger", _BOTH, actor="robot"),
    "service account for nobody": Principal("robot", _BOTH),
    "namesake with a capital": Principal("Customer-Victim", _BOTH),
    "namesake with a longer name": Principal("customer-victim2", _BOTH),
}
UNPROVEN = ("forged", "expired")
"""Tokens that prove nothing."""
CALLERS = (*PRINCIPALS, *UNPROVEN, NOBODY)

_GRANTED = {READ: {READ, MANAGE}, WRITE: {WRITE, MANAGE}, MANAGE: {MANAGE}}


def is_victim(caller: str) -> bool:
    """Whether the caller proves that he is the one whose order is attacked."""
    return caller in PRINCIPALS and PRINCIPALS[caller].subject == PRINCIPALS[VICTIM].subject


def refusal_of(caller: str, endpoint: Guarded) -> str | None:
    """The code of the problem that this caller must get, or None if he may do that."""
    if caller == NOBODY:
        return "token_missing"
    if caller in UNPROVEN:
        return "invalid_token"
    principal = PRINCIPALS[caller]
    if principal.scopes.isdisjoint(_GRANTED[endpoint.scope]):
        return "insufficient_scope"
    if endpoint.owner_rule is not OwnerRule.ONE_ORDER or is_victim(caller):
        return None
    # Staff reads every order, and changes one only where the rule is STAFF: what it does
    # there is written into the history under its own name.
    return None if caller == STAFF and endpoint.scope == READ else "not_your_order"
