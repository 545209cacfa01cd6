"""For each invariant: evidence that keeps it, and the nearest evidence that breaks it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from order_core.events import (
    Happened,
    OrderCancelled,
    OrderOpened,
    OrderPlaced,
    PersonalDataErased,
    Reviewed,
)
from order_core.invariants import (
    AliveMovement,
    Evidence,
    MovedMoney,
    RefundWish,
    StoredTotals,
)
from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import (
    DISPUTE_LOST,
    DISPUTE_OPEN,
    DISPUTE_WON,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress

NOON: Final = datetime(2031, 5, 4, 12, tzinfo=UTC)
PAID: Final = PaymentTransaction(
    id="t-1",
    order_id="o-7",
    customer_id="ann",
    kind=TransactionKind.CHARGE,
    amount=Money(2_400, "EUR"),
    provider="stripe",
    account="acct_1/test",
    installation="shop",
    request_version="1",
    recorded_at=NOON,
    send_until=NOON + timedelta(minutes=10),
    horizon=timedelta(minutes=30),
    status=TransactionStatus.SUCCEEDED,
    provider_reference="pi_7",
)
OPEN: Final = replace(
    PAID,
    status=TransactionStatus.UNKNOWN,
    token="pm_visa",
    attend_at=NOON + timedelta(minutes=1),
)
REFUND: Final = replace(
    PAID, id="t-2", kind=TransactionKind.REFUND, parent_id="t-1", provider_reference="re_7"
)
DISPUTED: Final = replace(
    PAID,
    id="t-3",
    kind=TransactionKind.REVERSAL,
    origin=Origin.PROVIDER,
    parent_id="t-1",
    provider_reference="dp_7",
    reason=DISPUTE_OPEN,
)
LOST: Final = replace(DISPUTED, id="t-4", reason=DISPUTE_LOST)
RETURNED: Final = replace(DISPUTED, id="t-6", parent_id="t-2", reason=None)
WON: Final = replace(DISPUTED, id="t-5", reason=DISPUTE_WON)
BEYOND: Final = replace(
    REFUND, id="t-9", origin=Origin.PROVIDER, amount=Money(100, "EUR"), reason=None
)
DECLINED: Final = replace(PAID, status=TransactionStatus.DECLINED, reason="expired_card")
HISTORY: Final = (
    Happened(1, NOON, OrderOpened("t-1", "24.00 EUR", "stripe")),
    Happened(2, NOON, OrderPlaced("t-1", "pi_7")),
)
FORGOTTEN: Final = (*HISTORY, Happened(3, NOON, PersonalDataErased()))
SECOND_DEBIT: Final = replace(PAID, id="t-9", provider_reference="pi_9", origin=Origin.PROVIDER)
TAKEN: Final = MovedMoney(TransactionKind.CHARGE, Money(2_400, "EUR"), "pi_7")
GIVEN_BACK: Final = MovedMoney(TransactionKind.REFUND, Money(2_400, "EUR"), "re_7")
LIVING: Final = AliveMovement("t-1", TransactionKind.CHARGE, is_done=True, says="pi_7 is taken")
COMING: Final = AliveMovement("t-1", TransactionKind.CHARGE, is_done=False, says="it is coming")
HOLD: Final = replace(PAID, kind=TransactionKind.AUTHORIZATION, status=TransactionStatus.AUTHORIZED)
SECOND_HOLD: Final = replace(HOLD, id="t-9", origin=Origin.PROVIDER, parent_id="t-1")
VOID: Final = replace(PAID, id="t-8", kind=TransactionKind.VOID, parent_id="t-9")
DOUBTFUL: Final = replace(PAID, status=TransactionStatus.IN_REVIEW, review="amount_differs")
SOME: Final = Money(900, "EUR")


def an_order(*transactions: PaymentTransaction, **but: Any) -> Order:
    """Of two jars for 12 euro each; placed, unless `but` says otherwise."""
    order = Order(
        id="o-7",
        customer_id="ann",
        items=(OrderItem("jar", 2, Money(1_200, "EUR")),),
        total=Money(2_400, "EUR"),
        shipping_address=ShippingAddress("Kanalstraße 1, 24159 Kiel"),
        email="ann@example.com",
        status=OrderStatus.PENDING,
        created_at=NOON,
        transactions=transactions,
        event_count=2,
        version=3,
    )
    return replace(order, **but)


PARCEL: Final = Shipment("p-1", "DHL", "JD014600000000000007", NOON)
PLACED: Final = an_order(PAID)
CANCELLED: Final = an_order(PAID, REFUND, status=OrderStatus.CANCELLED)
FAILED: Final = an_order(DECLINED, status=OrderStatus.PAYMENT_FAILED)
WAITING: Final = an_order(OPEN, status=OrderStatus.AWAITING_PAYMENT)
TOTALS: Final = StoredTotals(2_400, 2_400, 2_400, None)

HEALTHY: Final[Mapping[str, Evidence]] = {
    "placed": Evidence(PLACED, history=HISTORY, at_provider=(TAKEN,), untold_events=0),
    "told twice": Evidence(PLACED, told=(OrderStatus.AWAITING_PAYMENT, OrderStatus.PENDING)),
    "cancelled": Evidence(CANCELLED, totals=TOTALS, at_provider=(GIVEN_BACK, TAKEN)),
    "cancelled, and the money lost to the bank": Evidence(
        an_order(PAID, DISPUTED, LOST, status=OrderStatus.CANCELLED), at_provider=(TAKEN,)
    ),
    "cancelled, a part lost and the rest given back": Evidence(
        an_order(
            PAID,
            replace(LOST, amount=Money(900, "EUR")),
            replace(REFUND, amount=Money(1_500, "EUR")),
            status=OrderStatus.CANCELLED,
        )
    ),
    "more given back than was asked, in one refund": Evidence(
        an_order(PAID, replace(REFUND, amount=Money(700, "EUR")), BEYOND),
        at_provider=(TAKEN, replace(GIVEN_BACK, amount=Money(800, "EUR"))),
    ),
    "erased": Evidence(
        an_order(PAID, shipping_address=None, email=None, event_count=3), history=FORGOTTEN
    ),
    "shipped, and given back since": Evidence(
        an_order(PAID, REFUND, status=OrderStatus.SHIPPED, shipments=(PARCEL,))
    ),
    "failed": Evidence(FAILED, earlier=WAITING, told=(OrderStatus.PAYMENT_FAILED,)),
    "in flight": Evidence(WAITING, untold_events=1, at_provider=(TAKEN,)),
    "in flight, though ended": Evidence(
        an_order(OPEN, status=OrderStatus.CANCELLED), at_provider=(TAKEN,)
    ),
    "held": Evidence(an_order(HOLD), held_at_provider=1, had_all_time=True),
    "taken once, and given back at the dashboard too": Evidence(
        PLACED,
        alive_at_provider=(
            LIVING,
            replace(LIVING, transaction_id=None),
            replace(LIVING, transaction_id="t-2", kind=TransactionKind.REFUND),
        ),
    ),
    "failed, and nothing is coming": Evidence(
        FAILED, alive_at_provider=(replace(LIVING, transaction_id="t-8", is_done=False),)
    ),
    "a part given back, as was asked": Evidence(
        an_order(PAID, replace(REFUND, amount=SOME)),
        at_provider=(TAKEN, replace(GIVEN_BACK, amount=SOME)),
        refund_wishes=(RefundWish(900), RefundWish(300, is_refused=True)),
    ),
    "cancelled, whatever was asked before": Evidence(
        CANCELLED, at_provider=(TAKEN, GIVEN_BACK), refund_wishes=()
    ),
    "in doubt, where there was reason to": Evidence(an_order(DOUBTFUL), had_all_time=True),
    "before a person": Evidence(
        an_order(PAID, replace(DISPUTED, review="disputed")), at_provider=(TAKEN,)
    ),
    "paid, and in doubt about what is held beside": Evidence(
        an_order(PAID, replace(SECOND_HOLD, review="not_asked_for"))
    ),
    "paid, and the provider would not let go what is held beside": Evidence(
        an_order(PAID, SECOND_HOLD, replace(VOID, status=TransactionStatus.DECLINED))
    ),
    "decided by a person": Evidence(
        an_order(PAID, SECOND_DEBIT, event_count=3),
        history=(*HISTORY, Happened(3, NOON, Reviewed("t-9", "accept", "eve", "gift"))),
    ),
}

Break = Callable[[], Evidence]
BROKEN: Final[Mapping[str, tuple[Break, ...]]] = {
    "begins_with_its_charge": (
        lambda: Evidence(an_order(status=OrderStatus.AWAITING_PAYMENT)),
        lambda: Evidence(an_order(replace(REFUND, parent_id=None), PAID)),
        lambda: Evidence(an_order(replace(PAID, customer_id="bob"))),
        lambda: Evidence(an_order(replace(PAID, order_id="o-8"))),
        lambda: Evidence(an_order(PAID, replace(REFUND, parent_id="t-8"))),
    ),
    "totals_follow": (
        lambda: Evidence(CANCELLED, totals=replace(TOTALS, captured_minor_units=2_399)),
        lambda: Evidence(CANCELLED, totals=replace(TOTALS, refunded_minor_units=0)),
        lambda: Evidence(CANCELLED, totals=replace(TOTALS, refund_asked_minor_units=1)),
        lambda: Evidence(CANCELLED, totals=replace(TOTALS, attend_at=NOON)),
    ),
    "one_live_charge": (lambda: Evidence(an_order(PAID, replace(OPEN, id="t-3"))),),
    "second_debit_reported": (lambda: Evidence(an_order(PAID, SECOND_DEBIT)),),
    "booked_once": (
        lambda: Evidence(an_order(PAID, replace(SECOND_DEBIT, provider_reference="pi_7"))),
    ),
    "refunds_within_capture": (
        lambda: Evidence(an_order(PAID, replace(REFUND, amount=Money(2_401, "EUR")))),
    ),
    "charge_is_the_total": (
        lambda: Evidence(an_order(PAID, total=Money(2_500, "EUR"))),
        lambda: Evidence(an_order(replace(PAID, amount=Money(2_300, "EUR")))),
        lambda: Evidence(an_order(replace(PAID, amount=Money(2_400, "USD")))),
    ),
    "open_is_attended": (
        lambda: Evidence(
            an_order(replace(OPEN, attend_at=None), status=OrderStatus.AWAITING_PAYMENT)
        ),
    ),
    "secrets_erased": (
        lambda: Evidence(an_order(replace(PAID, token="pm_visa"))),
        lambda: Evidence(an_order(replace(PAID, client_secret="pi_7_secret"))),
    ),
    "statuses_along_the_table": (lambda: Evidence(PLACED, earlier=FAILED),),
    "begun_is_paid": (
        lambda: Evidence(
            an_order(HOLD, replace(SECOND_DEBIT, amount=SOME), status=OrderStatus.PROCESSING),
            earlier=an_order(HOLD, replace(SECOND_DEBIT, amount=SOME)),
        ),
    ),
    "facts_only_added": (
        lambda: Evidence(PLACED, earlier=an_order(PAID, REFUND)),
        lambda: Evidence(FAILED, earlier=PLACED),
    ),
    "history_leads_here": (
        lambda: Evidence(CANCELLED, history=HISTORY),
        lambda: Evidence(PLACED, history=HISTORY[:1]),
        lambda: Evidence(
            an_order(PAID, event_count=3),
            history=(HISTORY[0], Happened(2, NOON, OrderCancelled("ann")), placed_as(3)),
        ),
    ),
    "forgotten_for_good": (
        lambda: Evidence(an_order(PAID, shipping_address=None), history=HISTORY),
        lambda: Evidence(an_order(PAID, event_count=3), history=FORGOTTEN),
        lambda: Evidence(
            an_order(PAID, event_count=3, shipping_address=None, email="a@b.example"),
            history=FORGOTTEN,
        ),
        lambda: Evidence(
            an_order(
                replace(PAID, return_url="https://shop.example/?of=ann"),
                event_count=3,
                shipping_address=None,
                email=None,
            ),
            history=FORGOTTEN,
        ),
    ),
    "told_stays_true": (
        lambda: Evidence(FAILED, told=(OrderStatus.PENDING,)),
        lambda: Evidence(PLACED, told=(OrderStatus.PAYMENT_FAILED,)),
        lambda: Evidence(PLACED, told=(OrderStatus.CANCELLED,)),
    ),
    "nothing_is_open": (lambda: Evidence(an_order(PAID, replace(OPEN, attend_at=None))),),
    "shipped_was_paid": (
        lambda: Evidence(an_order(PAID, status=OrderStatus.SHIPPED)),
        lambda: Evidence(an_order(PAID, status=OrderStatus.PROCESSING, shipments=(PARCEL,))),
        lambda: Evidence(an_order(OPEN, status=OrderStatus.DELIVERED, shipments=(PARCEL,))),
    ),
    "placed_is_paid": (
        lambda: Evidence(an_order(DECLINED)),
        lambda: Evidence(an_order(DECLINED, status=OrderStatus.SHIPPED)),
    ),
    "ended_nets_to_zero": (
        lambda: Evidence(an_order(PAID, status=OrderStatus.CANCELLED)),
        lambda: Evidence(an_order(PAID, DISPUTED, status=OrderStatus.CANCELLED)),
        lambda: Evidence(an_order(PAID, DISPUTED, WON, status=OrderStatus.CANCELLED)),
        lambda: Evidence(an_order(PAID, REFUND, RETURNED, status=OrderStatus.CANCELLED)),
        lambda: Evidence(
            an_order(PAID, replace(LOST, amount=Money(900, "EUR")), status=OrderStatus.CANCELLED)
        ),
        lambda: Evidence(
            an_order(PAID, REFUND, replace(REFUND, id="t-8"), status=OrderStatus.CANCELLED)
        ),
        lambda: Evidence(
            an_order(
                replace(PAID, status=TransactionStatus.AUTHORIZED), status=OrderStatus.CANCELLED
            )
        ),
    ),
    "given_back_within_capture": (
        lambda: Evidence(an_order(PAID, REFUND, BEYOND)),
        lambda: Evidence(an_order(PAID, REFUND, BEYOND, status=OrderStatus.CANCELLED)),
    ),
    "paid_holds_nothing": (
        lambda: Evidence(an_order(HOLD, SECOND_DEBIT)),
        lambda: Evidence(an_order(PAID, SECOND_HOLD, status=OrderStatus.PROCESSING)),
    ),
    "books_agree": (
        lambda: Evidence(PLACED, at_provider=()),
        lambda: Evidence(PLACED, at_provider=(TAKEN, TAKEN)),
        lambda: Evidence(CANCELLED, at_provider=(TAKEN,)),
    ),
    "charged_once": (
        lambda: Evidence(PLACED, alive_at_provider=(LIVING, replace(LIVING, transaction_id="t-2"))),
        lambda: Evidence(WAITING, alive_at_provider=(LIVING, LIVING)),
    ),
    "failed_is_unpaid": (
        lambda: Evidence(
            an_order(
                DECLINED,
                replace(SECOND_DEBIT, review="not_asked_for"),
                status=OrderStatus.PAYMENT_FAILED,
            ),
            alive_at_provider=(replace(LIVING, transaction_id="t-8"),),
        ),
        lambda: Evidence(FAILED, alive_at_provider=(replace(LIVING, transaction_id="t-8"),)),
        lambda: Evidence(
            FAILED,
            alive_at_provider=(
                replace(LIVING, transaction_id="t-8", kind=TransactionKind.AUTHORIZATION),
            ),
        ),
    ),
    "dead_means_dead": (
        lambda: Evidence(FAILED, alive_at_provider=(COMING,)),
        lambda: Evidence(an_order(DECLINED), alive_at_provider=(LIVING,)),
    ),
    "totals_agree": (
        lambda: Evidence(PLACED, at_provider=()),
        lambda: Evidence(
            an_order(PAID, event_count=3),
            history=(*HISTORY, Happened(3, NOON, Reviewed("t-1", "accept", "eve", "gift"))),
            at_provider=(TAKEN, GIVEN_BACK),
        ),
    ),
    "holds_agree": (
        lambda: Evidence(an_order(HOLD), held_at_provider=0),
        lambda: Evidence(CANCELLED, held_at_provider=1),
    ),
    "kept_within_total": (
        lambda: Evidence(
            an_order(PAID, replace(SECOND_DEBIT, review="not_asked_for")),
            at_provider=(TAKEN, replace(TAKEN, reference="pi_9")),
        ),
        lambda: Evidence(PLACED, at_provider=(TAKEN, TAKEN)),
        lambda: Evidence(CANCELLED, at_provider=(TAKEN, GIVEN_BACK, GIVEN_BACK)),
    ),
    "refunds_as_asked": (
        lambda: Evidence(
            PLACED, at_provider=(TAKEN,), refund_wishes=(RefundWish(900, is_accepted=True),)
        ),
        lambda: Evidence(
            PLACED, at_provider=(TAKEN,), refund_wishes=(RefundWish(None, is_accepted=True),)
        ),
        lambda: Evidence(
            an_order(PAID, replace(REFUND, amount=SOME)),
            at_provider=(TAKEN, replace(GIVEN_BACK, amount=SOME)),
            refund_wishes=(RefundWish(900, is_refused=True),),
        ),
    ),
    "rest_is_reachable": (lambda: Evidence(WAITING, had_all_time=True),),
    "people_are_spared": (lambda: Evidence(an_order(DOUBTFUL), spares_people=True),),
    "reviews_end": (lambda: Evidence(an_order(DOUBTFUL), people_decided=True),),
    "events_delivered": (lambda: Evidence(PLACED, untold_events=1),),
}


def placed_as(sequence: int) -> Happened:
    """That the order was placed, as its `sequence`-th event."""
    return replace(HISTORY[1], sequence=sequence)
