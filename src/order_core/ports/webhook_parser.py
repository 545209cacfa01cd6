"""The port that reads what a provider tells by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from order_core.outcomes import Outcome, Restored, Reversed
from order_core.payment import TransactionKind


@dataclass(frozen=True, slots=True)
class ProviderFact:
    """What an event says about one movement of money.

    `transaction_id` and `installation` are ours, as the provider stored them with the
    movement; None if it shows none (somebody moved the money at the provider's dashboard).
    `reference` names the movement at the provider, and `parent_reference` the payment that a
    refund, capture, void or reversal belongs to, or the hold that an end by itself ends, where no
    look-up shows how a hold ended. `Reversed` of the kind REFUND is a refund that
    came back; of the kind REVERSAL, a payment that the bank took back.

    `sequence` orders what is told about one movement, by the provider's own time or count: the
    greater is the later word, however late it is delivered. None if the provider tells none.
    """

    kind: TransactionKind
    outcome: Outcome | Reversed | Restored
    reference: str
    transaction_id: str | None = None
    installation: str | None = None
    parent_reference: str | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event of a provider. `id` is the same every time the event is delivered."""

    id: str
    name: str
    """The provider's own word, for the record: `payment_intent.succeeded`."""
    facts: tuple[ProviderFact, ...] = ()
    """Empty for an event that says nothing about money."""


class WebhookParser(Protocol):
    """Reads the events of one account at one provider."""

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        """The event in `body`, once its signature over the raw bytes is verified.

        Header names are in lower case. An event of a type that is not known here is an
        event without facts, never an error. Ends within 10 seconds.

        Raises:
            WebhookRejected: the signature is missing, wrong or too old, or the body cannot
                be read.
            WebhookUnverifiable: it cannot be verified, or read to its end, just now (a
                certificate cannot be fetched); the provider delivers it again.
        """
        ...
