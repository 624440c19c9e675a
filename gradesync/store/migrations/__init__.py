"""The store's schema, step by step, for Alembic; run by `gradesync.store.schema` and by nothing else."""
