"""The ASGI application around a pretended provider."""

import dataclasses
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from order_emulators.chassis.call import Answer, Call
from order_emulators.chassis.control import control_routes
from order_emulators.chassis.delivery import Delivery, Post, post_over_http
from order_emulators.chassis.faults import ConnectionCut, Fault, Faults
from order_emulators.chassis.journal import Journal
from order_emulators.chassis.provider import EmulatedProvider, Provision

_LARGEST_BODY: Final = 1_000_000


def build_app(
    provider: EmulatedProvider,
    provision: Provision,
    *,
    post: Post = post_over_http,
    journal: Journal | None = None,
) -> Starlette:
    """The provider behind HTTP, with its faults, its webhooks and the control endpoints."""
    faults = Faults()
    delivery = Delivery(provider, provision, post)
    wire = _Wire(provider, faults, delivery, journal)
    # An instance is mounted as it is: a function would have to return its answer, and so
    # could not end the connection without one.
    everything_else = Route("/{path:path}", wire)
    return Starlette(routes=[*control_routes(provider, faults, delivery, journal), everything_else])


class _Wire:
    def __init__(
        self,
        provider: EmulatedProvider,
        faults: Faults,
        delivery: Delivery,
        journal: Journal | None,
    ) -> None:
        self._provider = provider
        self._faults = faults
        self._delivery = delivery
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        request = Request(scope, receive)
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BODY:
                return await Response(status_code=413)(scope, receive, send)
        answer = await self._answer(_call(request, bytes(body)))
        if answer is None:
            await _cut(send)
            return None
        response = Response(answer.body, answer.status, dict(answer.headers))
        return await response(scope, receive, send)

    async def _answer(self, call: Call) -> Answer | None:
        fault, seconds = self._faults.strike(call) or (None, 0.0)
        match fault:
            case Fault.REQUEST_LOST:
                return None
            case Fault.ERROR_BEFORE:
                return self._provider.server_error(call)
            case Fault.RATE_LIMITED:
                return self._provider.rate_limited(call)
            case Fault.ERROR_AFTER:
                call = dataclasses.replace(call, fails_after=True)
            case Fault.DELAY:
                call = dataclasses.replace(call, work_seconds=seconds)
        if self._journal is None:
            answer = await self._provider.answer(call)
        else:
            answer = await self._journal.answer(self._provider, call)
        self._delivery.collect()
        return None if fault is Fault.ANSWER_LOST else answer


def _call(request: Request, body: bytes) -> Call:
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return Call(
        method=request.method,
        path=raw_path.split(b"?")[0].decode("ascii", "replace"),
        query=tuple(request.query_params.multi_items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


async def _cut(send: Send) -> None:
    # A server would turn an exception before the first byte into a polite 500. After the
    # promise of more bytes than come, it can only break the connection.
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise ConnectionCut("the connection was cut")
