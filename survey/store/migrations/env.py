"""Run by alembic: applies migrations on the connection it is handed."""

from __future__ import annotations

from alembic import context

from survey.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
