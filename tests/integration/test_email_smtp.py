"""Mail handed to a real SMTP server on this machine, and to ones that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports.notifier import Notice, Notifier
from order_email import Sender, SmtpMail, SmtpServer, StartTls
from order_memory.contracts import NotifierContract
from order_memory.contracts.samples import a_placed_order

SHOP = Sender.parse("Mug Shop <orders@mugs.example>")
NIGHT = datetime(2026, 6, 2, 23, 45, tzinfo=UTC)


def a_notice(order_id: str, *, email: str = "dora@example.com") -> Notice:
    order = a_placed_order(NIGHT, order_id=order_id)
    return Notice(order, order.news[-1], email)


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Postbox:
    """Takes mail, or answers as it was told to."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answer_to_recipient = "250 OK"
        self.answer_to_data = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.answer_to_data.startswith("250"):
            self.envelopes.append(envelope)
        return self.answer_to_data

    def mails(self) -> list[EmailMessage]:
        contents = [envelope.content for envelope in self.envelopes]
        return [
            message_from_bytes(content, policy=default)
            for content in contents
            if isinstance(content, bytes)
        ]


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def controller(postbox: Postbox) -> Iterator[Controller]:
    # aiosmtpd connects to its own port to see whether it runs, so it must know which it is.
    server = Controller(postbox, hostname="127.0.0.1", port=a_free_port(), enable_SMTPUTF8=True)
    server.start()
    yield server
    if server.server is not None:
        server.stop()


@pytest.fixture
def mail(controller: Controller) -> SmtpMail:
    return SmtpMail(SmtpServer("127.0.0.1", controller.port), SHOP, seconds=5)


class TestSmtpMail(NotifierContract):
    @pytest.fixture
    async def notifier(self, mail: SmtpMail, postbox: Postbox, controller: Controller) -> Notifier:
        self.postbox, self.controller = postbox, controller
        return mail

    async def recipients(self) -> tuple[str, ...]:
        return tuple(mail["To"].addresses[0].addr_spec for mail in self.postbox.mails())

    async def break_the_channel(self) -> None:
        self.controller.stop()


async def test_a_mail_arrives_in_both_forms_with_its_headers(
    mail: SmtpMail, postbox: Postbox
) -> None:
    await mail.tell(a_notice("o-501"))

    (arrived,) = postbox.mails()
    assert arrived["Subject"] == "Thank you for your order: o-501"
    assert arrived["From"] == "Mug Shop <orders@mugs.example>"
    assert arrived["Message-ID"] == "<o-501.2@mugs.example>"
    assert arrived["X-Order-Event"] == "order_placed"
    assert [part.get_content_type() for part in arrived.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert "Kanalstraße 1" in arrived.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert postbox.envelopes[0].mail_from == "orders@mugs.example"
    assert postbox.envelopes[0].rcpt_tos == ["dora@example.com"]


async def test_a_repeat_is_recognisable_by_its_message_id(mail: SmtpMail, postbox: Postbox) -> None:
    notice = a_notice("o-502")
    await mail.tell(notice)
    await mail.tell(replace(notice, attempts=1))

    first, again = postbox.mails()
    assert first["Message-ID"] == again["Message-ID"] == "<o-502.2@mugs.example>"
    assert postbox.envelopes[0].content == postbox.envelopes[1].content


async def test_an_address_in_another_script_arrives_where_the_server_takes_it(
    mail: SmtpMail, postbox: Postbox
) -> None:
    await mail.tell(a_notice("o-503", email="zoë@bücher.example"))

    assert postbox.envelopes[0].rcpt_tos == ["zoë@xn--bcher-kva.example"]
    assert postbox.envelopes[0].smtp_utf8


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 No such user", NotificationRefused),
        ("553 no such mailbox", NotificationRefused),
        ("451 4.3.0 Come again", NotificationFailed),
        ("452 too many", NotificationFailed),
        ("530 5.7.0 Authentication required", NotificationFailed),
        ("554 5.7.1 Relay access denied", NotificationFailed),
    ],
)
async def test_a_recipient_is_refused_only_if_the_server_means_the_address_for_good(
    mail: SmtpMail, postbox: Postbox, answer: str, error: type[Exception]
) -> None:
    postbox.answer_to_recipient = answer

    with pytest.raises(error, match=answer):
        await mail.tell(a_notice("o-504"))

    assert postbox.envelopes == []


@pytest.mark.parametrize("answer", ["451 try later", "554 no thank you"])
async def test_a_mail_that_is_not_taken_has_failed(
    mail: SmtpMail, postbox: Postbox, answer: str
) -> None:
    postbox.answer_to_data = answer

    with pytest.raises(NotificationFailed, match=answer):
        await mail.tell(a_notice("o-505"))


async def test_nobody_listening_has_failed() -> None:
    mail = SmtpMail(SmtpServer("127.0.0.1", a_free_port()), SHOP, seconds=5)

    with pytest.raises(NotificationFailed, match="was not reached"):
        await mail.tell(a_notice("o-506"))


async def test_a_bad_address_never_reaches_the_server(mail: SmtpMail, postbox: Postbox) -> None:
    with pytest.raises(NotificationRefused, match="the customer's address"):
        await mail.tell(a_notice("o-507", email="dora@example.com>\r\nRCPT TO:<all@example.com"))

    assert postbox.envelopes == []


async def test_starttls_that_is_required_and_not_offered_sends_nothing(
    controller: Controller, postbox: Postbox
) -> None:
    server = SmtpServer(
        "127.0.0.1",
        controller.port,
        start_tls=StartTls.REQUIRED,
        user="shop",
        password="pass-of-the-shop",
    )

    with pytest.raises(NotificationFailed) as failure:
        await SmtpMail(server, SHOP, seconds=5).tell(a_notice("o-508"))

    assert "pass-of-the-shop" not in str(failure.value)
    assert postbox.envelopes == []


# aiosmtpd warns of passwords in the clear, which nobody but this machine hears here.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize(("password", "arrives"), [("right-one", True), ("wrong-one", False)])
async def test_a_wrong_password_has_failed_and_is_not_shown(
    postbox: Postbox, password: str, *, arrives: bool
) -> None:
    def check(
        _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == b"right-one", handled=False)

    server = Controller(
        postbox,
        hostname="127.0.0.1",
        port=a_free_port(),
        authenticator=check,
        auth_required=True,
        auth_require_tls=False,
    )
    server.start()
    try:
        mail = SmtpMail(
            SmtpServer("127.0.0.1", server.port, user="shop", password=password), SHOP, seconds=5
        )
        if arrives:
            await mail.tell(a_notice("o-509"))
        else:
            with pytest.raises(NotificationFailed, match="535") as failure:
                await mail.tell(a_notice("o-509"))
            assert password not in str(failure.value)
    finally:
        server.stop()

    assert len(postbox.envelopes) == arrives


@asynccontextmanager
async def a_server_that(*answers: bytes) -> AsyncIterator[int]:
    """Greets, then gives one answer to each line, the last of which may be silence for ever."""

    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        in_letter = False
        left = list(answers)
        writer.write(left.pop(0))
        while line := await reader.readline():
            if in_letter and line != b".\r\n":
                continue
            in_letter = line == b"DATA\r\n"
            if left:
                writer.write(left.pop(0))
        writer.close()

    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        # A connection that outlives its event loop would complain in a later test.
        await asyncio.gather(*talks)


@pytest.mark.parametrize(
    "answers",
    [
        [b""],
        [b"220 hello\r\n"],
        [b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n"],
        [b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"],
    ],
    ids=["greeting", "ehlo", "recipient", "data"],
)
async def test_a_server_that_falls_silent_has_failed_in_time(answers: list[bytes]) -> None:
    async with a_server_that(*answers) as port:
        mail = SmtpMail(SmtpServer("127.0.0.1", port), SHOP, seconds=0.3)

        async with asyncio.timeout(5):
            with pytest.raises(NotificationFailed, match=r"within 0\.3 seconds"):
                await mail.tell(a_notice("o-510"))


async def test_a_mail_that_was_taken_is_delivered_though_the_farewell_is_not_answered() -> None:
    answers = [b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"]
    async with a_server_that(*answers, b"250 taken\r\n") as port, asyncio.timeout(10):
        await SmtpMail(SmtpServer("127.0.0.1", port), SHOP, seconds=3).tell(a_notice("o-511"))


@pytest.mark.parametrize("greeting", [b"garbage\r\n", b"554 go away\r\n", b"\xff\xfe\r\n"])
async def test_a_server_that_talks_nonsense_has_failed(greeting: bytes) -> None:
    async with a_server_that(greeting) as port:
        with pytest.raises(NotificationFailed):
            await SmtpMail(SmtpServer("127.0.0.1", port), SHOP, seconds=1).tell(a_notice("o-512"))


async def test_an_address_in_another_script_is_refused_where_the_server_cannot_take_it() -> None:
    async with a_server_that(b"220 hello\r\n", b"250 hello\r\n") as port:
        mail = SmtpMail(SmtpServer("127.0.0.1", port), SHOP, seconds=5)

        with pytest.raises(NotificationRefused, match="not ASCII"):
            await mail.tell(a_notice("o-513", email="zoë@example.com"))
