"""Mail handed to an HTTP service, over a scripted wire and over a real socket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports.notifier import Notice, Notifier
from order_email import Sender, open_mail
from order_email.http_mail import HttpMail
from order_memory.contracts import NotifierContract
from order_memory.contracts.samples import a_placed_order

SHOP = Sender.parse("Tea Shop <orders@tea.example>")
DAWN = datetime(2026, 7, 3, 4, 5, tzinfo=UTC)
URL = "https://mail.example/v1/send"


def a_notice(order_id: str, *, email: str = "emil@example.com") -> Notice:
    order = a_placed_order(DAWN, order_id=order_id)
    return Notice(order, order.news[-1], email)


class MailService:
    """Keeps what it is sent, once for each key, and answers with `status`."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.requests: list[httpx.Request] = []
        self.kept: dict[str, str] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.status < 300:
            self.kept.setdefault(
                request.headers["Idempotency-Key"], json.loads(request.content)["to"]
            )
        return httpx.Response(self.status, headers={"Location": "https://elsewhere.example/"})


def mail_to(wire: Callable[[httpx.Request], httpx.Response]) -> HttpMail:
    client = httpx.AsyncClient(transport=httpx.MockTransport(wire))
    return HttpMail(client, URL, SHOP, auth=("key-7", "token-of-the-shop"), seconds=2)


class TestHttpMail(NotifierContract):
    @pytest.fixture
    async def notifier(self) -> Notifier:
        self.service = MailService()
        return mail_to(self.service)

    async def recipients(self) -> tuple[str, ...]:
        return tuple(self.service.kept.values())

    async def break_the_channel(self) -> None:
        self.service.status = 503


async def test_a_mail_is_posted_with_everything_the_service_needs() -> None:
    service = MailService()

    await mail_to(service).tell(a_notice("o-601"))

    (request,) = service.requests
    body = json.loads(request.content)
    credentials = base64.b64encode(b"key-7:token-of-the-shop").decode()
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["Idempotency-Key"] == "o-601.2"
    assert request.headers["Authorization"] == f"Basic {credentials}"
    assert {name: body[name] for name in ("id", "from", "to", "subject")} == {
        "id": "o-601.2",
        "from": "Tea Shop <orders@tea.example>",
        "to": "emil@example.com",
        "subject": "Thank you for your order: o-601",
    }
    assert body["text"].startswith("Thank you for your order\n")
    assert body["html"].startswith("<!DOCTYPE html>")
    assert set(body) == {"id", "from", "to", "subject", "text", "html"}


async def test_a_repeat_has_the_key_of_the_first() -> None:
    service, notice = MailService(), a_notice("o-602")
    mail = mail_to(service)

    await mail.tell(notice)
    await mail.tell(replace(notice, attempts=1))

    first, again = service.requests
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
    assert first.content == again.content


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_2xx_is_a_delivery(status: int) -> None:
    service = MailService(status)

    await mail_to(service).tell(a_notice("o-603"))

    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, NotificationRefused),
        (404, NotificationRefused),
        (413, NotificationRefused),
        (422, NotificationRefused),
        (401, NotificationFailed),
        (403, NotificationFailed),
        (408, NotificationFailed),
        (409, NotificationFailed),
        (425, NotificationFailed),
        (429, NotificationFailed),
        (500, NotificationFailed),
        (503, NotificationFailed),
        (302, NotificationFailed),
        (307, NotificationFailed),
        (304, NotificationFailed),
    ],
)
async def test_an_answer_refuses_the_mail_only_if_it_is_about_the_mail(
    status: int, error: type[Exception]
) -> None:
    service = MailService(status)

    with pytest.raises(error, match=f"the mail service answered {status}") as caught:
        await mail_to(service).tell(a_notice("o-604"))

    assert "token-of-the-shop" not in str(caught.value)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("no"),
        httpx.ReadError("no"),
        httpx.RemoteProtocolError("no"),
        httpx.ReadTimeout("no"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_broken_connection_has_failed(error: httpx.HTTPError) -> None:
    def broken(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(NotificationFailed):
        await mail_to(broken).tell(a_notice("o-605"))


async def test_a_bad_address_is_never_posted() -> None:
    service = MailService()

    with pytest.raises(NotificationRefused, match="the customer's address"):
        await mail_to(service).tell(a_notice("o-606", email="emil@example.com\nx"))

    assert service.requests == []


@asynccontextmanager
async def a_service_that(
    behaves: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]],
) -> AsyncIterator[int]:
    """A raw server on this machine; every caller must have gone before it ends."""
    calls: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.add(asyncio.create_task(behaves(reader, writer)))

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server, asyncio.timeout(5):
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*calls)


async def test_a_service_that_does_not_answer_has_failed_in_time() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with a_service_that(silence) as port:
        mail = HttpMail(httpx.AsyncClient(), f"http://127.0.0.1:{port}/", SHOP, seconds=0.3)
        with pytest.raises(NotificationFailed, match=r"within 0\.3 seconds"):
            await mail.tell(a_notice("o-607"))
        await mail.close()


async def test_an_endless_answer_is_not_read() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"5\r\nagain\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()

    async with a_service_that(endless) as port:
        mail = open_mail(f"http://user:token@127.0.0.1:{port}/", str(SHOP))
        await mail.tell(a_notice("o-608"))
        await mail.close()


async def test_nobody_listening_has_failed() -> None:
    async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    mail = open_mail(f"http://127.0.0.1:{port}/", str(SHOP))

    with pytest.raises(NotificationFailed, match="was not reached"):
        await mail.tell(a_notice("o-609"))
    await mail.close()
