"""The ports that `order-core` takes: two processes that start at once never share one."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from order_cli.listening import free_port, refuse_taken_port
from order_wiring.mistakes import CannotStart
from tests.integration.service_process import run_command, unused_port

HOST = "127.0.0.1"
CLAIM = """
import sys
from order_cli.listening import refuse_taken_port
refuse_taken_port("127.0.0.1", int(sys.argv[1]))
print("claimed", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process_that_will_listen(port: int) -> Iterator[None]:
    claiming = [sys.executable, "-c", CLAIM, str(port)]
    with subprocess.Popen(claiming, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"claimed\n"
        yield
        other.communicate()


def test_a_port_is_taken_from_the_moment_at_which_another_process_decided_for_it() -> None:
    port = unused_port()

    with another_process_that_will_listen(port):
        with pytest.raises(CannotStart, match=f":{port}: Address already in use"):
            refuse_taken_port(HOST, port)
        assert free_port(HOST, port) > port

    refuse_taken_port(HOST, port)


def test_a_port_on_which_something_else_listens_is_taken() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotStart, match=f":{port}: Address already in use"):
            refuse_taken_port(HOST, port)
        assert free_port(HOST, port) > port


@pytest.mark.parametrize(
    ("command", "chosen_with"),
    [(("demo",), "--port"), (("emulate", "stripe"), "--host and --port")],
)
def test_a_command_that_takes_its_port_as_an_option_names_the_option(
    command: tuple[str, ...], chosen_with: str
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        finished = run_command(*command, "--port", str(taken.getsockname()[1]))

    assert finished.returncode == 1
    assert finished.stderr.endswith(f"in use. Another address is set with {chosen_with}\n")


def test_the_demo_listens_where_other_services_would() -> None:
    with socket.create_server((HOST, 0)) as taken:
        finished = run_command("demo", PORT=str(taken.getsockname()[1]))
    refused = run_command("demo", PORT="many")

    assert finished.stderr.endswith("in use. Another address is set with ORDER_CORE_PORT\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "ORDER_CORE_PORT: " in refused.stderr


def test_a_process_may_look_twice_at_the_port_that_it_took() -> None:
    port = free_port(HOST, unused_port())

    refuse_taken_port(HOST, port)
    assert free_port(HOST, port) == port
