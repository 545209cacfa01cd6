"""Customers told by e-mail."""

from order_email.channel import Mail
from order_email.console_mail import ConsoleMail
from order_email.file_mail import FileMail
from order_email.http_mail import HttpMail
from order_email.message import Message, render
from order_email.opening import open_mail
from order_email.sender import Sender
from order_email.smtp_mail import SmtpMail, SmtpServer, StartTls

__all__ = [
    "ConsoleMail",
    "FileMail",
    "HttpMail",
    "Mail",
    "Message",
    "Sender",
    "SmtpMail",
    "SmtpServer",
    "StartTls",
    "open_mail",
    "render",
]
