"""What a scenario is made of."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from order_core.assembly import OrderCore
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment_terms import Policy
from order_core.ports import ProviderFact


@dataclass(frozen=True, slots=True)
class Told:
    """What a client heard about an order."""

    order_id: str
    status: OrderStatus


@dataclass(slots=True)
class Stage:
    """What a participant acts on: the use cases of its own process, and the world outside."""

    core: OrderCore
    provider: Any
    """`event`, `approve`, `agree`, `refuse`, `refund`, `let_go`: see `provider.Provider`."""
    incoming: tuple[ProviderFact, ...] = ()
    """What the next webhook's body says; the stage's parser reads it from here."""


@dataclass(frozen=True, slots=True)
class View:
    """What may decide whether somebody begins."""

    orders: tuple[Order, ...]
    due: bool
    """Whether a worker would find something to do."""
    references: tuple[str, ...]
    """Of the provider's entries, oldest first."""


Act = Callable[[Stage], Coroutine[Any, Any, Any]]


def always(view: View) -> bool:  # noqa: ARG001 - it is one of several conditions
    """No condition at all."""
    return True


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who takes turns: a request, a worker's round, a buyer, a webhook."""

    name: str
    act: Act
    rounds: int = 1
    """How often it may begin anew, after it is over or dead."""
    begins: Callable[[View], bool] = always
    after: tuple[str, ...] = ()
    """These are over, or dead, before it begins."""
    until_heard: bool = False
    """Whether it begins anew only if the last round was not answered: a provider's delivery."""
    concludes: bool = False
    """Whether a clock that is ahead may mislead it: it concludes from absence."""
    mortal: bool = True
    """Whether it is a process of ours, which can crash, pause and have a wrong clock."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A small world, and those who act in it."""

    name: str
    says: str
    participants: tuple[Participant, ...]
    prologue: tuple[Act, ...] = ()
    """What happened before, without any fault."""
    policy: Policy = field(default_factory=Policy)
    must_end: tuple[str, ...] = ()
    """These have happened before the end is looked at; anybody else may never come."""
    large: bool = False
    """Whether its searches take minutes; a quick run allows it one fault fewer."""
    may_end_in_review: bool = False
    """Whether it may come to a person's decision; anywhere else that is a finding."""
    late_requests: bool = True
    """Whether a request that was given up may still arrive (within the horizon)."""
    moments: tuple[timedelta, ...] = ()
    """The windows of time, if they are not the usual ones."""

    @property
    def rounds_of_workers(self) -> int:
        """How often workers look, all of them together, before everything comes to rest."""
        return sum(p.rounds for p in self.participants if p.concludes)
