"""The HTTP service over a shop in memory, and a customer who calls it."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from openapi_schema_validator import OAS31Validator
from starlette.applications import Starlette

from order_core.ports import Principal
from order_http.app import build_app
from order_http.metrics import Figures
from order_http.openapi import openapi_document
from order_http.settings import HttpSettings
from order_memory import FixedTokens, InMemoryShop, in_memory_shop

EVERYTHING = frozenset({"orders:read", "orders:write"})
TOKENS = FixedTokens(
    {
        "ann": Principal("customer-ann", EVERYTHING, "ann@example.org"),
        "bob": Principal("customer-bob", EVERYTHING),
        **{f"neighbour-{n}": Principal(f"neighbour-{n}", EVERYTHING) for n in range(10)},
        "reader": Principal("customer-ann", frozenset({"orders:read"})),
        "writer": Principal("customer-ann", frozenset({"orders:write"})),
        "manager": Principal("customer-ann", frozenset({"orders:manage"})),
        "staff": Principal("staff-grace", frozenset({"orders:manage"})),
        "odd": Principal("customer-\x00", EVERYTHING),
        "bad mail": Principal("customer-ann", EVERYTHING, "not an address"),
    }
)


async def store_is_up() -> None:
    pass


async def no_figures() -> Figures:
    return Figures(0, 0.0, 0, 0, 0)


def service(core: Any = None, **changes: Any) -> Starlette:
    """An application over `core`, or over the part of one that a test needs.

    `changes` are those of `HttpSettings` and of `build_app`.
    """
    build = {
        name: changes.pop(name)
        for name in (
            *("probe", "figures", "lifespan", "extra_routes", "extra_operations", "counts"),
            "companies_refused",
        )
        if name in changes
    }
    return build_app(
        core or in_memory_shop().core,
        changes.pop("verifier", TOKENS),
        settings=HttpSettings(**changes),
        **{"probe": store_is_up, "figures": no_figures, **build},
    )


def customer(app: Any, bearer: str | None = "ann") -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://shop.test",
        headers=headers,
        event_hooks={"response": [check_documented]},
    )


_REQUEST_ID = {"$ref": "#/components/headers/X-Request-Id"}
_DOCUMENT = orjson.loads(orjson.dumps(openapi_document("test")))


async def check_documented(answer: httpx.Response) -> None:
    """Every answer that any of these tests gets is one that the OpenAPI document promises."""
    await answer.aread()
    operation = _operation(answer.request.method, answer.request.url.path)
    if operation is None:
        return
    assert str(answer.status_code) in operation["responses"], answer.status_code
    promised = operation["responses"][str(answer.status_code)]
    for name, header in promised["headers"].items():
        always = header.get("required") or header == _REQUEST_ID
        assert name in answer.headers or not always, f"no {name}"
    (media_type, content), *others = promised["content"].items()
    assert not others
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    if media_type != "text/plain":
        schema = {**content["schema"], "components": _DOCUMENT["components"]}
        faults = [fault.message for fault in OAS31Validator(schema).iter_errors(answer.json())]
        assert not faults, faults


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in _DOCUMENT["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path):
            operation: dict[str, Any] | None = operations.get(method.lower())
            return operation
    return None


def order_body(**changes: Any) -> dict[str, Any]:
    """Two teapots; None as a change leaves the member out."""
    body = {
        "items": [{"product_id": "teapot", "quantity": 2, "price": "12.50"}],
        "shipping_address": "12 St James's Square, London",
        "payment_method": "ok",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def errors_of(answer: httpx.Response) -> Mapping[str, str]:
    """Pointer -> code of every named mistake."""
    return {error["pointer"]: error["code"] for error in answer.json().get("errors", [])}


__all__ = [
    "InMemoryShop",
    "check_documented",
    "customer",
    "errors_of",
    "in_memory_shop",
    "order_body",
    "service",
]
