"""The issuer over HTTP."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from order_core.errors import StoreUnavailable
from order_http.endpoint import Handler, Public
from order_http.problems import Problem
from order_oauth.issuer import Issuer
from order_oauth.metadata import (
    KEY_SET_PATH,
    METADATA_PATH,
    REVOCATION_PATH,
    TOKEN_PATH,
    metadata,
)
from order_oauth.protocol import Answer
from order_oauth.settings import KEY_SET_IS_FRESH_FOR

_UPKEEP_SECONDS: Final = 600.0

_CLIENT_IS_PROVED: Final = "the client's own secret proves who is asking"
_IS_PUBLIC: Final = "what is in it is meant for everybody"

_Ask = Callable[[Sequence[str], str, bytes], Awaitable[Answer]]

_log: Final = logging.getLogger("order_oauth")


def oauth_endpoints(issuer: Issuer) -> tuple[Public, ...]:
    """Rows for the route table of the service."""
    return (
        Public("POST", TOKEN_PATH, _asking(issuer.token), _CLIENT_IS_PROVED),
        Public("POST", REVOCATION_PATH, _asking(issuer.revoke), _CLIENT_IS_PROVED),
        Public("GET", KEY_SET_PATH, _key_set(issuer), _IS_PUBLIC),
        Public("GET", METADATA_PATH, _metadata(issuer), _IS_PUBLIC),
    )


@asynccontextmanager
async def upkeep(issuer: Issuer) -> AsyncGenerator[None]:
    """Announce keys and forget what is over, every ten minutes, until the end of the `with`."""
    rounds = asyncio.create_task(_rounds(issuer), name="oauth-upkeep")
    try:
        yield
    finally:
        rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)


async def _rounds(issuer: Issuer) -> None:
    while True:
        try:
            await issuer.keys.make_what_is_due()
            await issuer.prune()
        except StoreUnavailable as error:
            _log.warning("upkeep of the issuer is put off: %s", error)
        except Exception:  # noqa: BLE001 - it is logged
            # Without the next round no key would be announced, and nothing forgotten.
            _log.exception("upkeep of the issuer failed")
        await asyncio.sleep(_UPKEEP_SECONDS)


def _asking(ask: _Ask) -> Handler:
    async def handler(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            raise Problem("bad_request", "The body ended early.") from None
        headers = request.headers
        answer = await ask(headers.getlist("authorization"), headers.get("content-type", ""), body)
        return Response(orjson.dumps(answer.body), answer.status, answer.headers)

    return handler


def _key_set(issuer: Issuer) -> Handler:
    fresh = {"Cache-Control": f"public, max-age={int(KEY_SET_IS_FRESH_FOR.total_seconds())}"}

    async def handler(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        body = orjson.dumps(await issuer.keys.key_set())
        return Response(body, headers=fresh, media_type="application/json")

    return handler


def _metadata(issuer: Issuer) -> Handler:
    body = orjson.dumps(metadata(issuer.settings))
    fresh = {"Cache-Control": f"public, max-age={int(KEY_SET_IS_FRESH_FOR.total_seconds())}"}

    async def handler(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        return Response(body, headers=fresh, media_type="application/json")

    return handler
