"""The port through which money moves."""

from typing import Protocol

from order_core.money import Money
from order_core.outcomes import NotFound, Outcome
from order_core.payment import PaymentTransaction
from order_core.payment_terms import GatewayProfile


class PaymentGateway(Protocol):
    """One account at one payment provider.

    Every method ends within `profile.call_budget` and answers with a value; whatever the
    network or the provider's SDK throws becomes one of the outcomes. An exception that
    escapes is read as `OutcomeUnknown`.
    """

    @property
    def profile(self) -> GatewayProfile: ...

    def check(self, amount: Money, token: str, /) -> None:
        """Refuse, before anything is stored, what the provider could never do.

        Raises:
            InvalidValue: with field `payment_method` or `currency`.
        """
        ...

    def is_single_use(self, token: str, /) -> bool:
        """Whether `token` can pay only once, so that its second use is another order's payment."""
        ...

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        """Ask the provider for the movement: step `transaction.step` of it.

        The request is built from the transaction alone and carries `transaction.key`:
        sent twice it moves money once, and the second answer tells what the first did.
        It carries the ids of the order, the transaction and the installation as metadata.
        `NotSent` means that no byte left and none can leave any more; a request is not
        sent at or after `transaction.send_until`.
        """
        ...

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        """What the provider itself has on record about the movement. Moves nothing.

        `Declined` only if the provider shows the movement as dead; `NotFound` if it shows
        nothing, which proves nothing yet (`by_id` if it does not know an id that it gave us,
        which never does); `OutcomeUnknown` if it could not be asked.
        `Continue` if it shows only the first of several steps; of a later step that is
        no trace, as little as `NotFound` is, unless the buyer had to be asked once more
        (`action_required`) and has agreed.
        Only for kinds in `profile.looks_up`.
        """
        ...

    async def close(self) -> None:
        """Give connections back. The gateway is not used afterwards."""
        ...
