"""The shop's catalogue in a file, read again when it changes."""

import asyncio
import logging
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from order_core.order_item import OrderItem
from order_core.price_check import check_prices
from order_core.quotes import Quotes
from order_prices.catalogue import Catalogue, CatalogueInvalid, read_catalogue

LARGEST_FILE: Final = 32 * 1_024**2
"""Bytes. A larger file is not read."""
LOOK_EVERY_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 5.0
"""How long an order waits for a changed file; then the prices that were read last hold."""
_NS: Final = 1_000_000_000
_YOUNG_NS: Final = 4 * _NS
"""Twice as coarsely as any file system counts time: a younger file may change unseen."""

_log: Final = logging.getLogger("order_core.prices")

Stamp = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The file as it was when it was read."""

    stamp: Stamp | None
    """None: so young that another writing may leave the same stamp."""
    written: bytes


class CatalogueFilePrices:
    """Sells what the file at `path` says, to everybody. Keeps the port `Prices`.

    The file is read when this is made, and again when an order comes after it has changed;
    it is looked at once a second at most. A file that is wrong, half written or gone changes
    nothing but the log: the prices that were read last stay.

    Raises:
        CatalogueInvalid: the file cannot be read, or holds a mistake.
    """

    def __init__(
        self,
        path: Path,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._path = path
        self._monotonic = monotonic
        self._patience_seconds = patience_seconds
        reading = _read(path)
        self._catalogue = read_catalogue(reading.written)
        self._stamp = reading.stamp
        self._digest = sha256(reading.written).digest()
        self._refused_digest = b""
        self._complaint = ""
        self._looks_from = monotonic() + LOOK_EVERY_SECONDS
        self._looking: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._catalogue)

    async def verify(
        self,
        items: tuple[OrderItem, ...],
        /,
        *,
        customer_id: str,  # noqa: ARG002 - everybody pays the same here
        quotes: Quotes,  # noqa: ARG002 - the catalogue needs no proof
    ) -> None:
        await self._look_again()
        catalogue = self._catalogue
        check_prices(items, lambda item: catalogue.prices_of(item.product_id))

    async def _look_again(self) -> None:
        # Who comes while somebody looks does not wait: a large file takes its time.
        if self._looking is not None or self._monotonic() < self._looks_from:
            return
        # Its own task, as a disk that hangs may hold it for longer than an order can wait, and
        # must hold one thread only.
        self._looking = looking = asyncio.create_task(self._adopt_change(), name="catalogue-look")
        await asyncio.wait({looking}, timeout=self._patience_seconds)
        if looking.done():
            looking.result()
        else:
            self._complain(f"has not been read after {self._patience_seconds:g} seconds")

    async def _adopt_change(self) -> None:
        try:
            changed = await asyncio.to_thread(self._look)
        finally:
            self._looking = None
            self._looks_from = self._monotonic() + LOOK_EVERY_SECONDS
        if changed is not None:
            self._catalogue = changed
            _log.info("the catalogue was read again: %d prices", len(changed))

    def _look(self) -> Catalogue | None:
        """The new catalogue, if there is one that can be used."""
        try:
            if self._stamp is not None and _stamp(self._path.stat()) == self._stamp:
                return None
            reading = _read(self._path)
        except (OSError, CatalogueInvalid) as error:
            self._complain(str(error))
            return None
        return self._understood(reading)

    def _understood(self, reading: _Reading) -> Catalogue | None:
        digest = sha256(reading.written).digest()
        if digest == self._refused_digest:
            return None
        try:
            changed = None if digest == self._digest else read_catalogue(reading.written)
        except CatalogueInvalid as error:
            self._refused_digest = digest
            self._complain(str(error))
            return None
        self._refused_digest, self._complaint = b"", ""
        self._stamp, self._digest = reading.stamp, digest
        return changed

    def _complain(self, because: str) -> None:
        # Once for each mistake: the file is looked at every second, for as long as it is wrong.
        if because != self._complaint:
            self._complaint = because
            _log.error("the catalogue cannot be used, and the prices read last stay: %s", because)


def _read(path: Path) -> _Reading:
    try:
        # A pipe would let the service wait for somebody to write.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - Path.open takes no flags
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise CatalogueInvalid(["is not a file"])
            written = file.read(LARGEST_FILE + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise CatalogueInvalid([f"cannot be read ({error.strerror})"]) from None
    if len(written) > LARGEST_FILE:
        raise CatalogueInvalid([f"is larger than {LARGEST_FILE} bytes"])
    if _stamp(before) != _stamp(after):
        raise CatalogueInvalid(["was written while it was read"])
    is_old = time.time_ns() - after.st_mtime_ns > _YOUNG_NS
    return _Reading(_stamp(after) if is_old else None, written)


def _stamp(status: os.stat_result) -> Stamp:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
