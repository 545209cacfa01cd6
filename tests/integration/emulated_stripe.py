"""`order-core emulate stripe` in a process of its own, and a service that is paid through it."""

import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from order_jwt import issue_token
from tests.integration.service_process import (
    SECRET,
    ServiceProcess,
    command,
    die_with_the_tests,
    environment,
    unused_port,
)


class EmulatedStripe:
    """Listens on `port`, and tells `webhook_url` what happens."""

    def __init__(self, folder: Path) -> None:
        self.port = unused_port()
        self.log = folder / "stripe.log"
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, webhook_url: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command(
                    "emulate", "stripe", "--port", str(self.port), "--webhook-url", webhook_url
                ),
                env=environment(),
                stdout=log,
                stderr=log,
                preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator did not start:\n{self.log.read_text()}")
            time.sleep(0.03)

    def stop(self) -> None:
        self.client.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def _answers(self) -> bool:
        try:
            return self.client.get("/_emulator/ledger").is_success
        except httpx.TransportError:
            return False

    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.client.get("/_emulator/ledger").json()
        return entries

    def moved(self, kind: str) -> int:
        """Minor units of all movements of this kind that really happened."""
        return sum(e["amount"] for e in self.ledger() if e["kind"] == kind and e["moved"])

    def order(self, path: str, what: object) -> None:
        self.client.post(f"/_emulator/{path}", json=what).raise_for_status()


class StripeShop:
    """A service in front of the emulator. `settings` are further ones of the service."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.stripe = EmulatedStripe(folder)
        self.service = ServiceProcess(
            folder,
            **{
                "SANDBOX": "0",
                "SANDBOX_LEDGER": "",
                "STRIPE_API_KEY": "sk_test_emulator",
                "STRIPE_WEBHOOK_SECRET": "whsec_emulator",
                "STRIPE_API_BASE": f"http://127.0.0.1:{self.stripe.port}",
                **settings,
            },
        )
        token = issue_token(SECRET, subject="grace-of-the-shop", scopes=["orders:manage"])
        self.staff = httpx.Client(
            base_url=f"http://127.0.0.1:{self.service.port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=15,
        )

    def __enter__(self) -> Self:
        self.stripe.start(f"http://127.0.0.1:{self.service.port}/api/webhooks/stripe")
        self.service.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.staff.close()
        self.service.__exit__(kind, error, trace)
        self.stripe.stop()
