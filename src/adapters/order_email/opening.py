"""The channel that a mail address (in the sense of a URL) stands for."""

from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from order_email.channel import Mail
from order_email.console_mail import ConsoleMail
from order_email.file_mail import FileMail
from order_email.sender import Sender
from order_email.smtp_mail import SmtpMail, SmtpServer, StartTls

_FORMS: Final = (
    "console:, file:FOLDER, smtp://[USER:PASSWORD@]HOST[:PORT][?starttls=required|offered|off], "
    "smtps://[USER:PASSWORD@]HOST[:PORT] or https://[USER:TOKEN@]HOST[:PORT]/PATH"
)
_RELAY_PORT: Final = 25
_SUBMISSION_PORT: Final = 587
_SMTPS_PORT: Final = 465


def open_mail(url: str, sender: str) -> Mail:
    """The channel for `url`, which sends as `sender` (`Shop <orders@shop.example>`).

    Passwords are percent-encoded, as everywhere in URLs. With a password, `smtp://` to
    another machine demands STARTTLS unless told otherwise; `http://` (in the clear) is only
    for this machine.

    Raises:
        ValueError: a URL or sender that makes no sense. The text never repeats the URL,
            which may hold a password.
    """
    known = Sender.parse(sender)
    if url == "console:":
        return ConsoleMail(known)
    if url.startswith("file:"):
        return FileMail(_folder(url), known)
    if not url.isprintable() or " " in url:
        raise ValueError("the mail URL has a space or a control character in it")
    try:
        parts = urlsplit(url)
        # Both are read here because reading them is what finds a broken one.
        _, host = parts.port, parts.hostname
    except ValueError:
        raise ValueError("the mail URL has a host or port that cannot be read") from None
    if parts.scheme not in {"smtp", "smtps", "http", "https"}:
        raise ValueError(f"the mail URL must be {_FORMS}")
    if not host:
        raise ValueError("the mail URL names no host")
    if parts.fragment:
        raise ValueError("the mail URL has a # in it; in a password, write it as %23")
    if parts.scheme in {"smtp", "smtps"}:
        return SmtpMail(_server(parts, host), known)
    return _http_mail(parts, host, known)


def _folder(url: str) -> Path:
    path = url.removeprefix("file:")
    if path.startswith("//"):
        if not path.startswith("///"):
            raise ValueError("file:// is followed by an absolute path: file:///var/mail")
        path = path.removeprefix("//")
    if not path or "\0" in path:
        raise ValueError("file: is followed by a folder: file:outbox")
    return Path(path)


def _server(parts: SplitResult, host: str) -> SmtpServer:
    if parts.path not in {"", "/"}:
        raise ValueError("an smtp URL has no path")
    user, password = _credentials(parts) or (None, None)
    encrypted = parts.scheme == "smtps"
    default = _SMTPS_PORT if encrypted else _SUBMISSION_PORT if user else _RELAY_PORT
    return SmtpServer(
        host=host,
        port=parts.port or default,
        tls=encrypted,
        start_tls=_start_tls(parts, host, with_password=user is not None),
        user=user,
        password=password,
    )


def _start_tls(parts: SplitResult, host: str, *, with_password: bool) -> StartTls:
    options = parse_qsl(parts.query, keep_blank_values=True)
    match options:
        case [] if parts.scheme == "smtps":
            return StartTls.OFF
        case []:
            local = _is_this_machine(host)
            return StartTls.REQUIRED if with_password and not local else StartTls.OFFERED
        case [("starttls", choice)] if parts.scheme == "smtp" and choice in set(StartTls):
            return StartTls(choice)
        case _:
            raise ValueError(
                "the only option of an smtp URL is starttls=required, offered or off, "
                "and an smtps URL has none"
            )


def _http_mail(parts: SplitResult, host: str, sender: Sender) -> Mail:
    # Here and not above: it takes longer to load than all other channels together.
    import httpx  # noqa: PLC0415

    from order_email.http_mail import HttpMail  # noqa: PLC0415

    if parts.scheme == "http" and not _is_this_machine(host):
        raise ValueError("mail over http is only for this machine; use https")
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        httpx.URL(bare)
    except httpx.InvalidURL:
        raise ValueError("the mail URL cannot be read") from None
    return HttpMail(httpx.AsyncClient(), bare, sender, auth=_credentials(parts))


def _credentials(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is None and parts.password is None:
        return None
    if not parts.username or not parts.password:
        raise ValueError("the mail URL has a user without a password, or the reverse")
    return unquote(parts.username), unquote(parts.password)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
