"""Mail over connections that are encrypted from the start, or from STARTTLS on."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from order_core.errors import NotificationFailed
from order_core.ports.notifier import Notice
from order_email import Sender, SmtpMail, SmtpServer, StartTls
from order_memory.contracts.samples import a_placed_order

SHOP = Sender.parse("orders@lamps.example")
AFTERNOON = datetime(2026, 8, 14, 16, 20, tzinfo=UTC)


class Witness:
    """Remembers how each mail came."""

    def __init__(self) -> None:
        self.encrypted: list[bool] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, session: Session, _envelope: Envelope
    ) -> str:
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that its own key has signed, in one file with that key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def check(
    _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object
) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.password == b"lamp-light", handled=False)


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def port(certificate: Path, witness: Witness) -> Iterator[int]:
    """Of a server that takes a password, and only after STARTTLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    server = Controller(
        witness,
        hostname="127.0.0.1",
        port=free,
        tls_context=context,
        require_starttls=True,
        authenticator=check,
        auth_required=True,
    )
    server.start()
    yield free
    server.stop()


def a_notice(order_id: str) -> Notice:
    order = a_placed_order(AFTERNOON, order_id=order_id)
    return Notice(order, order.news[-1], "fay@example.com")


def mail_to(port: int, start_tls: StartTls) -> SmtpMail:
    server = SmtpServer("127.0.0.1", port, False, start_tls, "shop", "lamp-light")
    return SmtpMail(server, SHOP, seconds=5)


@pytest.mark.parametrize("start_tls", [StartTls.REQUIRED, StartTls.OFFERED])
async def test_starttls_is_used_where_the_server_offers_it(
    port: int,
    certificate: Path,
    witness: Witness,
    start_tls: StartTls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    await mail_to(port, start_tls).tell(a_notice("o-701"))

    assert witness.encrypted == [True]


@pytest.mark.parametrize("start_tls", [StartTls.REQUIRED, StartTls.OFFERED])
async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    port: int, witness: Witness, start_tls: StartTls
) -> None:
    with pytest.raises(NotificationFailed) as failure:
        await mail_to(port, start_tls).tell(a_notice("o-702"))

    assert "lamp-light" not in str(failure.value)
    assert witness.encrypted == []
