"""Mail that is only shown, for trying things out."""

import sys
from typing import TextIO

from order_core.errors import NotificationFailed
from order_core.ports.notifier import Notice
from order_email.letter import recipient
from order_email.message import render
from order_email.one_line import one_line
from order_email.sender import Sender


class ConsoleMail:
    """Prints each mail to `stream`, or to the standard output of the moment."""

    def __init__(self, sender: Sender, stream: TextIO | None = None) -> None:
        self._sender = sender
        self._stream = stream

    async def tell(self, notice: Notice, /) -> None:
        to, message = recipient(notice), render(notice)
        head = f"From: {self._sender}\nTo: {to.addr_spec}\nSubject: {message.subject}"
        self._print(f"--- mail {one_line(notice.id)} ---\n{head}\n\n{message.text.rstrip()}\n---\n")

    def _print(self, text: str) -> None:
        stream = self._stream or sys.stdout
        encoding = stream.encoding or "utf-8"
        try:
            # Not every terminal has every letter, and a mail should not fail for that.
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except (OSError, ValueError) as error:
            raise NotificationFailed("the mail could not be printed") from error

    async def close(self) -> None:
        """Nothing is held."""
