"""Orders in PostgreSQL and SQLite, through SQLAlchemy."""

from order_sqlalchemy.audit import SqlOrderAudit
from order_sqlalchemy.customer_data import SqlCustomerData
from order_sqlalchemy.database import Database, Figures, open_database
from order_sqlalchemy.leftovers import SqlLeftovers
from order_sqlalchemy.orders import SqlOrders
from order_sqlalchemy.outbox import SqlOutbox
from order_sqlalchemy.revision import NEWEST
from order_sqlalchemy.store import Timeouts
from order_sqlalchemy.upgrade import needs_upgrade, upgrade
from order_sqlalchemy.work_queue import SqlWorkQueue

__all__ = [
    "NEWEST",
    "Database",
    "Figures",
    "SqlCustomerData",
    "SqlLeftovers",
    "SqlOrderAudit",
    "SqlOrders",
    "SqlOutbox",
    "SqlWorkQueue",
    "Timeouts",
    "needs_upgrade",
    "open_database",
    "upgrade",
]
