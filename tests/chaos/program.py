"""One `order-core` in a process of its own, which is killed and started again."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from tests.integration.service_process import command, die_with_the_tests, environment

ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 90
_END_SECONDS: Final = 20
_TRIES: Final = 5


class Program:
    """`order-core ARGUMENTS`. `answers_at` is an address that tells when it is ready.

    With `hours_ahead`, its clock runs ahead of this machine's from its next start on.
    """

    def __init__(
        self,
        name: str,
        *arguments: str,
        settings: Mapping[str, str],
        log: Path,
        answers_at: str | None = None,
    ) -> None:
        self.name = name
        self.hours_ahead = 0.0
        self._arguments = arguments
        self._settings = settings
        self._log = log
        self._answers_at = answers_at
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Come back once it answers.

        Raises:
            RuntimeError: it does not, with the end of its log.
        """
        for _ in range(_TRIES):
            self._spawn()
            if await self._is_ready():
                return
            # A database that is just being killed lets nobody start. That is no fault.
            self.kill()
            await asyncio.sleep(1)
        raise RuntimeError(f"{self.name} did not start:\n{self.log()[-4000:]}")

    def _spawn(self) -> None:
        started = command(*self._arguments)
        if self.hours_ahead:
            module = ("-m", "tests.chaos.hours_ahead", str(self.hours_ahead))
            started = [sys.executable, *module, *self._arguments]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                started,
                env=environment(**self._settings),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
            )

    async def _is_ready(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            while time.monotonic() < deadline:
                if self.has_ended:
                    return False
                if self._answers_at is None:
                    return True
                try:
                    if (await client.get(self._answers_at)).is_success:
                        return True
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        return False

    @property
    def has_ended(self) -> bool:
        """Whether it is not running, for whatever reason."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_SECONDS)
            self._process = None

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""
