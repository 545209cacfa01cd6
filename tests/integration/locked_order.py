"""Somebody else holds the row of an order in PostgreSQL, and does not let go."""

import asyncpg


class LockedOrder:
    """From entering to leaving, whoever saves this order waits."""

    def __init__(self, url: str, order_id: str) -> None:
        self._url = url
        self._order_id = order_id

    async def __aenter__(self) -> None:
        self._connection = await asyncpg.connect(self._url.replace("+asyncpg", ""))
        self._transaction = self._connection.transaction()
        await self._transaction.start()
        await self._connection.execute(
            "SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", self._order_id
        )

    async def __aexit__(self, *_: object) -> None:
        await self._transaction.rollback()
        await self._connection.close()
