"""The store: what was recorded, runs, leases, history and ledger, on SQLite, on PostgreSQL and in RAM.

Importing this room costs next to nothing: SQLAlchemy is imported when a store is opened, Alembic when its schema
must change, psycopg for PostgreSQL alone. No decision about schedules, grades or rosters is made here.
"""
