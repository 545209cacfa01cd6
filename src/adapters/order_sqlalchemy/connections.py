"""Connections of a pool, handed out in the order in which they were asked for."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from order_core.errors import StoreUnavailable
from order_sqlalchemy.said import said


class NoneFree(StoreUnavailable):
    """All connections are in use, and none was given back in time."""


class Connections:
    """The `size` connections of `engine`, whose own queue is not fair.

    Whoever gives one back and asks again at once would get it before those who wait, and
    under load some would wait for ever. Nobody waits longer than `seconds`.

    SQLAlchemy's pool opens them, and closes what broke. Between two calls they stay here: a way
    through its pool costs as much as everything else that happens around a statement.
    `is_open` says without asking the server whether one that lay here can still be used.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        size: int,
        seconds: float,
        is_open: Callable[[PoolProxiedConnection], bool] = lambda _: True,
    ) -> None:
        self.engine: Final = engine
        self._free: Final = asyncio.Semaphore(size)
        self._seconds: Final = seconds
        self._is_open: Final = is_open
        # The latest used one comes first: it is the likeliest to be open still.
        self._resting: Final[list[PoolProxiedConnection]] = []
        # Of a connection that breaks while it is being opened, the pool lets the driver's own
        # error through.
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error

    async def take(self) -> PoolProxiedConnection:
        """A connection, to be given back whatever happens.

        Raises:
            NoneFree: none was free in time.
            StoreUnavailable: none could be opened.
        """
        await self._wait()
        try:
            while self._resting:
                resting = self._resting.pop()
                if self._is_open(resting):
                    return resting
                _close(resting)
            return await self.engine.raw_connection()
        except (SQLAlchemyError, self._driver_error, sqlite3.Error, OSError) as error:
            self._free.release()
            raise StoreUnavailable(f"There is no connection: {said(error)}.") from error
        except BaseException:
            self._free.release()
            raise

    def give_back(self, connection: PoolProxiedConnection, *, usable: bool = True) -> None:
        """Keep it for the next one, or close it if nobody knows what state it is in."""
        try:
            if usable:
                self._resting.append(connection)
            else:
                _close(connection)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Close all that nobody uses."""
        while self._resting:
            self._resting.pop().close()
        await self.engine.dispose()

    async def _wait(self) -> None:
        if not self._free.locked():
            # The usual case: nobody waits, so this does not either, and needs no timer.
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise NoneFree(f"No connection was free for {self._seconds} s.") from error


def _close(connection: PoolProxiedConnection) -> None:
    connection.invalidate()
    connection.close()
