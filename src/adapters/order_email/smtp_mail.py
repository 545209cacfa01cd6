"""Mail through an SMTP server."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import aiosmtplib

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports.notifier import Notice
from order_email.channel import DELIVERY_SECONDS
from order_email.letter import letter
from order_email.message import render
from order_email.one_line import one_line
from order_email.sender import Sender

_FAREWELL_SECONDS: Final = 2.0
_LONGEST_ANSWER: Final = 200
_FIRST_PERMANENT: Final = 500
_AUTHENTICATION_REQUIRED: Final = 530


class StartTls(StrEnum):
    """When a connection that begins in the clear becomes encrypted."""

    REQUIRED = "required"
    OFFERED = "offered"
    """If the server says that it can; whoever stands in between can keep it from saying so."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. `tls` means encrypted from the first byte."""

    host: str
    port: int
    tls: bool = False
    start_tls: StartTls = StartTls.OFFERED
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class SmtpMail:
    """Hands each mail to `server`, on a connection of its own, within `seconds`.

    A recipient that the server refuses for good (5xx) is refused; whatever else goes wrong
    has failed, and may work later. That includes 530 and 5.7.x, by which servers say that
    they do not know *us*: a wrong password must not lose every mail until it is put right.
    """

    def __init__(
        self, server: SmtpServer, sender: Sender, *, seconds: float = DELIVERY_SECONDS
    ) -> None:
        self.server = server
        self._sender = sender
        self._seconds = seconds

    async def tell(self, notice: Notice, /) -> None:
        mail = letter(notice, render(notice), self._sender)
        client = self._client()
        try:
            async with asyncio.timeout(self._seconds):
                await client.connect()
                await client.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused_or_failed(error.recipients[0]) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise _not_supported(mail["To"]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise NotificationFailed(f"the mail server answered {_shown(error)}") from error
        except TimeoutError as error:
            raise NotificationFailed(
                f"the mail server did not take the mail within {self._seconds:g} seconds"
            ) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotificationFailed(
                f"the mail server was not reached: {type(error).__name__}"
            ) from error
        else:
            # It has the mail. A farewell that goes wrong must not have it sent again.
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_FAREWELL_SECONDS)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self.server
        starts = {StartTls.REQUIRED: True, StartTls.OFFERED: None, StartTls.OFF: False}
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=False if server.tls else starts[server.start_tls],
            username=server.user,
            password=server.password,
            timeout=self._seconds,
        )

    async def close(self) -> None:
        """Nothing is held between mails."""


def _refused_or_failed(
    refusal: aiosmtplib.SMTPRecipientRefused,
) -> NotificationRefused | NotificationFailed:
    answer = f"the mail server answered {_shown(refusal)}"
    about_us = refusal.code == _AUTHENTICATION_REQUIRED or refusal.message.startswith("5.7.")
    if refusal.code >= _FIRST_PERMANENT and not about_us:
        return NotificationRefused(answer)
    return NotificationFailed(answer)


def _not_supported(to: str) -> NotificationRefused | NotificationFailed:
    if not to.isascii():
        return NotificationRefused("the mail server takes no address that is not ASCII")
    return NotificationFailed("the mail server does not support what is asked of it")


def _shown(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {one_line(error.message)[:_LONGEST_ANSWER]}"
