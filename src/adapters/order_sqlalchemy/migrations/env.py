"""How Alembic runs our steps: on the connection that `upgrade` opened."""

from alembic import context

from order_sqlalchemy.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    # On SQLite all of them are in the transaction that is open already.
    transaction_per_migration=not connection.in_transaction(),
)
with context.begin_transaction():
    context.run_migrations()
