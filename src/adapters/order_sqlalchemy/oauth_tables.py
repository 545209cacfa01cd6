"""The tables of the issuer of tokens: its clients, what it granted, and the keys it signs with.

No secret and no token is in them, only SHA-256 digests in hexadecimal. Private keys are
encrypted before they come here.
"""

from typing import Final

from sqlalchemy import (
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
)

_DIGEST: Final = 64


def declare_oauth_tables(metadata: MetaData) -> None:
    """Add them to `metadata`."""
    Table(
        "oauth_clients",
        metadata,
        Column("id", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("may_act_for_customers", Boolean, nullable=False),
        Column("secret_digest", Text, nullable=False),
        # The secret of before a rotation, for as long as it is accepted.
        Column("old_secret_digest", Text),
        Column("old_secret_until_us", BigInteger),
        Column("created_at_us", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name="pk_oauth_clients"),
        CheckConstraint(f"length(secret_digest) = {_DIGEST}", name="ck_oauth_clients_digest"),
        CheckConstraint(
            "(old_secret_digest IS NULL) = (old_secret_until_us IS NULL)",
            name="ck_oauth_clients_old_secret_whole",
        ),
    )
    _declare_grants(metadata)
    Table(
        "oauth_signing_keys",
        metadata,
        # Which secret opens the private key: processes that are given another one make their
        # own keys, and all of them are published.
        Column("wrapped_by", Text, nullable=False),
        Column("generation", Integer, nullable=False),
        Column("kid", Text, nullable=False),
        Column("public_key", Text, nullable=False),
        Column("wrapped_private_key", Text, nullable=False),
        Column("signs_from_us", BigInteger, nullable=False),
        Column("signs_until_us", BigInteger, nullable=False),
        Column("published_until_us", BigInteger, nullable=False),
        # Two processes that see at once that a key is due make one, not two.
        PrimaryKeyConstraint("wrapped_by", "generation", name="pk_oauth_signing_keys"),
        UniqueConstraint("kid", name="uq_oauth_signing_keys_kid"),
        CheckConstraint("generation >= 1", name="ck_oauth_signing_keys_generation"),
        CheckConstraint(
            "signs_from_us <= signs_until_us AND signs_until_us <= published_until_us",
            name="ck_oauth_signing_keys_times",
        ),
    )


def _declare_grants(metadata: MetaData) -> None:
    # A family of refresh tokens is one row: rotating changes it, and nothing grows.
    grants = Table(
        "oauth_grants",
        metadata,
        Column("family_digest", Text, nullable=False),
        Column("token_digest", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("rotations", Integer, nullable=False),
        Column("granted_at_us", BigInteger, nullable=False),
        Column("idle_until_us", BigInteger, nullable=False),
        Column("ends_at_us", BigInteger, nullable=False),
        Column("revoked_at_us", BigInteger),
        Column("revoked_because", Text),
        PrimaryKeyConstraint("family_digest", name="pk_oauth_grants"),
        ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name="fk_oauth_grants_client", ondelete="CASCADE"
        ),
        CheckConstraint(
            f"length(family_digest) = {_DIGEST} AND length(token_digest) = {_DIGEST}",
            name="ck_oauth_grants_digests",
        ),
        CheckConstraint("rotations >= 0", name="ck_oauth_grants_rotations"),
        CheckConstraint(
            "granted_at_us <= idle_until_us AND idle_until_us <= ends_at_us",
            name="ck_oauth_grants_times",
        ),
        CheckConstraint(
            "(revoked_at_us IS NULL) = (revoked_because IS NULL)",
            name="ck_oauth_grants_revoked_whole",
        ),
    )
    Index(
        "ix_oauth_grants_of_subject", grants.c.client_id, grants.c.subject, grants.c.granted_at_us
    )
    Index("ix_oauth_grants_to_prune", grants.c.idle_until_us)
