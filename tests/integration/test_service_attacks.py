"""Somebody means no good; others are served meanwhile, and memory stays bounded.

The service runs as it is installed, in a process of its own. `make attack` plays the same at the
size of real attacks.
"""

import gzip
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ambiguous_requests import (
    EVENT,
    HIDDEN,
    LENGTH_AND_CHUNKS,
    LIVE,
    ambiguous,
)
from tests.integration.hostile import (
    CLOSED,
    Hostile,
    connections_we_may_open,
    heard,
    hostile,
    resident_megabytes,
    seconds_to_live,
    sized,
    statuses,
)
from tests.integration.service_process import ServiceProcess, an_order

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
    pytest.mark.xdist_group("service-attacks"),
    pytest.mark.timeout(180),
]

IDLE = 0.6
PATIENCE = 2.0
"""Seconds that anybody else may have to wait meanwhile; without an attack it is milliseconds."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder: Path = tmp_path_factory.mktemp("attacked")
    with ServiceProcess(folder, IDLE_TIMEOUT=f"{IDLE:g}") as running:
        yield running


@pytest.fixture
def attacker(service: ServiceProcess) -> Iterator[Hostile]:
    with hostile(service.port) as somebody:
        yield somebody
    assert others_wait(service) < PATIENCE


def others_wait(service: ServiceProcess) -> float:
    return seconds_to_live(service.port)


def memory(service: ServiceProcess) -> float:
    assert service.process
    return resident_megabytes(service.process.pid)


# Connections that say little or nothing.


def test_idle_connections_keep_nobody_out(service: ServiceProcess, attacker: Hostile) -> None:
    before = memory(service)
    count = connections_we_may_open(sized(1_000, 10_000))
    idle = [attacker.say(b"GET / HTTP/1.1\r\nX-Slow: ") for _ in range(count)]
    assert others_wait(service) < PATIENCE
    assert service.place(an_order()).status_code == 201
    assert memory(service) - before < 0.04 * count + 20
    assert heard(idle[-1]) == CLOSED
    if count < sized(1_000, 10_000):
        pytest.skip(f"this machine permits only {count} connections; they kept nobody out")


def test_whoever_does_not_finish_is_not_waited_for(attacker: Hostile) -> None:
    began = time.monotonic()
    nothing, a_letter = attacker.connect(), attacker.say(b"G")
    no_end, half_a_header = attacker.say(LIVE), attacker.say(LIVE + b"X: y")
    used = attacker.say(LIVE + b"\r\n")
    dripping = attacker.say(LIVE)
    try:
        while time.monotonic() - began < IDLE + 3:
            dripping.sendall(b"x: y\r\n")
            time.sleep(0.05)
    except OSError:
        pass
    assert IDLE - 0.2 < time.monotonic() - began < IDLE + 2
    for connection in (nothing, a_letter, no_end, half_a_header):
        assert heard(connection, 1) == CLOSED
    answer = heard(used, 1)
    assert statuses(answer) == [200]
    assert answer.endswith(CLOSED)


def test_clients_that_do_not_read_keep_nobody_out(
    service: ServiceProcess, attacker: Hostile
) -> None:
    before = memory(service)
    count = sized(100, 1_000)
    for _ in range(count):
        reader = attacker.connect(receive_buffer=2_048)
        reader.sendall(b"GET /docs/rapidoc.js HTTP/1.1\r\nHost: shop\r\n\r\n" * 5)
    assert others_wait(service) < PATIENCE
    assert memory(service) - before < 0.4 * count + 40


# Requests that are too large.


@pytest.mark.parametrize("size", [45_000, 400_000])
@pytest.mark.parametrize("where", ["line", "one-header", "many-headers"])
def test_what_stands_before_the_body_is_bounded(attacker: Hostile, where: str, size: int) -> None:
    filling = {
        "line": b"GET /" + b"a" * size + b" HTTP/1.1\r\nHost: shop\r\n\r\n",
        "one-header": LIVE + b"X: " + b"a" * size + b"\r\n\r\n",
        "many-headers": LIVE + b"X: 123456\r\n" * (size // 11) + b"\r\n",
    }
    connection = attacker.connect()
    try:
        connection.sendall(filling[where])
    except OSError:
        return  # It hung up before all was said.
    answer = heard(connection, 2)
    assert not statuses(answer) or statuses(answer)[0] in {414, 431}


def test_a_body_without_end_is_cut_off(service: ServiceProcess, attacker: Hostile) -> None:
    before = memory(service)
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    for head in (EVENT, b"POST /nowhere HTTP/1.1\r\nHost: shop\r\n"):
        connection = attacker.say(head + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < 1_000_000_000:
                connection.sendall(chunk)
                sent += 65_536
        except OSError:
            pass
        assert sent < 20_000_000
    assert memory(service) - before < 20


def test_a_body_that_is_too_large_is_told_so(attacker: Hostile) -> None:
    announced = attacker.ask(EVENT + b"Content-Length: 1000000000\r\n\r\n")
    assert statuses(announced) == [413]
    assert announced.endswith(CLOSED)
    chunks = (b"40000\r\n" + b" " * 0x40000 + b"\r\n") * 5
    sent = attacker.say(EVENT + b"Transfer-Encoding: chunked\r\n\r\n", chunks)
    assert statuses(heard(sent, 2)) == [413]


def test_many_bodies_that_stop_before_their_end_stay_within_bounds(
    service: ServiceProcess, attacker: Hostile
) -> None:
    before = memory(service)
    count = sized(150, 1_000)
    body = b" " * 900_000
    for _ in range(count):
        connection = attacker.say(EVENT + b"Content-Length: 1000000\r\n\r\n")
        try:
            connection.sendall(body)
        except OSError:
            continue  # It was turned away already.
    assert others_wait(service) < PATIENCE
    assert service.place(an_order()).status_code == 201
    # 64 MB of large ones, the small part and the sockets' share of each, and what Python keeps.
    assert memory(service) - before < 64 * 2 + 0.15 * count


def test_a_compressed_bomb_is_not_unpacked(service: ServiceProcess, attacker: Hostile) -> None:
    before = memory(service)
    bomb = gzip.compress(b" " * 50_000_000, 1)
    head = (
        b"POST /api/orders/create HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        b"Content-Encoding: gzip\r\nAuthorization: Bearer " + service.token().encode() + b"\r\n"
    )
    answer = attacker.ask(head + b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb)
    assert statuses(answer)[0] == 415
    assert memory(service) - before < 10


# Requests that two readers would read differently.


@pytest.mark.parametrize("shape", ambiguous(EVENT, b""))
def test_a_second_request_cannot_hide_in_the_first(
    service: ServiceProcess, attacker: Hostile, shape: str
) -> None:
    order = json.dumps(an_order(shipping_address=f"behind {shape}")).encode()
    head = (
        b"POST /api/orders/create HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + service.token().encode() + b"\r\n"
    )
    answers = attacker.ask(ambiguous(head, order)[shape] + HIDDEN, seconds=1)
    said = statuses(answers)
    # RFC 9112 lets the chunks overrule the length, and the connection end with the answer.
    assert said == [201] if shape == LENGTH_AND_CHUNKS else all(400 <= each < 500 for each in said)
    assert len(said) <= 1
    assert answers.endswith(CLOSED)


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"TRACE /health/live HTTP/1.1\r\nHost: shop\r\nCookie: s3cret\r\n\r\n", 405),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", 404),
        (b"OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n", 404),
        (b"GET /health/live HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
        (b"GET /api/orders/%00 HTTP/1.1\r\nHost: shop\r\n\r\n", 401),
        (b"GET /api/orders/%ff%zz HTTP/1.1\r\nHost: shop\r\n\r\n", 401),
        (b"GET /health/live HTTP/1.1\r\nHost: shop\r\nHost: evil.example\r\n\r\n", 400),
    ],
    ids=["TRACE", "CONNECT", "OPTIONS-*", "no-host", "encoded-NUL", "no-UTF-8", "two-hosts"],
)
def test_odd_requests_get_a_plain_no(
    attacker: Hostile, request_bytes: bytes, expected: int
) -> None:
    end = b"\r\nConnection: close\r\n\r\n"
    answer = attacker.ask(request_bytes.removesuffix(b"\r\n\r\n") + end)
    assert statuses(answer) == [expected]
    assert b"s3cret" not in answer
    assert b"application/problem+json" in answer


def test_whom_a_proxy_is_asked_for_is_nothing_to_us(attacker: Hostile) -> None:
    """An address that names a host is that address here, as RFC 9112 asks of every server."""
    for path, expected in ((b"/health/live", 200), (b"/nowhere", 404)):
        line = b"GET http://evil.example" + path + b" HTTP/1.1\r\nHost: shop\r\n"
        answer = attacker.ask(line + b"Connection: close\r\n\r\n")
        assert statuses(answer) == [expected]
        assert b"evil" not in answer


def test_pipelined_requests_are_answered_in_their_order(attacker: Hostile) -> None:
    requests = (LIVE + b"\r\n" + b"GET /nowhere HTTP/1.1\r\nHost: shop\r\n\r\n") * 20
    answers = attacker.ask(requests + LIVE + b"Connection: close\r\n\r\n")
    assert statuses(answers) == [200, 404] * 20 + [200]


# Other protocols.


def test_http2_is_not_spoken_so_it_cannot_be_abused(attacker: Hostile) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    assert heard(attacker.say(preface)) == CLOSED


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_nobody_is_upgraded(attacker: Hostile, protocol: bytes) -> None:
    answer = attacker.ask(
        LIVE + b"Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
        b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert statuses(answer) == [200]


def test_what_is_not_http_is_hung_up_on(attacker: Hostile) -> None:
    client_hello = bytes.fromhex("16030100c8010000c40303") + bytes(200)
    for said in (client_hello, b"\x00" * 2_000, b"EHLO shop.example\r\n"):
        assert heard(attacker.say(said)).endswith(CLOSED)


def test_nothing_of_all_this_was_worth_a_stack_trace(service: ServiceProcess) -> None:
    log = service.log.read_text()
    assert "Traceback" not in log
    assert "panicked" not in log
