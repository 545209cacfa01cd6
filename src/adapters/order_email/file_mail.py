"""Mail that is put into a folder, for tests and for programs that fetch it there."""

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from order_core.errors import NotificationFailed
from order_core.ports.notifier import Notice
from order_email.letter import letter, notice_name
from order_email.message import render
from order_email.sender import Sender


class FileMail:
    """Writes each mail to `<notice id>.eml` in `folder`; a repeat replaces the first.

    A file appears whole or not at all. The folder is made when it is missing.
    """

    def __init__(self, folder: Path, sender: Sender) -> None:
        self.folder = folder
        self._sender = sender

    async def tell(self, notice: Notice, /) -> None:
        mail = letter(notice, render(notice), self._sender)
        try:
            await asyncio.to_thread(self._write, f"{notice_name(notice)}.eml", bytes(mail))
        except OSError as error:
            raise NotificationFailed(f"the mail could not be written: {error.strerror}") from error

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self.folder, prefix=".", suffix=".new", delete=False) as file:
            path = Path(file.name)
            try:
                file.write(content)
                file.flush()
                path.replace(self.folder / name)
            except OSError:
                with suppress(OSError):
                    path.unlink()
                raise

    async def close(self) -> None:
        """Nothing is held."""
