"""The OpenAPI document."""

from starlette.requests import Request
from starlette.responses import Response

from order_http.order_json import json_response
from order_http.resource import Handler
from order_http.settings import HttpSettings


def endpoint(settings: HttpSettings) -> Handler:
    """Serves the document."""

    async def handler(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        return json_response({"openapi": "3.1.0", "info": {"version": settings.version}})

    return handler
