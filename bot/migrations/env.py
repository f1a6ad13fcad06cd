"""Alembic's entry: run the migrations on the connection that `Database.open` hands over."""

from alembic import context

from bot.storage import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables, render_as_batch=True)
context.run_migrations()
