"""One request and its answer, on their way past the rules that hold for all of them."""

from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from order_http.access_log import AccessLog
from order_http.address_limit import AddressLimit
from order_http.answer_pace import PIECE, AnswerPace
from order_http.body_limit import BodyLimit, BoundedBody
from order_http.cors import Cors
from order_http.first_headers import first_of
from order_http.header_limits import HeaderLimits
from order_http.request_id import RAW_HEADER, request_id_of
from order_http.security_headers import guards_of
from order_http.trusted_proxies import TrustedProxies

_START: Final = "http.response.start"
_BODY: Final = "http.response.body"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every address; None where it is switched off."""

    proxies: TrustedProxies
    headers: HeaderLimits
    body: BodyLimit
    pace: AnswerPace
    log: AccessLog
    cors: Cors | None
    addresses: AddressLimit | None


class Exchange:
    """Holds what the rules must know of a request until it is answered.

    One object for all of them: as ASGI applications one around the other, each with a `send` and
    a `receive` of its own, they cost several times what they do.
    """

    __slots__ = (
        "_body",
        "_given_up",
        "_receive",
        "_rules",
        "_send",
        "first",
        "has_limits",
        "request_id",
        "scope",
        "status",
    )

    def __init__(self, rules: Rules, scope: Scope, receive: Receive, send: Send) -> None:
        self._rules = rules
        self._receive = receive
        self._send = send
        self._body: BoundedBody | None = None
        self._given_up = False
        self.scope = rules.proxies.told(scope)
        self.first = first_of(self.scope["headers"])
        self.request_id = request_id_of(self.first)
        self.has_limits = False
        """Whether the answer says what is left of them, and counts as a failure if it is one."""
        self.status: int | None = None
        """Of the answer, once it begins."""

    async def receive(self) -> Message:
        """For whoever reads the body."""
        if self._body is None:
            self._body = BoundedBody(self._rules.body, self._receive)
        return await self._body.receive()

    def release_body(self) -> None:
        """Nobody reads it any more."""
        if self._body is not None:
            self._body.release()

    async def send(self, message: Message) -> None:
        """For whoever answers."""
        if self._given_up:
            return
        if message["type"] == _START:
            await self._begin(message)
            return
        body = message.get("body", b"")
        if self.scope["method"] == "HEAD" and message["type"] == _BODY:
            # Not every server drops it; the next answer on the connection would be lost in it.
            # Content-Length stays that of the GET.
            if not message.get("more_body", False):
                await self._send({**message, "body": b""})
        elif len(body) <= PIECE:
            await self._send(message)
        else:
            self._given_up = not await self._rules.pace.hand_out(message, self._send)

    async def _begin(self, start: Message) -> None:
        rules, scope = self._rules, self.scope
        self.status = status = start["status"]
        headers = start.get("headers", ())
        if self.has_limits and rules.addresses is not None:
            headers = await rules.addresses.answered(scope, self.first, status, headers)
        if rules.cors is not None:
            start["headers"] = headers
            await rules.cors.allow(start, scope)
            headers = start["headers"]
        named = [pair for pair in headers if pair[0] != RAW_HEADER]
        guards = guards_of(scope.get("scheme", ""), named)
        start["headers"] = [*named, *guards, (RAW_HEADER, self.request_id.encode())]
        await self._send(start)
