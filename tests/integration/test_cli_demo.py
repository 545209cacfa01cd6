"""`order-core demo`, as somebody would use it who has just heard of it."""

import json
import re
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.service_process import (
    command,
    die_with_the_tests,
    environment,
    unused_port,
)


@dataclass(frozen=True)
class Demo:
    process: subprocess.Popen[bytes]
    folder: Path
    output: Path

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + 15
        while not (found := re.search(pattern, self.output.read_text(), re.MULTILINE)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} in:\n{self.output.read_text()}")
            time.sleep(0.05)
        return found


@contextmanager
def playing(tmp_path: Path, *arguments: str) -> Iterator[Demo]:
    folder, output = tmp_path / "playground", tmp_path / "output"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            command("demo", "--dir", str(folder), "--port", str(unused_port()), *arguments),
            env=environment(PRICES="nonsense of another shell"),
            stdout=terminal,
            stderr=terminal,
            preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
        )
    try:
        yield Demo(process, folder, output)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with playing(tmp_path) as demo:
        yield demo


def run_line(line: str) -> tuple[str, dict[str, Any]]:
    """The status line, and the body."""
    answer = subprocess.run(
        shlex.split(line), check=True, capture_output=True, text=True, timeout=20
    ).stdout
    head, _, body = answer.partition("\n\n")
    return head.partition("\n")[0], json.loads(body)


@pytest.mark.parametrize("provider", ["stripe", "paypal", "square"])
def test_the_demo_of_a_provider_pays_declines_and_waits_as_it_says(
    tmp_path: Path, provider: str
) -> None:
    with playing(tmp_path, "--provider", provider) as demo:
        line = demo.wait_for(r"^curl .*$").group()
        pays = re.search(rf'"{provider}:[^"]+"', line)
        declined = demo.wait_for(rf'the buyer\'s card is declined +the same with ("{provider}:.+")')
        waits = demo.wait_for(rf'the same with ("{provider}:[^"]+"); then')
        assert pays
        paid = run_line(line)
        refused = run_line(line.replace(pays[0], declined[1]))
        opened = run_line(line.replace(pays[0], waits[1]))
        decide = demo.wait_for(r"^ +(curl \S+/_emulator/act .+)$")[1]
        address = line.split()[2].replace("/create", f"/{opened[1]['order_id']}")
        seen_by_staff = _seen(address, demo.wait_for(r"^export STAFF=(\S+)$")[1])
        reference = _reference(seen_by_staff)
        subprocess.run(shlex.split(decide.replace("REFERENCE", reference)), check=True)
        token = demo.wait_for(r"^export TOKEN=(\S+)$")[1]
        status = _settled(address, token)

    assert (paid[0], paid[1]["payment"]["status"]) == ("HTTP/1.1 201 Created", "paid")
    assert refused[0] == "HTTP/1.1 402 Payment Required"
    assert opened[0] == "HTTP/1.1 202 Accepted"
    assert status == "pending"


def _reference(order: dict[str, Any]) -> str:
    action = order["payment"].get("action", {})
    if "client_secret" in action:
        return str(action["client_secret"].partition("_secret")[0])
    if "url" in action:
        return str(action["url"].rpartition("=")[2])
    return str(order["transactions"][0]["provider_reference"])


def _seen(address: str, token: str) -> dict[str, Any]:
    order: dict[str, Any] = httpx.get(address, headers={"Authorization": f"Bearer {token}"}).json()
    return order


def _settled(address: str, token: str) -> str:
    deadline = time.monotonic() + 15
    while True:
        status = str(_seen(address, token)["status"])
        if status != "awaiting_payment" or time.monotonic() > deadline:
            return status
        time.sleep(0.1)


def test_the_printed_line_places_an_order_and_the_mail_appears(demo: Demo) -> None:
    line = demo.wait_for(r"^curl .*$").group()

    answer = subprocess.run(
        shlex.split(line), check=True, capture_output=True, text=True, timeout=20
    ).stdout

    head, _, body = answer.partition("\n\n")
    assert head.startswith("HTTP/1.1 201")
    order = json.loads(body)
    assert order["status"] == "pending"
    demo.wait_for(r"^To: ada@example\.com$")
    assert order["order_id"] in demo.output.read_text()


def test_the_demo_keeps_its_secret_from_other_users_and_stops_at_once(demo: Demo) -> None:
    token = demo.wait_for(r"^export TOKEN=(\S+)$").group(1)
    secret = demo.folder / "jwt-secret"

    demo.process.send_signal(signal.SIGINT)

    assert demo.process.wait(10) == 0
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text() not in demo.output.read_text()
    assert token.count(".") == 2
    assert "Traceback" not in demo.output.read_text()
