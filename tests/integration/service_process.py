"""The real `order-core`, in a process of its own that can be killed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from order_jwt import issue_token
from order_sandbox import Movement, SandboxLedger

SECRET: Final = "the-secret-of-all-service-processes-in-tests"
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 20
_PR_SET_PDEATHSIG: Final = 1
_GIVEN_PORTS: Final[set[int]] = set()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "order_cli.main", *arguments]


def environment(**settings: str) -> dict[str, str]:
    """What a process of ours sees: this one's environment, and no setting but `settings`."""
    kept = {
        name: text
        for name, text in os.environ.items()
        # Without compiled modules each start takes three times as long.
        if not name.startswith("ORDER_CORE_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {f"ORDER_CORE_{name}": text for name, text in settings.items()}


def run_command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environment(**settings),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


def unused_port() -> int:
    """One that nobody listens on, and nobody else here may yet.

    Two emulators at one port would take each other's requests, and so take money twice.
    """
    while True:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        if port not in _GIVEN_PORTS:
            _GIVEN_PORTS.add(port)
            return port


def die_with_the_tests() -> None:
    # Runs between fork and exec: a killed test run leaves no service behind.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def an_order(payment: str = "ok", **changes: object) -> dict[str, Any]:
    order: dict[str, Any] = {
        "items": [{"product_id": "kettle-red", "quantity": 2, "price": 39.95}],
        "shipping_address": {
            "name": "Grace Hopper",
            "line1": "3 Admiral's Row",
            "city": "Arlington",
            "postal_code": "22202",
            "country": "US",
        },
        "payment_method": f"sandbox:{payment}",
        "email": "grace@example.com",
    }
    return order | changes


class ServiceProcess:
    """`order-core serve` on a free port, with its data and its log in `folder`.

    It can be started again after it was stopped or killed, on the same data and port.
    """

    def __init__(self, folder: Path, *, arguments: tuple[str, ...] = (), **settings: str) -> None:
        self.arguments = arguments
        self.folder = folder
        self.port = unused_port()
        self.mails = folder / "mails"
        self.log = folder / "service.log"
        self.settings: Mapping[str, str] = {
            "DATABASE_URL": f"sqlite:///{folder / 'orders.sqlite3'}",
            "PORT": str(self.port),
            "PRICES": "trust",
            "SANDBOX": "1",
            "SANDBOX_LEDGER": str(folder / "ledger.sqlite3"),
            "JWT_SECRET": SECRET,
            "MAIL_URL": f"file:{self.mails}",
            "MAIL_FROM": "orders@shop.example",
            "RECOVERY_DELAY": "0.2",
            "DUPLICATE_WINDOW": "0",
            "RATE_LIMIT": "off",
            **settings,
        }
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.token()}"},
            timeout=15,
        )
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        if self.process is not None:
            self.kill()

    @staticmethod
    def token(subject: str = "grace") -> str:
        return issue_token(SECRET, subject=subject, scopes=["orders:read", "orders:write"])

    def start(self) -> None:
        """Come back once the service is ready for requests."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command("serve", *self.arguments),
                env=environment(**self.settings),
                stdout=log,
                stderr=log,
                preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the service did not start:\n{self.log.read_text()}")
            time.sleep(0.03)

    def _ready(self) -> bool:
        try:
            return self.client.get("/health/ready").is_success
        except httpx.TransportError:
            return False

    def answers(self) -> bool:
        """Whether anything still listens."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is None:
            raise RuntimeError("the service is not running")
        self.process.kill()
        self.process.wait(_STOP_SECONDS)
        self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process is None:
            raise RuntimeError("the service is not running")
        self.process.terminate()
        code = self.process.wait(_STOP_SECONDS)
        self.process = None
        return code

    def place(self, order: dict[str, Any], *, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post("/api/orders/create", json=order, headers=headers)

    def order(self, order_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/orders/{order_id}")
        answer.raise_for_status()
        order: dict[str, Any] = answer.json()
        return order

    def wait_for_status(
        self, order_id: str, status: str, *, payment: str | None = None, seconds: float = 10
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            order = self.order(order_id)
            if order["status"] == status and payment in {None, order["payment"]["status"]}:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"still not {status} {payment or ''}: {order}")
            time.sleep(0.05)

    def wait_for_mails(self, count: int) -> list[str]:
        deadline = time.monotonic() + 10
        while len(mails := sorted(self.mails.glob("*.eml"))) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(mails)} mails of {count}:\n{self.log.read_text()}")
            time.sleep(0.05)
        return [mail.read_text() for mail in mails]


def books_of(service: ServiceProcess) -> tuple[Movement, ...]:
    """What the provider has on record, read from its own file."""
    ledger = SandboxLedger(Path(service.settings["SANDBOX_LEDGER"]))
    try:
        return ledger.entries()
    finally:
        ledger.close()
