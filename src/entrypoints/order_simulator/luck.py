"""Orders with bad luck: what takes three faults in a row to happen, happens to these."""

from dataclasses import dataclass
from typing import Final

from order_simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class BadLuck:
    """What befalls the requests of one order's payment, by the number of the send.

    The last one befalls all that follow; without any, most requests fail at random. Look-ups
    are behind as long as they may be, and most events get lost.
    """

    requests: tuple[Fault | None, ...] = ()

    def of_send(self, send: int) -> Fault | None:
        """What befalls send number `send` (1 is the first); None: nothing does."""
        return self.requests[min(send, len(self.requests)) - 1]


BAD_LUCK: Final = (
    BadLuck(),
    # "Not sent" says nothing about the send before, whose success is declined as an echo.
    BadLuck((Fault.ANSWER_LOST, Fault.NOT_SENT, None)),
    # It arrives when everybody has concluded that it never will.
    BadLuck((Fault.REQUEST_OVERDUE, Fault.REQUEST_LOST)),
    # Two calls with one key at a time, because the lease ended while the first stood still.
    BadLuck((Fault.STALL_IN_CALL, Fault.ANSWER_SLOW, None)),
)
