"""One row of the route table: a method, a path, and what keeps strangers out.

There is no third kind of row. What is neither `Guarded` nor `Public` cannot be served, so that
nobody forgets to ask whose order it is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from order_core.ports.token_verifier import Principal
from order_http.authentication import MANAGE
from order_http.desk import Desk

Method = Literal["GET", "POST"]
Handler = Callable[[Request], Awaitable[Response]]
Work = Callable[[Desk, Request, Principal], Awaitable[Response]]

_ONE_ORDER: Final = "{order_id}"
_ORDERS: Final = "/api/orders"


class OwnerRule(Enum):
    """What keeps a caller from the orders of somebody else."""

    ONE_ORDER = "the use case compares the owner of the order, and a stranger gets 403"
    OWN_LIST = "the query finds the caller's own orders, and only staff those of others"
    NEW = "what is made belongs to the caller, whatever the body says"
    STAFF = "the scope orders:manage is for those who work on the orders of every customer"


class UnguardedRoute(TypeError):
    """A route does not say what keeps strangers out; it must not be served."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """An endpoint for callers whose token has `scope`; `work` sees to the owner rule.

    A query parameter that is not in `query` is refused.

    Raises:
        UnguardedRoute: there is no owner rule, or the path or the scope belies it.
    """

    method: Method
    path: str
    scope: str
    owner_rule: OwnerRule
    work: Work
    query: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        rule: object = self.owner_rule
        if not isinstance(rule, OwnerRule):
            known = ", ".join(each.name for each in OwnerRule)
            raise _unguarded(self, f"has no owner rule: it must be one of {known}")
        if (rule is OwnerRule.STAFF) != (self.scope == MANAGE):
            raise _unguarded(self, f"asks for {self.scope}: STAFF, and nothing else, is {MANAGE}")
        names_something = "{" in self.path
        if (rule is OwnerRule.ONE_ORDER and _ONE_ORDER not in self.path) or (
            rule in {OwnerRule.OWN_LIST, OwnerRule.NEW} and names_something
        ):
            raise _unguarded(self, f"is {rule.name}, which does not fit its path")


@dataclass(frozen=True, slots=True)
class Public:
    """An endpoint that asks for no token. `why` says what makes that harmless.

    Raises:
        UnguardedRoute: there is no reason, or the path is one of the orders.
    """

    method: Method
    path: str
    handler: Handler
    why: str

    def __post_init__(self) -> None:
        why: object = self.why
        if not isinstance(why, str) or not why.strip():
            raise _unguarded(self, "is public and does not say why")
        if self.path.startswith(_ORDERS):
            raise _unguarded(self, f"is public, and nothing below {_ORDERS} may be")


Endpoint = Guarded | Public


def check_guarded(endpoint: object) -> None:
    """That `endpoint` is a row of the route table.

    Raises:
        UnguardedRoute: it is a bare route or handler.
    """
    if not isinstance(endpoint, Endpoint):
        raise UnguardedRoute(
            f"{endpoint!r} does not say what keeps strangers out: "
            "it must be a Guarded or a Public of order_http.endpoint."
        )


def _unguarded(endpoint: Endpoint, because: str) -> UnguardedRoute:
    return UnguardedRoute(f"{endpoint.method} {endpoint.path} {because}.")
