"""Mail that is printed, and mail that is put into a folder."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports.notifier import Notice, Notifier
from order_email import ConsoleMail, FileMail, Sender
from order_memory.contracts import NotifierContract
from order_memory.contracts.samples import a_placed_order

SHOP = Sender.parse("Shop <orders@shop.example>")
EVENING = datetime(2026, 5, 20, 19, 30, tzinfo=UTC)


def a_notice(order_id: str, *, email: str = "cy@example.com") -> Notice:
    order = a_placed_order(EVENING, order_id=order_id)
    return Notice(order, order.news[-1], email)


class Full(io.StringIO):
    """A standard output whose reader has gone."""

    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


class TestFileMail(NotifierContract):
    @pytest.fixture
    async def notifier(self, tmp_path: Path) -> Notifier:
        self.folder = tmp_path / "mails"
        return FileMail(self.folder, SHOP)

    async def recipients(self) -> tuple[str, ...]:
        files = sorted(self.folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return tuple(
            message_from_bytes(file.read_bytes(), policy=default)["To"].addresses[0].addr_spec
            for file in files
        )

    async def break_the_channel(self) -> None:
        self.folder.write_text("a file where the folder should be")


class TestConsoleMail(NotifierContract):
    @pytest.fixture
    async def notifier(self) -> Notifier:
        self.screen = io.StringIO()
        return ConsoleMail(SHOP, self.screen)

    async def recipients(self) -> tuple[str, ...]:
        lines = self.screen.getvalue().splitlines() if not self.screen.closed else []
        return tuple(line.removeprefix("To: ") for line in lines if line.startswith("To: "))

    async def break_the_channel(self) -> None:
        self.screen.close()


async def test_a_printed_mail_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    await ConsoleMail(SHOP).tell(a_notice("o-31"))

    printed = capsys.readouterr().out
    assert printed.startswith(
        "--- mail o-31.2 ---\n"
        "From: Shop <orders@shop.example>\n"
        "To: cy@example.com\n"
        "Subject: Thank you for your order: o-31\n"
        "\n"
        "Thank you for your order\n"
    )
    assert "  2 x mug, 12.50 EUR each: 25.00 EUR\n" in printed


async def test_a_terminal_without_a_letter_shows_its_number() -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    await ConsoleMail(SHOP, screen).tell(a_notice("o-32"))

    screen.seek(0)
    assert "Kanalstra\\xdfe 1" in screen.read()


async def test_a_print_that_nobody_takes_has_failed() -> None:
    with pytest.raises(NotificationFailed, match="could not be printed"):
        await ConsoleMail(SHOP, Full()).tell(a_notice("o-33"))


async def test_a_printed_order_cannot_command_the_terminal() -> None:
    screen = io.StringIO()

    await ConsoleMail(SHOP, screen).tell(a_notice("o-\x1b[2J\x9b34"))

    assert "\x1b" not in screen.getvalue()
    assert "\x9b" not in screen.getvalue()


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_a_repeat_replaces_the_file_of_the_first(tmp_path: Path) -> None:
    mail, notice = FileMail(tmp_path, SHOP), a_notice("o-35")
    await mail.tell(notice)
    first = (tmp_path / "o-35.2.eml").read_bytes()

    await mail.tell(replace(notice, attempts=1))

    assert names_in(tmp_path) == ["o-35.2.eml"]
    assert (tmp_path / "o-35.2.eml").read_bytes() == first


async def test_an_order_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    await FileMail(tmp_path / "mails", SHOP).tell(a_notice("../../o-36"))

    assert names_in(tmp_path) == ["mails", "mails/..%2F..%2Fo-36.2.eml"]


async def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "o-37.2.eml").mkdir()

    with pytest.raises(NotificationFailed, match="could not be written"):
        await FileMail(tmp_path, SHOP).tell(a_notice("o-37"))

    assert names_in(tmp_path) == ["o-37.2.eml"]


@pytest.mark.parametrize("channel", ["console", "file"])
async def test_an_address_that_is_none_is_refused(tmp_path: Path, channel: str) -> None:
    mail = ConsoleMail(SHOP) if channel == "console" else FileMail(tmp_path, SHOP)

    with pytest.raises(NotificationRefused, match="the customer's address"):
        await mail.tell(a_notice("o-38", email="cy@example.com\nBcc: all@example.com"))

    assert names_in(tmp_path) == []
