"""The machine's own clock."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """The time as the operating system tells it, and asyncio's sleep."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float, /) -> None:
        await asyncio.sleep(seconds)
