"""Schema migrations (Alembic). `Database.open` runs them; nobody has to."""
