"""Everything the core raises on purpose.

    OrderCoreError
    ├── InvalidValue              a value breaks a stated rule; the field is named
    ├── OrderNotFound             there is no such order
    ├── NotTheOwner               the order is another customer's
    ├── CannotCancel              a business rule says no, with its reason
    ├── CannotProcess             a business rule says no, with its reason
    ├── CannotShip                a business rule says no, with its reason
    ├── CannotDeliver             a business rule says no, with its reason
    ├── CannotRefund              a business rule says no, with its reason
    ├── CannotReview              there is nothing of this to review
    ├── PriceMismatch             claimed prices are not the shop's
    ├── QuoteRefused              what shall prove a price proves nothing here
    ├── UnknownProvider           no such payment provider is configured
    ├── ProviderUnavailable       the order's provider cannot be asked; nothing happened
    ├── PossibleDuplicate         an equal order was placed a moment ago: the double click
    ├── PaymentMethodInUse        a single-use payment method already pays another order
    ├── PaymentReferenceTaken     the provider's payment already pays another order
    ├── IdempotencyKeyReused      the key came before, with another request
    ├── RequestInProgress         the key came before, and that request is still running
    ├── ConcurrentUpdate          the order changed since it was read; decide again
    ├── ClockAskew                this process's clock is wrong; it must conclude nothing
    ├── StoreUnavailable          the store did nothing; trying again is safe
    ├── CommitUnknown             the store may or may not have kept the change
    ├── WebhookRejected           nobody proved that this event is the provider's
    ├── WebhookUnverifiable       it cannot be verified just now; the provider sends it again
    ├── EventsUnavailable         the provider's record of events cannot be read just now
    ├── InvalidToken              the bearer token proves nothing
    ├── TokenUnverifiable         whether it does cannot be told just now; nothing happened
    ├── NotificationRefused       this message will never be accepted
    └── NotificationFailed        this message may be accepted later

A declined card or a provider's silence is not here. They are answers, so they are
outcomes (`order_core.outcomes`). No error knows an HTTP status: the entrypoint
holds that table.
"""

from dataclasses import dataclass


class OrderCoreError(Exception):
    """Ancestor of every error this library raises on purpose."""


class InvalidValue(OrderCoreError):
    """A value breaks a stated rule.

    `field` is the path of the value inside what the caller gave (`("items", 0, "price")`),
    `code` is stable for programs, `because` is for people.
    """

    def __init__(self, field: tuple[str | int, ...], code: str, because: str) -> None:
        super().__init__(f"{'.'.join(map(str, field)) or 'value'}: {because}")
        self.field = field
        self.code = code
        self.because = because

    def inside(self, *outer: str | int) -> "InvalidValue":
        """The same refusal, seen from the structure that contains the value."""
        return InvalidValue((*outer, *self.field), self.code, self.because)


class OrderNotFound(OrderCoreError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"There is no order {order_id}.")
        self.order_id = order_id


class NotTheOwner(OrderCoreError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} belongs to another customer.")
        self.order_id = order_id


class CannotCancel(OrderCoreError):
    """`reason` is stable for programs (`already_shipped`), `because` is for people."""

    def __init__(self, order_id: str, reason: str, because: str) -> None:
        super().__init__(f"Order {order_id} cannot be cancelled: {because}.")
        self.order_id = order_id
        self.reason = reason
        self.because = because


class CannotProcess(OrderCoreError):
    """`reason` is stable for programs (`unpaid`), `because` is for people."""

    def __init__(self, order_id: str, reason: str, because: str) -> None:
        super().__init__(f"Order {order_id} cannot be processed: {because}.")
        self.order_id = order_id
        self.reason = reason
        self.because = because


class CannotShip(OrderCoreError):
    """`reason` is stable for programs (`unpaid`), `because` is for people."""

    def __init__(self, order_id: str, reason: str, because: str) -> None:
        super().__init__(f"Order {order_id} cannot be shipped: {because}.")
        self.order_id = order_id
        self.reason = reason
        self.because = because


class CannotDeliver(OrderCoreError):
    """`reason` is stable for programs (`not_shipped`), `because` is for people."""

    def __init__(self, order_id: str, reason: str, because: str) -> None:
        super().__init__(f"Order {order_id} cannot be delivered: {because}.")
        self.order_id = order_id
        self.reason = reason
        self.because = because


class CannotRefund(OrderCoreError):
    """`reason` is stable for programs (`nothing_captured`), `because` is for people."""

    def __init__(self, order_id: str, reason: str, because: str) -> None:
        super().__init__(f"Order {order_id} cannot be refunded: {because}.")
        self.order_id = order_id
        self.reason = reason
        self.because = because


class CannotReview(OrderCoreError):
    """`reason` is stable for programs (`not_in_review`), `because` is for people."""

    def __init__(self, order_id: str, reason: str, because: str) -> None:
        super().__init__(f"Order {order_id} cannot be reviewed: {because}.")
        self.order_id = order_id
        self.reason = reason
        self.because = because


@dataclass(frozen=True, slots=True)
class WrongPrice:
    """What item `index` claims to cost is not what it costs.

    `code` is stable for programs (`price_mismatch`, `currency_mismatch`, `product_unknown`),
    `because` is for people and follows the product's name. `price` is the right one as plain
    decimal text, in `currency`; None if there is no such one.
    """

    index: int
    product_id: str
    code: str
    because: str
    price: str | None = None
    currency: str | None = None


class PriceMismatch(OrderCoreError):
    """`wrong` holds every item whose price is not the shop's: at least one."""

    def __init__(self, *wrong: WrongPrice) -> None:
        first = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        super().__init__(f"Item {first.index}: {first.product_id} {first.because}{more}.")
        self.wrong = wrong


class QuoteRefused(OrderCoreError):
    """`refusals` names every quote that is missing or proves nothing, and shows none."""

    def __init__(self, *refusals: InvalidValue) -> None:
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        super().__init__(f"{refusals[0]}{more}.")
        self.refusals = refusals


class UnknownProvider(OrderCoreError):
    def __init__(self, provider: str) -> None:
        super().__init__(f"There is no payment provider {provider!r} here.")
        self.provider = provider


class ProviderUnavailable(OrderCoreError):
    """The provider that an order was paid with is switched off here, so nothing was begun."""

    def __init__(self, provider: str) -> None:
        super().__init__(f"The payment provider {provider!r} cannot be asked at present.")
        self.provider = provider


class PossibleDuplicate(OrderCoreError):
    """An equal order of the same customer is `window_seconds` old at most."""

    def __init__(self, window_seconds: float) -> None:
        super().__init__(
            f"An equal order was placed within the last {window_seconds:g} seconds. "
            "If a second one is wanted, say so with allow_duplicate."
        )
        self.window_seconds = window_seconds


class PaymentMethodInUse(OrderCoreError):
    def __init__(self) -> None:
        super().__init__("This single-use payment method already pays another order.")


class PaymentReferenceTaken(OrderCoreError):
    """The provider's payment `provider_reference` is already the charge of another order."""

    def __init__(self, provider: str, provider_reference: str) -> None:
        super().__init__(f"{provider} payment {provider_reference} already pays another order.")
        self.provider = provider
        self.provider_reference = provider_reference


class IdempotencyKeyReused(OrderCoreError):
    def __init__(self, key: str) -> None:
        super().__init__("This Idempotency-Key was used before, with a different request.")
        self.key = key


class RequestInProgress(OrderCoreError):
    """The first request with this key has not finished; ask again in `retry_after_seconds`."""

    def __init__(self, order_id: str, retry_after_seconds: int) -> None:
        super().__init__("The first request with this Idempotency-Key is still running.")
        self.order_id = order_id
        self.retry_after_seconds = retry_after_seconds


class ConcurrentUpdate(OrderCoreError):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} was changed by somebody else meanwhile.")
        self.order_id = order_id


class ClockAskew(OrderCoreError):
    """The own clock differs from the store's by `seconds` (more: it is ahead)."""

    def __init__(self, seconds: float, allowed: float) -> None:
        way = "ahead of" if seconds > 0 else "behind"
        super().__init__(
            f"The clock of this process is at least {abs(seconds):.1f} s {way} the database's; "
            f"{allowed:g} s are allowed."
        )
        self.seconds = seconds
        self.allowed = allowed


class StoreUnavailable(OrderCoreError):
    """The store certainly kept nothing of this call."""


class CommitUnknown(OrderCoreError):
    """The store was asked to keep the change and did not answer: it may have kept it."""


class WebhookRejected(OrderCoreError):
    """`because` is for the log; it holds nothing of the event."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class WebhookUnverifiable(OrderCoreError):
    """What is needed to verify the event, or to read it, cannot be had at present."""


class EventsUnavailable(OrderCoreError):
    """What a provider has on record as told cannot be read at present; `because` is for the log."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class InvalidToken(OrderCoreError):
    """`because` is for the caller and holds nothing of the token itself."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class TokenUnverifiable(OrderCoreError):
    """What is needed to check the bearer token cannot be had at present."""


class NotificationRefused(OrderCoreError):
    """The channel will never accept this message (an address that does not exist)."""


class NotificationFailed(OrderCoreError):
    """The channel did not confirm this message; it may have been sent, and may be sent again."""
