"""Put the service together: routes, middleware, and what happens at start and stop."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from order_core.assembly import OrderCore
from order_core.errors import OrderCoreError
from order_core.ports.token_verifier import TokenVerifier
from order_http import docs_page, list_query, openapi, operations
from order_http.access_log import AccessLog
from order_http.authentication import MANAGE, READ, WRITE
from order_http.body_limit import BodyLimit
from order_http.cancel_order import cancel_order
from order_http.cors import Cors
from order_http.error_answers import answer_core_error, answer_http_exception, answer_problem
from order_http.header_limits import HeaderLimits
from order_http.in_flight import InFlight
from order_http.last_resort import LastResort
from order_http.metrics import Metrics, ReadFigures
from order_http.place_order import place_order
from order_http.problems import Problem
from order_http.read_orders import get_history, get_order, list_orders
from order_http.receive_webhook import WEBHOOK_PATH, receive_webhook
from order_http.request_id import RequestId
from order_http.resource import ORDER_PATH, Desk, Resource
from order_http.security_headers import SecurityHeaders
from order_http.settings import HttpSettings
from order_http.staff_orders import process_order, refund_order, review_order

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_log = logging.getLogger("order_http.errors")


def build_app(
    core: OrderCore,
    verifier: TokenVerifier,
    *,
    settings: HttpSettings,
    probe: operations.Probe,
    figures: ReadFigures,
    lifespan: Lifespan | None = None,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The HTTP service over `core`.

    `probe` raises when the store is down; `figures` reads what `/metrics` shows of it.
    `lifespan` opens and closes what the ports work with: it is left only after the orders
    that are being placed and cancelled are finished. A host that mounts this application
    runs no lifespan of it, and awaits `app.state.in_flight.drain(seconds)` itself.
    """
    in_flight = InFlight(
        most=settings.max_in_flight, timeout_seconds=settings.request_timeout_seconds
    )
    metrics = Metrics()
    desk = Desk(core, verifier, settings, in_flight)
    webhooks = in_flight.lane(most=settings.max_webhooks_in_flight)
    events = Resource(post=receive_webhook(core, webhooks, metrics))
    app = Starlette(
        routes=[
            *_api(desk),
            Route(WEBHOOK_PATH, events),
            *_operations(settings, metrics, probe, figures),
            *extra_routes,
        ],
        middleware=_middleware(settings, metrics),
        exception_handlers={
            HTTPException: answer_http_exception,
            OrderCoreError: answer_core_error,
            Problem: answer_problem,
        },
        lifespan=_finishing_first(in_flight, settings.shutdown_timeout_seconds, lifespan),
    )
    # A redirected POST may lose its body on the way; an address is right or it is not.
    app.router.redirect_slashes = False
    app.state.in_flight = in_flight
    return app


def _api(desk: Desk) -> list[BaseRoute]:
    orders = Resource(get=desk.guarded(READ, list_orders, query=list_query.NAMES))
    return [
        Route("/api/orders/create", Resource(post=desk.guarded(WRITE, place_order))),
        Route("/api/orders/", orders),
        Route("/api/orders", orders),
        Route(ORDER_PATH, Resource(get=desk.guarded(READ, get_order))),
        Route(f"{ORDER_PATH}/cancel", Resource(post=desk.guarded(WRITE, cancel_order))),
        Route(f"{ORDER_PATH}/history", Resource(get=desk.guarded(READ, get_history))),
        Route(f"{ORDER_PATH}/process", Resource(post=desk.guarded(MANAGE, process_order))),
        Route(f"{ORDER_PATH}/refunds", Resource(post=desk.guarded(MANAGE, refund_order))),
        Route(f"{ORDER_PATH}/review", Resource(post=desk.guarded(MANAGE, review_order))),
    ]


def _operations(
    settings: HttpSettings, metrics: Metrics, probe: operations.Probe, figures: ReadFigures
) -> list[BaseRoute]:
    patience = settings.probe_timeout_seconds
    return [
        Route("/health/live", Resource(get=operations.live)),
        Route("/health/ready", Resource(get=operations.ready(probe, patience))),
        Route("/metrics", Resource(get=operations.exposition(metrics, figures, patience))),
        Route("/openapi.json", Resource(get=openapi.endpoint(settings))),
        *docs_page.routes(),
    ]


def _middleware(settings: HttpSettings, metrics: Metrics) -> list[Middleware]:
    cors = [Middleware(Cors, origins=settings.cors_origins)] if settings.cors_origins else []
    return [
        Middleware(RequestId),
        Middleware(AccessLog, metrics=metrics),
        Middleware(SecurityHeaders),
        *cors,
        Middleware(LastResort),
        Middleware(
            HeaderLimits, max_headers=settings.max_headers, max_bytes=settings.max_header_bytes
        ),
        Middleware(
            BodyLimit,
            max_bytes=settings.max_body_bytes,
            timeout_seconds=settings.body_timeout_seconds,
        ),
    ]


def _finishing_first(
    in_flight: InFlight, timeout_seconds: float, lifespan: Lifespan | None
) -> Lifespan:
    @asynccontextmanager
    async def finishing(app: Starlette) -> AsyncGenerator[None]:
        async with lifespan(app) if lifespan else nullcontext():
            yield
            if left := await in_flight.drain(timeout_seconds):
                _log.warning("stopping with %s requests at work; the worker finishes them", left)

    return finishing
