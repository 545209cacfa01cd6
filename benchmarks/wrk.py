"""The load generator: wrk, from the system or from Debian's archive, and what it reports."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 32
_HERE: Final = Path(__file__).parent
_KEPT: Final = _HERE.parent / "build" / "wrk"
_PACKAGES: Final = ("wrk", "libluajit-5.1-2", "libluajit-5.1-common")


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask for. `rate` is requests a second; 0 is as many as are answered."""

    mode: str
    path: str
    token: str
    payment_method: str = "none"
    ids: Path = Path(os.devnull)
    rate: float = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it; `errors` are answers of 400 and more, and broken connections."""

    requests: int
    seconds: float
    errors: int
    p50_us: int
    p99_us: int

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class LoadGeneratorMissing(Exception):
    """There is no wrk, and Debian's archive cannot be reached either."""


def press(
    port: int, load: Load, *, seconds: int, seed: str, connections: int = CONNECTIONS
) -> Measured:
    """Ask the service on `port` for `seconds`; `seed` makes the orders differ from all others.

    Raises:
        LoadGeneratorMissing: there is no wrk.
    """
    program, environment = _wrk()
    command = [
        *(program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"),
        *("-s", str(_HERE / "load.lua"), f"http://127.0.0.1:{port}", "--"),
        *(load.mode, load.path, load.token, str(load.rate), seed),
        *(str(load.ids), load.payment_method),
    ]
    told = subprocess.run(  # noqa: S603 - arguments of ours
        command, env=environment, check=True, capture_output=True, text=True, timeout=seconds + 60
    ).stdout
    return Measured(**json.loads(told.splitlines()[-1]))


def _wrk() -> tuple[str, dict[str, str]]:
    if installed := shutil.which("wrk"):
        return installed, dict(os.environ)
    program = _KEPT / "usr" / "bin" / "wrk"
    if not program.exists():
        _fetch()
    libraries = next((_KEPT / "usr" / "lib").glob("*/libluajit-5.1.so.2")).parent
    return str(program), os.environ | {"LD_LIBRARY_PATH": str(libraries)}


def _fetch() -> None:
    _KEPT.mkdir(parents=True, exist_ok=True)
    try:
        _run(["apt-get", "download", "-qq", *_PACKAGES])
        for package in _KEPT.glob("*.deb"):
            _run(["dpkg", "-x", package.name, "."])
    except (OSError, subprocess.CalledProcessError) as error:
        raise LoadGeneratorMissing(
            "wrk is not installed, and could not be taken from Debian's archive "
            f"({error}): apt-get install wrk"
        ) from error


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=_KEPT, check=True, capture_output=True)  # noqa: S603 - as above
