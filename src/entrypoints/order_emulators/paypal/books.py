"""What the pretended PayPal has on record, and the rules by which it changes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from order_emulators.paypal.issues import Refused
from order_emulators.paypal.vault import VaultedMethod

_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_VALID_FOR: Final = timedelta(days=29)
_OVERAGE: Final = Decimal("1.15")
_MOST_ORDERS: Final = 100_000


def new_id() -> str:
    """An id as PayPal gives them: 17 capitals and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(17))


@dataclass(slots=True)
class Payment:
    """A capture, an authorization or a refund."""

    id: str
    kind: str
    status: str
    value: Decimal
    currency: str
    custom_id: str
    invoice_id: str
    at: datetime
    parent_id: str = ""
    response_code: str = ""
    final: bool = True

    @property
    def expires_at(self) -> datetime:
        return self.at + _VALID_FOR


@dataclass(slots=True)
class PayPalOrder:
    """An order with its one purchase unit."""

    id: str
    intent: str
    status: str
    value: Decimal
    currency: str
    at: datetime
    custom_id: str = ""
    invoice_id: str = ""
    reference_id: str = "default"
    description: str = ""
    source: str = "paypal"
    payments: list[Payment] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Payment]:
        """Its captures, authorizations or refunds."""
        return [payment for payment in self.payments if payment.kind == kind]


class Books:
    """Every order and payment, oldest first. `clock` is the present moment."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.orders: dict[str, PayPalOrder] = {}
        self._invoices: set[tuple[str, str]] = set()

    def order(self, order_id: str) -> PayPalOrder:
        """The order.

        Raises:
            Refused: there is none.
        """
        if order_id not in self.orders:
            raise Refused("INVALID_RESOURCE_ID", 404)
        return self.orders[order_id]

    def payment(self, kind: str, payment_id: str) -> tuple[PayPalOrder, Payment]:
        """The payment, and the order that it belongs to.

        Raises:
            Refused: there is none.
        """
        for order in self.orders.values():
            for payment in order.payments:
                if payment.id == payment_id and payment.kind == kind:
                    return order, payment
        raise Refused("INVALID_RESOURCE_ID", 404)

    # Orders -------------------------------------------------------------------------------

    def open(self, **values: Any) -> PayPalOrder:  # noqa: ANN401 - fields of an order
        """A new order."""
        if len(self.orders) >= _MOST_ORDERS:
            raise OverflowError(f"more than {_MOST_ORDERS} orders; start the emulator again")
        order = PayPalOrder(id=new_id(), status="CREATED", at=self._clock(), **values)
        self.orders[order.id] = order
        return order

    def complete(self, order: PayPalOrder, intent: str, method: VaultedMethod | None) -> Payment:
        """Capture or authorize the order, with a vaulted method or the buyer's approval.

        Raises:
            Refused: it cannot be completed like this.
        """
        done = "ORDER_ALREADY_CAPTURED" if intent == "CAPTURE" else "ORDER_ALREADY_AUTHORIZED"
        if order.status == "COMPLETED":
            raise Refused(done)
        if order.intent != intent:
            raise Refused("ACTION_DOES_NOT_MATCH_INTENT")
        if method is None and order.status != "APPROVED":
            raise Refused(
                "ORDER_NOT_APPROVED", variant="" if intent == "CAPTURE" else "to authorize"
            )
        if method and method.issue:
            raise Refused(method.issue)
        code = method.response_code if method else ""
        if not code and intent == "CAPTURE":
            self._use_invoice("capture", order.invoice_id, variant="")
        kind = "captures" if intent == "CAPTURE" else "authorizations"
        good = "COMPLETED" if intent == "CAPTURE" else "CREATED"
        bad = "DECLINED" if intent == "CAPTURE" else "DENIED"
        pending = "PENDING" if method and method.is_pending else good
        payment = self._new(
            order, kind, bad if code else pending, order.value, invoice_id=order.invoice_id
        )
        payment.response_code = code
        order.status = "COMPLETED"
        return payment

    # Payments -----------------------------------------------------------------------------

    def hold_again(self, authorization_id: str) -> Payment:
        """Hold the same once more, as if the order had been authorized twice."""
        order, first = self.payment("authorizations", authorization_id)
        return self._new(
            order, "authorizations", "CREATED", first.value, invoice_id=first.invoice_id
        )

    def capture(self, authorization_id: str, wanted: dict[str, Any]) -> Payment:
        """Take what an authorization holds.

        Raises:
            Refused: it cannot be taken.
        """
        order, held = self.payment("authorizations", authorization_id)
        if held.status == "VOIDED":
            raise Refused("AUTHORIZATION_VOIDED")
        if held.status == "CAPTURED":
            raise Refused("AUTHORIZATION_ALREADY_CAPTURED")
        value, currency = amount(wanted.get("amount")) or (held.value, held.currency)
        if currency != held.currency:
            raise Refused("AUTH_CAPTURE_CURRENCY_MISMATCH")
        taken = sum(
            (c.value for c in order.of_kind("captures") if c.parent_id == held.id), Decimal(0)
        )
        if taken + value > held.value * _OVERAGE:
            raise Refused("MAX_CAPTURE_AMOUNT_EXCEEDED")
        invoice_id = str(wanted.get("invoice_id") or held.invoice_id)
        self._use_invoice("capture", invoice_id, variant="of a capture")
        capture = self._new(
            order, "captures", "COMPLETED", value, invoice_id=invoice_id, parent_id=held.id
        )
        capture.final = bool(wanted.get("final_capture"))
        used_up = capture.final or taken + value >= held.value
        held.status = "CAPTURED" if used_up else "PARTIALLY_CAPTURED"
        return capture

    def void(self, authorization_id: str) -> Payment:
        """Let go what an authorization holds.

        Raises:
            Refused: it is not held any more.
        """
        _, held = self.payment("authorizations", authorization_id)
        if held.status == "VOIDED":
            raise Refused("PREVIOUSLY_VOIDED")
        if held.status in {"CAPTURED", "PARTIALLY_CAPTURED"}:
            raise Refused("PREVIOUSLY_CAPTURED")
        held.status = "VOIDED"
        return held

    def refund(self, capture_id: str, wanted: dict[str, Any], status: str) -> Payment:
        """Give back what was captured.

        Raises:
            Refused: it cannot be given back.
        """
        order, capture = self.payment("captures", capture_id)
        if capture.status == "PENDING":
            raise Refused("PENDING_CAPTURE")
        if capture.status == "REFUNDED":
            raise Refused("CAPTURE_FULLY_REFUNDED")
        left = capture.value - self.refunded(order, capture)
        value, currency = amount(wanted.get("amount")) or (left, capture.currency)
        if currency != capture.currency:
            raise Refused("REFUND_CAPTURE_CURRENCY_MISMATCH")
        if value > left:
            raise Refused("REFUND_AMOUNT_EXCEEDED")
        invoice_id = str(wanted.get("invoice_id") or "")
        self._use_invoice("refund", invoice_id, variant="of a refund")
        refund = self._new(
            order, "refunds", status, value, invoice_id=invoice_id, parent_id=capture.id
        )
        refund.custom_id = str(wanted.get("custom_id") or "")
        capture.status = "REFUNDED" if value == left else "PARTIALLY_REFUNDED"
        return refund

    def refunded(self, order: PayPalOrder, capture: Payment) -> Decimal:
        """How much of the capture was given back, or will be."""
        return sum(
            (
                refund.value
                for refund in order.of_kind("refunds")
                if refund.parent_id == capture.id and refund.status in {"COMPLETED", "PENDING"}
            ),
            Decimal(0),
        )

    def _new(
        self,
        order: PayPalOrder,
        kind: str,
        status: str,
        value: Decimal,
        *,
        invoice_id: str,
        parent_id: str = "",
    ) -> Payment:
        payment = Payment(
            id=new_id(),
            kind=kind,
            status=status,
            value=value,
            currency=order.currency,
            custom_id=order.custom_id,
            invoice_id=invoice_id,
            at=self._clock(),
            parent_id=parent_id,
        )
        order.payments.append(payment)
        return payment

    def _use_invoice(self, of: str, invoice_id: str, *, variant: str) -> None:
        if invoice_id and (of, invoice_id) in self._invoices:
            raise Refused("DUPLICATE_INVOICE_ID", variant=variant)
        self._invoices.add((of, invoice_id))


_WHOLE: Final = frozenset({"HUF", "JPY", "TWD"})


def amount(written: object) -> tuple[Decimal, str] | None:
    """Read an amount; None if there is none.

    Raises:
        Refused: it is no amount of this currency.
    """
    if written is None:
        return None
    if not isinstance(written, dict):
        raise Refused("INVALID_PARAMETER_VALUE", 400)
    text, currency = written.get("value"), written.get("currency_code")
    if not isinstance(text, str) or not isinstance(currency, str):
        raise Refused("INVALID_PARAMETER_VALUE", 400)
    whole, point, fraction = text.partition(".")
    if not (whole.isdecimal() and (fraction.isdecimal() or not point)) or len(text) > 32:  # noqa: PLR2004 - as documented
        raise Refused("INVALID_PARAMETER_VALUE", 400)
    if len(fraction) > 2 or (point and currency in _WHOLE):  # noqa: PLR2004 - as documented
        raise Refused("DECIMAL_PRECISION")
    return Decimal(text), currency
