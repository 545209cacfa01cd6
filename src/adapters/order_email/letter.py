"""A message in its envelope: the headers that mail needs, the same for each delivery."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from hashlib import sha256
from urllib.parse import quote

from order_core.errors import NotificationRefused
from order_core.ports.notifier import Notice
from order_email.address import split_address
from order_email.message import Message
from order_email.sender import Sender


def recipient(notice: Notice) -> Address:
    """Where the notice goes.

    Raises:
        NotificationRefused: no mail can be addressed like that.
    """
    try:
        local_part, domain = split_address(notice.email)
    except ValueError as problem:
        raise NotificationRefused(f"the customer's address {problem}") from None
    return Address("", local_part, domain)


def letter(notice: Notice, message: Message, sender: Sender) -> EmailMessage:
    """The mail, byte for byte the same however often it is delivered.

    Its `Message-ID` lets mail programs show a repeat only once.

    Raises:
        NotificationRefused: no mail can be addressed like that.
    """
    to = recipient(notice)
    mail = EmailMessage(SMTP if to.username.isascii() else SMTPUTF8)
    mail["From"] = sender.header
    mail["To"] = to
    mail["Subject"] = message.subject
    mail["Date"] = notice.happened.at
    mail["Message-ID"] = f"<{notice_name(notice)}@{sender.domain}>"
    mail["X-Order-Event"] = notice.happened.event.name
    # Keeps holiday answers from coming back (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{sha256(notice.id.encode()).hexdigest()[:32]}")
    return mail


def notice_name(notice: Notice) -> str:
    """The notice's id, in characters that a header and a file name can hold."""
    return quote(notice.id, safe="")
