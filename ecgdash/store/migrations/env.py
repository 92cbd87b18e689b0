"""Run by Alembic; takes the open connection that `ecgdash.store.engine` hands over.

The caller has begun the transaction, so the whole way from the old schema to
the new one is kept or lost as one.
"""

from alembic import context

from ecgdash.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
