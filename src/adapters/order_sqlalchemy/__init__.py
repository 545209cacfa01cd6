"""Orders in PostgreSQL and SQLite, through SQLAlchemy."""
