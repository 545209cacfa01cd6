"""The endpoints that are the emulator's own, never the provider's."""

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from order_emulators.chassis.delivery import Delivery
from order_emulators.chassis.faults import Faults, FaultsInvalid
from order_emulators.chassis.journal import Journal
from order_emulators.chassis.provider import Decision, EmulatedProvider

_MOST_COPIES: Final = 10
_LARGEST_BODY: Final = 1_000_000


class _Wrong(ValueError):
    """What was asked of the emulator cannot be done; the text says why."""


def control_routes(
    provider: EmulatedProvider,
    faults: Faults,
    delivery: Delivery,
    journal: Journal | None = None,
) -> list[Route]:
    """`/_emulator/ledger`, `/faults`, `/act` and `/webhooks`."""

    async def ledger(_: Request) -> Response:
        return JSONResponse([dataclasses.asdict(entry) for entry in provider.ledger()])

    async def order_faults(request: Request) -> Response:
        faults.order(await _json(request))
        return JSONResponse({"ok": True})

    async def act(request: Request) -> Response:
        wanted = await _object(request)
        decision = str(wanted.get("decision"))
        if decision not in set(Decision):
            raise _Wrong(f"decision must be one of {', '.join(Decision)}")
        if not provider.act(str(wanted.get("reference")), Decision(decision)):
            return JSONResponse({"error": "nothing of this reference waits"}, 404)
        if journal is not None:
            journal.act(str(wanted.get("reference")), Decision(decision))
        delivery.collect()
        return JSONResponse({"ok": True})

    async def webhooks(request: Request) -> Response:
        if request.method != "POST":
            return JSONResponse(
                [
                    {"id": told.event.id, "type": told.event.type, "tries": told.tries}
                    for told in delivery.told
                ]
            )
        return JSONResponse(await _steer(delivery, await _object(request)))

    return [
        Route("/_emulator/ledger", ledger, methods=["GET"]),
        Route("/_emulator/faults", _explained(order_faults), methods=["POST"]),
        Route("/_emulator/act", _explained(act), methods=["POST"]),
        Route("/_emulator/webhooks", _explained(webhooks), methods=["GET", "POST"]),
    ]


async def _steer(delivery: Delivery, wanted: dict[str, Any]) -> dict[str, Any]:
    """`{"action": ...}`: hold, release, lose, reorder, duplicate, redeliver, forge or drain.

    `lose` delivers nothing of what was held, and `reorder` delivers it newest first; `duplicate`
    delivers everything from now on `times` times; `redeliver` and `forge` take an event's `id`,
    or mean all.
    """
    event_id = None if wanted.get("id") is None else str(wanted["id"])
    match wanted.get("action"):
        case "hold":
            delivery.hold()
        case "release":
            delivery.release()
        case "lose":
            delivery.lose()
        case "reorder":
            delivery.release(newest_first=True)
        case "duplicate":
            times = wanted.get("times", 2)
            if type(times) is not int or not 1 <= times <= _MOST_COPIES:
                raise _Wrong(f"times must be a number from 1 to {_MOST_COPIES}")
            delivery.repeat_each(times)
        case "redeliver":
            return {"ok": True, "events": delivery.again(event_id)}
        case "forge":
            return {"ok": True, "events": delivery.again(event_id, forged=True)}
        case "drain":
            await delivery.drain()
        case _:
            raise _Wrong(
                "action must be hold, release, lose, reorder, duplicate, redeliver, forge or drain"
            )
    return {"ok": True}


def _explained(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def explained(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (_Wrong, FaultsInvalid) as error:
            return JSONResponse({"error": str(error)}, 400)

    return explained


async def _json(request: Request) -> object:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise _Wrong("the body is too large")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _Wrong("the body is not JSON") from None


async def _object(request: Request) -> dict[str, Any]:
    value = await _json(request)
    if not isinstance(value, dict):
        raise _Wrong("the body must be an object")
    return value
