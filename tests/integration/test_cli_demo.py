"""`order-core demo`, as somebody would use it who has just heard of it."""

import json
import re
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    folder, output = tmp_path / "playground", tmp_path / "output"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            command("demo", "--dir", str(folder), "--port", str(unused_port())),
            env=environment(PRICES="nonsense of another shell"),
            stdout=terminal,
            stderr=terminal,
            preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
        )
    yield Demo(process, folder, output)
    process.kill()
    process.wait()


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
