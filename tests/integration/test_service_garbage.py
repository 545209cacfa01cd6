"""Nobody waits while a serving process looks through all that it is made of."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.integration.service_process import SECRET, environment, unused_port

_ONE: Final = """
import asyncio, gc, os, signal
from order_cli import one_process
from order_wiring.configuration import read_configuration
from order_wiring.settings import SERVING

def listening():
    print(gc.get_freeze_count(), len(gc.get_objects()))
    os.kill(os.getpid(), signal.SIGTERM)

settings = read_configuration(os.environ, SERVING)
asyncio.run(one_process.serve(settings, with_worker=False, when_listening=listening))
"""

_ONE_OF_MANY: Final = """
import asyncio, gc
from order_cli.many_processes import worker_process_without_worker

words = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

async def receive():
    return next(words)

async def send(said):
    if said["type"] == "lifespan.startup.complete":
        print(gc.get_freeze_count(), len(gc.get_objects()))

asyncio.run(worker_process_without_worker()({"type": "lifespan", "state": {}}, receive, send))
"""


@pytest.mark.parametrize("program", [_ONE, _ONE_OF_MANY], ids=["one process", "one of many"])
def test_what_is_loaded_is_no_garbage_to_look_for(program: str, tmp_path: Path) -> None:
    settings = {
        "SANDBOX": "1",
        "PRICES": "trust",
        "JWT_SECRET": SECRET,
        "PORT": str(unused_port()),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'orders.sqlite3'}",
    }

    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    frozen, looked_at = map(int, done.stdout.split())
    assert frozen > 50_000
    assert looked_at < frozen / 10
