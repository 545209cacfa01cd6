"""Connections of somebody who means no good, over bare sockets."""

import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FULL_SIZE: Final = os.environ.get("ATTACK_SIZE") == "full"
"""`make attack`: sizes of real attacks, in place of small ones that find the same mistakes."""


def sized(small: int, full: int) -> int:
    return full if FULL_SIZE else small


@dataclass
class Hostile:
    """All connections are closed at the end."""

    port: int
    open: ExitStack = field(default_factory=ExitStack)

    def connect(self, *, receive_buffer: int | None = None) -> socket.socket:
        connection = self.open.enter_context(socket.socket())
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(5)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def say(self, *words: bytes) -> socket.socket:
        """A new connection on which `words` were sent."""
        connection = self.connect()
        for each in words:
            connection.sendall(each)
        return connection

    def ask(self, request: bytes, *, seconds: float = 5) -> bytes:
        return heard(self.say(request), seconds)


@contextmanager
def hostile(port: int) -> Iterator[Hostile]:
    attacker = Hostile(port)
    with attacker.open:
        yield attacker


def heard(connection: socket.socket, seconds: float = 5) -> bytes:
    """What comes until the server closes, or for so long."""
    deadline = time.monotonic() + seconds
    answer = b""
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            some = connection.recv(65_536)
        except TimeoutError:
            break
        except ConnectionResetError:
            return answer + CLOSED
        if not some:
            return answer + CLOSED
        answer += some
    return answer


CLOSED: Final = b"<closed>"
"""Stands after the last byte if the server closed the connection."""


def statuses(answers: bytes) -> list[int]:
    """Of each answer, in their order."""
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the process says nothing about its memory")


def seconds_to_live(port: int) -> float:
    """How long somebody else, on a connection of his own, waits for an answer."""
    began = time.monotonic()
    with hostile(port) as nobody_hostile:
        answer = nobody_hostile.ask(
            b"GET /health/live HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", seconds=10
        )
    if statuses(answer) != [200]:
        raise RuntimeError(f"others are not served: {answer!r}")
    return time.monotonic() - began


def connections_we_may_open(wanted: int) -> int:
    """`wanted`, or as many as this machine permits the tests."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = wanted + 500 if hard == resource.RLIM_INFINITY else min(hard, wanted + 500)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, room), hard))
    return min(wanted, max(soft, room) - 500)
