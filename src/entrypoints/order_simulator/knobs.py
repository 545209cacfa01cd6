"""How much of everything goes wrong, and how a shop's days look."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Knobs:
    """Every rate is a probability; every time is in seconds. `CALM` has no faults at all."""

    shop_size: int = 250
    """Customers of one shop. Shops share nothing, so they can run side by side."""
    api_instances: int = 3
    worker_instances: int = 2
    seconds_between_customers: float = 8.0
    skew: float = 15.0
    """How far the clock of an instance may be off, in either direction: two of them differ by
    at most twice as much, which is what the policy allows for (`Policy.clock_skew`)."""
    horizon_margin: float = 0.0
    """A late request arrives so long before the horizon that its gateway declares."""
    crash: float = 0.0012
    """At each call of a port, before or after its effect."""
    stall: float = 0.0008
    """A process stands still, at each call of a port: for seconds, or past every window."""
    database_fault: float = 0.006
    """The store refuses, loses an answer, or commits when nobody waits any more."""
    database_outages: float = 0.8
    """An hour, on average."""
    provider_fault: float = 0.07
    """Of the requests to the provider, and of its answers."""
    provider_outages: float = 0.4
    """An hour, on average."""
    look_up_fault: float = 0.04
    bad_luck: float = 0.05
    """Orders that have trouble at every turn: most requests fail, look-ups are behind, and
    events get lost. What takes three faults to happen, happens to these."""
    overdue_approvals: bool = True
    """Whether also payments that wait for somebody reach the provider after its horizon."""
    late_after_stall: bool = True
    """Whether the horizon of a request counts from when it left. Else it counts from when its
    sender stored that it would leave, however long he stood still in between."""
    echo_declined: float = 0.4
    """The provider declines a request whose key it has seen, instead of answering the same."""
    mixed_up: float = 0.002
    """A look-up shows the payment of another order."""
    strange_worker: float = 0.2
    """A worker starts with the settings of another account or installation."""
    wrong_clock: float = 0.05
    """An instance starts with a clock that is off by more than the policy allows."""
    nobody_there: float = 0.4
    """Of the shops that have a record: for days nothing of ours runs, and most of what is told
    meanwhile is told in vain."""
    webhook_fault: float = 0.12
    """An event is dropped, repeated or late."""
    forgery: float = 0.01
    """Events that somebody else signed, for each true one."""
    mail_fault: float = 0.03
    dashboard: float = 0.015
    """Somebody moves money at the provider beside us, for each payment."""
    hasty_dashboard: bool = True
    """Whether money moves beside us even before we know the payment by its reference."""
    carried_out_twice: float = 0.01
    """The provider carries out a charge or a hold once more, under another reference."""
    other_try: float = 0.01
    """An event tells of a declined try that is not the one on record, with our name on it."""
    unmarked: float = 0.01
    """What the buyer approves carries no name of ours; or the event of a change that nobody can
    ask about names its payment alone."""
    dispute: float = 0.008
    returned_refund: float = 0.02
    asynchronous_refund: float = 0.1
    refund_of_another_sum: float = 0.05
    """Of the refunds that nobody can ask about: less goes back, or more."""
    refused_reversal: float = 0.03
    foreign_event: float = 0.004
    unknown_event: float = 0.002
    """An event about a payment of ours that is not in our books, as after a restore."""


CALM: Final = Knobs(
    skew=0.0,
    crash=0.0,
    stall=0.0,
    database_fault=0.0,
    database_outages=0.0,
    provider_fault=0.0,
    provider_outages=0.0,
    look_up_fault=0.0,
    bad_luck=0.0,
    echo_declined=0.0,
    mixed_up=0.0,
    strange_worker=0.0,
    wrong_clock=0.0,
    nobody_there=0.0,
    webhook_fault=0.0,
    forgery=0.0,
    mail_fault=0.0,
    dashboard=0.0,
    carried_out_twice=0.0,
    other_try=0.0,
    unmarked=0.0,
    dispute=0.0,
    returned_refund=0.0,
    asynchronous_refund=0.0,
    refund_of_another_sum=0.0,
    refused_reversal=0.0,
    foreign_event=0.0,
    unknown_event=0.0,
)

ROUGH: Final = Knobs(
    shop_size=250,
    crash=0.004,
    stall=0.002,
    database_fault=0.02,
    database_outages=3,
    provider_fault=0.15,
    provider_outages=4,
    look_up_fault=0.1,
    webhook_fault=0.3,
    forgery=0.05,
    mail_fault=0.1,
    dashboard=0.06,
    carried_out_twice=0.06,
    other_try=0.1,
    unmarked=0.05,
    dispute=0.03,
    returned_refund=0.1,
    asynchronous_refund=0.2,
    refund_of_another_sum=0.2,
    refused_reversal=0.1,
    foreign_event=0.03,
    unknown_event=0.02,
    bad_luck=0.15,
    mixed_up=0.01,
    wrong_clock=0.1,
    nobody_there=0.5,
)
"""Bad weather: much more of everything."""
