"""What the issuer of tokens keeps: its clients, what it granted, and its signing keys."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add three tables; nothing that was there changes."""
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("may_act_for_customers", sa.Boolean(), nullable=False),
        sa.Column("secret_digest", sa.Text(), nullable=False),
        sa.Column("old_secret_digest", sa.Text(), nullable=True),
        sa.Column("old_secret_until_us", sa.BigInteger(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_clients"),
        sa.CheckConstraint("length(secret_digest) = 64", name="ck_oauth_clients_digest"),
        sa.CheckConstraint(
            "(old_secret_digest IS NULL) = (old_secret_until_us IS NULL)",
            name="ck_oauth_clients_old_secret_whole",
        ),
    )
    op.create_table(
        "oauth_grants",
        sa.Column("family_digest", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("rotations", sa.Integer(), nullable=False),
        sa.Column("granted_at_us", sa.BigInteger(), nullable=False),
        sa.Column("idle_until_us", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("family_digest", name="pk_oauth_grants"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oauth_clients.id"], name="fk_oauth_grants_client", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "length(family_digest) = 64 AND length(token_digest) = 64",
            name="ck_oauth_grants_digests",
        ),
        sa.CheckConstraint("rotations >= 0", name="ck_oauth_grants_rotations"),
        sa.CheckConstraint(
            "granted_at_us <= idle_until_us AND idle_until_us <= ends_at_us",
            name="ck_oauth_grants_times",
        ),
        sa.CheckConstraint(
            "(revoked_at_us IS NULL) = (revoked_because IS NULL)",
            name="ck_oauth_grants_revoked_whole",
        ),
    )
    op.create_index(
        "ix_oauth_grants_of_subject", "oauth_grants", ["client_id", "subject", "granted_at_us"]
    )
    op.create_index("ix_oauth_grants_to_prune", "oauth_grants", ["idle_until_us"])
    op.create_table(
        "oauth_signing_keys",
        sa.Column("wrapped_by", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("wrapped_private_key", sa.Text(), nullable=False),
        sa.Column("signs_from_us", sa.BigInteger(), nullable=False),
        sa.Column("signs_until_us", sa.BigInteger(), nullable=False),
        sa.Column("published_until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("wrapped_by", "generation", name="pk_oauth_signing_keys"),
        sa.UniqueConstraint("kid", name="uq_oauth_signing_keys_kid"),
        sa.CheckConstraint("generation >= 1", name="ck_oauth_signing_keys_generation"),
        sa.CheckConstraint(
            "signs_from_us <= signs_until_us AND signs_until_us <= published_until_us",
            name="ck_oauth_signing_keys_times",
        ),
    )
