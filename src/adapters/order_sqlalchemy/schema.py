"""The tables, the same on PostgreSQL and SQLite, and the rules that they keep by themselves.

Moments are whole microseconds since 1970 in UTC (`..._us`), amounts whole minor units.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    desc,
    false,
    text,
)

from order_core.events import LatePaymentReceived
from order_core.order_status import UNPLACED, OrderStatus
from order_core.payment import (
    DEAD_STATUSES,
    OPEN_STATUSES,
    TAKING_KINDS,
    Origin,
    TransactionKind,
    TransactionStatus,
)
from order_sqlalchemy.oauth_tables import declare_oauth_tables


def one_of(column: str, *words: StrEnum) -> str:
    """`column IN ('a', 'b')`, in one spelling, which PostgreSQL compares with an index's."""
    return f"{column} IN ({_quoted(*words)})"


def none_of(column: str, *words: StrEnum) -> str:
    """`column NOT IN ('a', 'b')`."""
    return f"{column} NOT IN ({_quoted(*words)})"


def _quoted(*words: StrEnum) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


PLACED: Final = none_of("status", *UNPLACED)
ALIVE: Final = none_of("status", *DEAD_STATUSES)
_TAKES: Final = one_of("kind", *TAKING_KINDS)
_TOKEN_IS_USED: Final = none_of("status", TransactionStatus.DECLINED, TransactionStatus.FAILED)
_PAYS: Final = one_of("kind", *TAKING_KINDS, TransactionKind.CAPTURE)
UNFINISHED: Final = (
    f"({one_of('status', *OPEN_STATUSES, TransactionStatus.IN_REVIEW)} OR review IS NOT NULL)"
)
"""Waits for an answer of the provider's, or for a person."""
HAS_REFERENCE: Final = f"provider_reference IS NOT NULL AND {_PAYS}"
"""A payment that the provider has a name for, dead or alive."""
UNMATCHED: Final = "verdict = 'unknown_transaction'"
DONE_WITH: Final = "verdict <> 'unknown_transaction'"
TO_MATCH: Final = f"{UNMATCHED} AND facts IS NOT NULL"
_LATE_MONEY: Final = f"name = '{LatePaymentReceived.name}'"

# Pages continue after an id, so both databases have to sort ids alike: by code point.
_Id: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata: Final = MetaData()

orders: Final = Table(
    "orders",
    metadata,
    Column("id", _Id, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("items", JSON, nullable=False),
    Column("shipping_address", JSON, nullable=False),
    Column("email", Text),
    Column("created_at_us", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("captured_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    Column("refund_asked_minor", BigInteger, nullable=False),
    Column("attend_at_us", BigInteger),
    Column("lease_token", Text),
    # By the database's clock: the clocks of two workers may differ by more than a lease.
    Column("lease_until_us", BigInteger),
    Column("lease_by_request", Boolean, nullable=False, server_default=false()),
    Column("shipments", JSON),
    # The order as its owner sees it: true while it is of this version, and of the edition asked
    # for. A program that does not know of it leaves the version behind, and is not believed.
    Column("owner_view", Text),
    Column("owner_view_edition", Text),
    Column("owner_view_version", Integer),
    PrimaryKeyConstraint("id", name="pk_orders"),
    CheckConstraint(one_of("status", *OrderStatus), name="ck_orders_status"),
    CheckConstraint("length(currency) = 3", name="ck_orders_currency"),
    CheckConstraint("total_minor > 0", name="ck_orders_total_positive"),
    CheckConstraint("version >= 1", name="ck_orders_version"),
    CheckConstraint("event_count >= 0", name="ck_orders_event_count"),
    CheckConstraint(
        "captured_minor >= 0 AND refunded_minor >= 0 AND refund_asked_minor >= 0",
        name="ck_orders_sums_not_negative",
    ),
    CheckConstraint(
        "refund_asked_minor <= captured_minor", name="ck_orders_refund_asked_within_captured"
    ),
    CheckConstraint(
        "(lease_token IS NULL) = (lease_until_us IS NULL)", name="ck_orders_lease_whole"
    ),
)
Index(
    "ix_orders_placed_of_customer",
    orders.c.customer_id,
    desc(orders.c.created_at_us),
    desc(orders.c.id),
    postgresql_where=text(PLACED),
    sqlite_where=text(PLACED),
)
Index(
    "ix_orders_of_customer",
    orders.c.customer_id,
    desc(orders.c.created_at_us),
    desc(orders.c.id),
)
Index("ix_orders_newest", desc(orders.c.created_at_us), desc(orders.c.id))
Index(
    "ix_orders_to_attend",
    orders.c.attend_at_us,
    postgresql_where=text("attend_at_us IS NOT NULL"),
    sqlite_where=text("attend_at_us IS NOT NULL"),
)

payment_transactions: Final = Table(
    "payment_transactions",
    metadata,
    Column("id", Text, nullable=False),
    Column("order_id", _Id, nullable=False),
    # The first one is the charge that was recorded with the order; times may be equal.
    Column("position", Integer, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("installation", Text, nullable=False),
    Column("request_version", Text, nullable=False),
    Column("recorded_at_us", BigInteger, nullable=False),
    Column("send_until_us", BigInteger, nullable=False),
    Column("horizon_us", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("token", Text),
    Column("single_use_fingerprint", Text),
    Column("return_url", Text),
    Column("parent_id", Text),
    Column("parent_reference", Text),
    Column("provider_reference", Text),
    Column("step", Integer, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("never_ran", Integer, nullable=False),
    Column("last_send_at_us", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("attend_at_us", BigInteger),
    Column("reason", Text),
    Column("retryable", Boolean, nullable=False),
    Column("review", Text),
    Column("action_url", Text),
    Column("client_secret", Text),
    Column("action_expires_at_us", BigInteger),
    Column("capture_before_us", BigInteger),
    Column("provider_sequence", BigInteger),
    PrimaryKeyConstraint("order_id", "position", name="pk_payment_transactions"),
    UniqueConstraint("id", name="uq_payment_transactions_id"),
    ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payment_transactions_order"),
    CheckConstraint(one_of("kind", *TransactionKind), name="ck_payment_transactions_kind"),
    CheckConstraint(one_of("status", *TransactionStatus), name="ck_payment_transactions_status"),
    CheckConstraint(one_of("origin", *Origin), name="ck_payment_transactions_origin"),
    CheckConstraint("length(currency) = 3", name="ck_payment_transactions_currency"),
    # What the provider reports is stored as it comes, even a debit of nothing.
    CheckConstraint(
        f"amount_minor > 0 OR (amount_minor = 0 AND origin = '{Origin.PROVIDER}')",
        name="ck_payment_transactions_amount_positive",
    ),
    CheckConstraint("position >= 0", name="ck_payment_transactions_position"),
    CheckConstraint(
        f"position > 0 OR ({_TAKES} AND origin = '{Origin.OURS}')",
        name="ck_payment_transactions_begins_with_charge",
    ),
    CheckConstraint(
        f"{none_of('status', *OPEN_STATUSES)} OR attend_at_us IS NOT NULL",
        name="ck_payment_transactions_open_attended",
    ),
    CheckConstraint(
        f"{one_of('status', *OPEN_STATUSES)} OR (token IS NULL AND client_secret IS NULL)",
        name="ck_payment_transactions_secrets_erased",
    ),
    CheckConstraint(
        "step >= 1 AND never_ran >= 0 AND sends >= never_ran AND attempts >= 0",
        name="ck_payment_transactions_counts",
    ),
)
_ONE_LIVE_CHARGE: Final = f"{_TAKES} AND origin = '{Origin.OURS}' AND {ALIVE}"
Index(
    "uq_payment_transactions_one_live_charge",
    payment_transactions.c.order_id,
    unique=True,
    postgresql_where=text(_ONE_LIVE_CHARGE),
    sqlite_where=text(_ONE_LIVE_CHARGE),
)
# A dead charge does not hold its reference: when it succeeds after all, that success is
# stored beside it with the same reference, and from then on it is the one that holds it.
HOLDS_REFERENCE: Final = f"provider_reference IS NOT NULL AND {_TAKES} AND {ALIVE}"
Index(
    "uq_payment_transactions_reference",
    payment_transactions.c.provider,
    payment_transactions.c.account,
    payment_transactions.c.provider_reference,
    unique=True,
    postgresql_where=text(HOLDS_REFERENCE),
    sqlite_where=text(HOLDS_REFERENCE),
)
# A voided charge has used its token up; one that was declined or never ran has not.
HOLDS_FINGERPRINT: Final = f"single_use_fingerprint IS NOT NULL AND {_TAKES} AND {_TOKEN_IS_USED}"
Index(
    "uq_payment_transactions_single_use",
    payment_transactions.c.single_use_fingerprint,
    unique=True,
    postgresql_where=text(HOLDS_FINGERPRINT),
    sqlite_where=text(HOLDS_FINGERPRINT),
)
Index(
    "ix_payment_transactions_by_reference",
    payment_transactions.c.provider,
    payment_transactions.c.account,
    payment_transactions.c.provider_reference,
    postgresql_where=text(HAS_REFERENCE),
    sqlite_where=text(HAS_REFERENCE),
)
Index(
    "ix_payment_transactions_unfinished",
    payment_transactions.c.recorded_at_us,
    payment_transactions.c.order_id,
    postgresql_where=text(UNFINISHED),
    sqlite_where=text(UNFINISHED),
)

order_events: Final = Table(
    "order_events",
    metadata,
    Column("order_id", _Id, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("data", JSON, nullable=False),
    # Due to be told from this moment on; NULL when there is nothing (left) to tell.
    Column("tell_at_us", BigInteger),
    Column("told_at_us", BigInteger),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("given_up_because", Text),
    PrimaryKeyConstraint("order_id", "sequence", name="pk_order_events"),
    ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_events_order"),
    CheckConstraint("sequence >= 1", name="ck_order_events_sequence"),
    CheckConstraint("attempts >= 0", name="ck_order_events_attempts"),
    CheckConstraint(
        "tell_at_us IS NULL OR (told_at_us IS NULL AND given_up_because IS NULL)",
        name="ck_order_events_told_once",
    ),
)
Index(
    "ix_order_events_to_tell",
    order_events.c.tell_at_us,
    postgresql_where=text("tell_at_us IS NOT NULL"),
    sqlite_where=text("tell_at_us IS NOT NULL"),
)
Index(
    "ix_order_events_late_money",
    order_events.c.order_id,
    postgresql_where=text(_LATE_MONEY),
    sqlite_where=text(_LATE_MONEY),
)

idempotency_records: Final = Table(
    "idempotency_records",
    metadata,
    Column("customer_id", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_fingerprint", Text, nullable=False),
    Column("order_id", _Id, nullable=False),
    PrimaryKeyConstraint("customer_id", "route", "key", name="pk_idempotency_records"),
    ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_idempotency_records_order"),
)

order_fingerprints: Final = Table(
    "order_fingerprints",
    metadata,
    Column("fingerprint", Text, nullable=False),
    Column("order_id", _Id, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("fingerprint", name="pk_order_fingerprints"),
)
Index("ix_order_fingerprints_order", order_fingerprints.c.order_id)

received_events: Final = Table(
    "received_events",
    metadata,
    Column("provider", _Id, nullable=False),
    Column("event_id", _Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("received_at_us", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("order_id", _Id),
    Column("facts", JSON),
    PrimaryKeyConstraint("provider", "event_id", name="pk_received_events"),
    ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_received_events_order"),
)
Index(
    "ix_received_events_unmatched",
    desc(received_events.c.received_at_us),
    desc(received_events.c.provider),
    desc(received_events.c.event_id),
    postgresql_where=text(UNMATCHED),
    sqlite_where=text(UNMATCHED),
)
Index(
    "ix_received_events_to_match",
    received_events.c.received_at_us,
    received_events.c.provider,
    received_events.c.event_id,
    postgresql_where=text(TO_MATCH),
    sqlite_where=text(TO_MATCH),
)
Index(
    "ix_received_events_of_order",
    received_events.c.order_id,
    postgresql_where=text("order_id IS NOT NULL"),
    sqlite_where=text("order_id IS NOT NULL"),
)
Index(
    "ix_received_events_done",
    received_events.c.received_at_us,
    postgresql_where=text(DONE_WITH),
    sqlite_where=text(DONE_WITH),
)

event_records: Final = Table(
    "event_records",
    metadata,
    Column("provider", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("installation", Text, nullable=False),
    # Up to when all of the provider's own record was taken in, by the database's clock.
    Column("taken_in_until_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("provider", "account", "installation", name="pk_event_records"),
)

declare_oauth_tables(metadata)
