"""The OpenAPI 3.1 document: exactly what the service takes and answers."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from order_http import answer_schemas as answers
from order_http.documented_operations import OPERATIONS
from order_http.endpoint import Handler
from order_http.operation import Json, Operation
from order_http.order_body import OrderBody
from order_http.settings import HttpSettings
from order_http.staff_bodies import RefundBody, ReviewBody, ShipBody

_REQUEST_ID_PATTERN: Final = "^[A-Za-z0-9._-]{1,64}$"
_KEY_PATTERN: Final = r"""^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"""
_PARAMETERS: Final[dict[str, Json]] = {
    "OrderId": {
        "name": "order_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,36}$"},
    },
    "Provider": {
        "name": "provider",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes repeating the request safe: it is carried out once. Bare, or quoted.",
        "schema": {"type": "string", "pattern": _KEY_PATTERN},
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "A name for this request; one that does not fit is replaced.",
        "schema": {"type": "string"},
    },
}
_CLIENT: Final[Json] = {
    "type": "http",
    "scheme": "basic",
    "description": "The id and the secret of a client of the embedded issuer.",
}
_BODY_MODELS: Final[tuple[type[BaseModel], ...]] = (
    OrderBody,
    RefundBody,
    ReviewBody,
    ShipBody,
)
_ANSWER_MODELS: Final[tuple[type[BaseModel], ...]] = (
    answers.Order,
    answers.Cancelled,
    answers.HistoryEntry,
    answers.Tracking,
    answers.ReceivedEvent,
    answers.Health,
    answers.Problem,
)


def openapi_document(
    version: str, server: str = "/", operations: Sequence[Operation] = OPERATIONS
) -> Json:
    """The document of a service that is reached below `server`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "order-core",
            "version": version,
            "description": "An order service whose orders and money never disagree.",
        },
        "servers": [{"url": server}],
        "paths": _paths(operations),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                **({"client": _CLIENT} if any(each.proves_client for each in operations) else {}),
            },
            "parameters": _PARAMETERS,
            "headers": {
                "X-Request-Id": {
                    "description": "The name of the request in the service's log.",
                    "required": True,
                    "schema": {"type": "string", "pattern": _REQUEST_ID_PATTERN},
                }
            },
            "schemas": _schemas(),
        },
    }


def endpoint(settings: HttpSettings, extra_operations: Sequence[Operation] = ()) -> Handler:
    """Serves the document, with the path under which the caller reached it."""
    operations = (*OPERATIONS, *extra_operations)

    @lru_cache(maxsize=8)
    def written(server: str) -> bytes:
        return orjson.dumps(openapi_document(settings.version, server, operations))

    async def handler(request: Request) -> Response:
        server = request.scope.get("root_path") or "/"
        return Response(written(server), media_type="application/json")

    return handler


def _paths(operations: Sequence[Operation]) -> dict[str, dict[str, Json]]:
    paths: dict[str, dict[str, Json]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.document()
    return paths


def _schemas() -> dict[str, Any]:
    _, schemas = models_json_schema(
        [
            *((model, "validation") for model in _BODY_MODELS),
            *((model, "serialization") for model in _ANSWER_MODELS),
        ],
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions
