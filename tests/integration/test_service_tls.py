"""HTTPS by the service itself: what is spoken, what is refused, how a certificate is renewed."""

import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.integration.hostile import CLOSED, FULL_SIZE, hostile, sized
from tests.integration.service_process import ServiceProcess, run_command
from tests.unit.own_certificates import OwnCertificate, own_certificate

pytestmark = pytest.mark.xdist_group("service-tls")


class TlsService(ServiceProcess):
    """`order-core serve` with a certificate of its own, and a client that believes it."""

    def __init__(self, folder: Path, certificate: OwnCertificate, **settings: str) -> None:
        super().__init__(folder)
        self.settings = {**self.settings, **certificate.settings, **settings}
        self.certificate = certificate
        plain, self.client = self.client, httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers=self.client.headers,
            verify=ssl.create_default_context(cafile=str(certificate.cert_file)),
            timeout=15,
        )  # fmt: skip
        plain.close()

    def handshake(self, **versions: ssl.TLSVersion | str) -> tuple[str, str, str | None]:
        """Version, cipher and protocol that a client with these limits agrees on."""
        client = ssl.create_default_context(cafile=str(self.certificate.cert_file))
        client.set_alpn_protocols(["h2", "http/1.1"])
        for name, value in versions.items():
            if name == "ciphers":
                client.set_ciphers(str(value))
            else:
                setattr(client, name, value)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection,
            client.wrap_socket(connection, server_hostname="127.0.0.1") as secure,
        ):
            cipher = secure.cipher()
            assert cipher is not None
            return secure.version() or "", cipher[0], secure.selected_alpn_protocol()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsService]:
    folder: Path = tmp_path_factory.mktemp("tls")
    with TlsService(folder, own_certificate(folder)) as running:
        yield running


def test_the_service_speaks_https_and_insists_on_it(service: TlsService) -> None:
    answer = service.client.get("/api/orders/")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert f"listening on https://127.0.0.1:{service.port}" in service.log.read_text()


def test_only_modern_tls_is_spoken(service: TlsService) -> None:
    version, cipher, protocol = service.handshake()
    assert (version, protocol) == ("TLSv1.3", "http/1.1")
    version, cipher, _ = service.handshake(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"
    assert "GCM" in cipher or "POLY1305" in cipher
    for without_aead in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"):
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            service.handshake(maximum_version=ssl.TLSVersion.TLSv1_2, ciphers=without_aead)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(service: TlsService, version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        service.handshake(
            minimum_version=version, maximum_version=version, ciphers="ALL:@SECLEVEL=0"
        )


def test_plain_http_gets_no_answer(service: TlsService) -> None:
    with hostile(service.port) as attacker:
        answer = attacker.ask(b"GET /health/live HTTP/1.1\r\nHost: shop\r\n\r\n")
    assert b"HTTP/" not in answer
    assert answer.endswith(CLOSED)


def test_handshakes_that_never_begin_keep_nobody_out(service: TlsService) -> None:
    with hostile(service.port) as attacker:
        for number in range(sized(300, 3_000)):
            attacker.say(b"\x16\x03\x01" if number % 2 else b"")
        began = time.monotonic()
        assert service.handshake()[0] == "TLSv1.3"
        assert service.client.get("/health/live").is_success
        assert time.monotonic() - began < 2


def test_a_certificate_that_has_ended_stops_the_start(tmp_path: Path) -> None:
    over = own_certificate(tmp_path, begins=timedelta(days=-9), ends=timedelta(days=-1))
    switched_on = {"PRICES": "trust", "SANDBOX": "1", "JWT_SECRET": "s" * 32}
    refused = run_command("serve", **switched_on, **over.settings, HOST="0.0.0.0")  # noqa: S104
    assert refused.returncode == 2
    assert "ORDER_CORE_TLS_CERT_FILE: ended at" in refused.stderr


def serial(port: int) -> str:
    """Which certificate is shown."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=5)


@pytest.mark.skipif(not FULL_SIZE, reason="it starts six processes: make attack")
def test_a_signal_renews_the_certificate_but_never_to_a_broken_one(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, name="shown")
    with TlsService(tmp_path, first, WORKERS="2") as service:
        assert service.process
        old = serial(service.port)
        whole, key = first.cert_file.read_bytes(), first.key_file.read_bytes()
        first.cert_file.write_bytes(whole[:100])
        os.kill(service.process.pid, signal.SIGHUP)
        wait_until(lambda: "the old certificate stays" in service.log.read_text())
        assert serial(service.port) == old

        own_certificate(tmp_path, name="shown")
        assert first.key_file.read_bytes() != key
        os.kill(service.process.pid, signal.SIGHUP)
        renewed = first.cert_file.read_text()
        wait_until(lambda: all(serial(service.port).split() == renewed.split() for _ in range(8)))
        assert service.stop() == 0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
