"""How much of everything goes wrong, and how a shop's days look."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Knobs:
    """Every rate is a probability; every time is in seconds. `CALM` has no faults at all."""

    shop_size: int = 1000
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
    webhook_fault: float = 0.12
    """An event is dropped, repeated or late."""
    forgery: float = 0.01
    """Events that somebody else signed, for each true one."""
    mail_fault: float = 0.03
    dashboard: float = 0.015
    """Somebody moves money at the provider beside us, for each payment."""
    hasty_dashboard: bool = True
    """Whether money moves beside us even before we know the payment by its reference."""
    dispute: float = 0.008
    returned_refund: float = 0.02
    asynchronous_refund: float = 0.1
    refused_reversal: float = 0.03
    foreign_event: float = 0.004


CALM: Final = Knobs(
    skew=0.0,
    crash=0.0,
    stall=0.0,
    database_fault=0.0,
    database_outages=0.0,
    provider_fault=0.0,
    provider_outages=0.0,
    look_up_fault=0.0,
    webhook_fault=0.0,
    forgery=0.0,
    mail_fault=0.0,
    dashboard=0.0,
    dispute=0.0,
    returned_refund=0.0,
    asynchronous_refund=0.0,
    refused_reversal=0.0,
    foreign_event=0.0,
)
