"""Which mail URLs mean what, and that none of them is repeated in a complaint."""

import re
from pathlib import Path

import pytest

from order_email import (
    ConsoleMail,
    FileMail,
    Sender,
    SmtpMail,
    SmtpServer,
    StartTls,
    open_mail,
)
from order_email.http_mail import HttpMail

SENDER = "Shop <orders@shop.example>"


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("console:", ConsoleMail),
        ("file:outbox", FileMail),
        ("file:///var/outbox", FileMail),
        ("smtp://mail.shop.example", SmtpMail),
        ("smtps://mail.shop.example:4650", SmtpMail),
        ("https://mail.shop.example/v1/send", HttpMail),
        ("https://key:token@mail.shop.example", HttpMail),
        ("http://127.0.0.1:8025/send", HttpMail),
        ("http://[::1]:8025/send", HttpMail),
        ("http://localhost/send", HttpMail),
    ],
)
async def test_the_scheme_chooses_the_channel(url: str, channel: type[object]) -> None:
    mail = open_mail(url, SENDER)

    assert type(mail) is channel
    await mail.close()
    await mail.close()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://relay.example", SmtpServer("relay.example", 25)),
        ("smtp://relay.example:2525/", SmtpServer("relay.example", 2525)),
        (
            "smtp://relay.example?starttls=required",
            SmtpServer("relay.example", 25, start_tls=StartTls.REQUIRED),
        ),
        (
            "smtp://shop:p%40ss%2Fword@relay.example",
            SmtpServer(
                "relay.example",
                587,
                start_tls=StartTls.REQUIRED,
                user="shop",
                password="p@ss/word",
            ),
        ),
        (
            "smtp://shop:secret@relay.example?starttls=offered",
            SmtpServer("relay.example", 587, user="shop", password="secret"),
        ),
        (
            "smtp://shop:secret@127.0.0.1:1025",
            SmtpServer("127.0.0.1", 1025, user="shop", password="secret"),
        ),
        (
            "smtps://shop:secret@relay.example",
            SmtpServer(
                "relay.example",
                465,
                tls=True,
                start_tls=StartTls.OFF,
                user="shop",
                password="secret",
            ),
        ),
    ],
)
def test_an_smtp_url_says_where_and_how_mail_is_handed_in(url: str, server: SmtpServer) -> None:
    mail = open_mail(url, SENDER)

    assert isinstance(mail, SmtpMail)
    assert mail.server == server


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("", "the mail URL must be console:, file:FOLDER"),
        ("mail.example", "the mail URL must be"),
        ("ftp://u:hunter2@mail.example", "the mail URL must be"),
        ("console:x", "the mail URL must be"),
        ("file:", "followed by a folder"),
        ("file://host/x", "absolute path"),
        ("smtp://", "names no host"),
        ("smtp:mail.example", "names no host"),
        ("smtp://u:hunter2@", "names no host"),
        ("smtp://mail.example:port", "cannot be read"),
        ("smtp://u:hunter2@mail.example:99999", "cannot be read"),
        ("smtp://u:hunter2@[::1", "cannot be read"),
        ("smtp://u:hunter2@mail.example/path", "has no path"),
        ("smtp://u:hunter2@mail.example?starttls=maybe", "starttls=required, offered or off"),
        ("smtp://u:hunter2@mail.example?tls=1", "starttls=required, offered or off"),
        ("smtps://u:hunter2@mail.example?starttls=off", "an smtps URL has none"),
        ("smtp://u@mail.example", "a user without a password"),
        ("smtp://:hunter2@mail.example", "a user without a password"),
        ("smtp://u:hunter2@mail.example#x", "%23"),
        ("smtp://u:hunter2@mail.example\n", "control character"),
        ("smtp://u:hunter 2@mail.example", "a space"),
        ("http://u:hunter2@mail.example/send", "use https"),
        ("http://10.0.0.1/send", "use https"),
        ("http://localhost.evil.example/send", "use https"),
        ("https:///send", "names no host"),
        ("https://u:hunter2@1.2.3.999/send", "cannot be read"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused_without_its_password(url: str, because: str) -> None:
    with pytest.raises(ValueError, match=re.escape(because)) as caught:
        open_mail(url, SENDER)

    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["smtp://shop:hunter2@relay.example", "https://shop:hunter2@relay.example/send"]
)
async def test_no_channel_shows_its_password(url: str) -> None:
    mail = open_mail(url, SENDER)

    assert "hunter2" not in repr(mail)
    assert "hunter2" not in repr(SmtpServer("h", 25, user="u", password="hunter2"))
    await mail.close()


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("orders@shop.example", "", "orders@shop.example"),
        ("Shop <orders@shop.example>", "Shop", "orders@shop.example"),
        ('"Mugs, Inc." <orders@shop.example>', "Mugs, Inc.", "orders@shop.example"),
        ("Käthe <orders@bücher.example>", "Käthe", "orders@xn--bcher-kva.example"),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(text: str, name: str, address: str) -> None:
    sender = Sender.parse(text)

    assert (sender.name, sender.address) == (name, address)
    assert Sender.parse(str(sender)) == sender


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Shop",
        "Shop <>",
        "<orders@shop.example",
        "orders@shop.example, more@shop.example",
        "orders@shop.example\nBcc: all@example.com",
        "örders@shop.example",
        "orders@",
        "friends: orders@shop.example, more@shop.example;",
    ],
)
def test_a_sender_that_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        open_mail("console:", text)


async def test_a_relative_folder_is_taken_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mail = open_mail("file:mails/out", SENDER)

    assert isinstance(mail, FileMail)
    assert mail.folder.absolute() == tmp_path / "mails" / "out"
