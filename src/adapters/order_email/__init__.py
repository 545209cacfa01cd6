"""Customers told by e-mail.

`order_email.http_mail` has the channel that loads an HTTP client.
"""

from order_email.channel import Mail
from order_email.console_mail import ConsoleMail
from order_email.file_mail import FileMail
from order_email.message import Message, render
from order_email.opening import open_mail
from order_email.sender import Sender
from order_email.smtp_mail import SmtpMail, SmtpServer, StartTls

__all__ = [
    "ConsoleMail",
    "FileMail",
    "Mail",
    "Message",
    "Sender",
    "SmtpMail",
    "SmtpServer",
    "StartTls",
    "open_mail",
    "render",
]
