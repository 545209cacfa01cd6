"""How Alembic runs our steps: on the connection that `upgrade` opened, in its transaction."""

from alembic import context

from order_sqlalchemy.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
