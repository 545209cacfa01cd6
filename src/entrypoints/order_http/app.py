"""Put the service together: routes, rules, and what happens at start and stop."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from order_core.assembly import OrderCore
from order_core.errors import OrderCoreError
from order_core.ports.token_verifier import TokenVerifier
from order_http import docs_page, openapi, operations
from order_http.access_log import AccessLog
from order_http.address_limit import AddressLimit
from order_http.answer_pace import AnswerPace
from order_http.body_limit import BodyLimit
from order_http.card_testing import BY_CUSTOMER, CardTesting
from order_http.cors import Cors
from order_http.desk import Desk
from order_http.endpoint import Endpoint, Public
from order_http.error_answers import answer_core_error, answer_http_exception, answer_problem
from order_http.exchange import Rules
from order_http.front import FrontedApp
from order_http.header_limits import HeaderLimits
from order_http.in_flight import InFlight
from order_http.metrics import Metrics, ReadFigures
from order_http.operation import Operation
from order_http.problems import Problem
from order_http.rate_limits import Counts, RateLimits
from order_http.receive_webhook import WEBHOOK_PATH, receive_webhook
from order_http.resource import routes_of
from order_http.route_table import API
from order_http.settings import HttpSettings
from order_http.trusted_proxies import TrustedProxies

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_SIGNED: Final = "the provider's signature over the raw body proves who is speaking"
_NOTHING_OF_ANYBODY: Final = "it says only how the service itself is"
_SAME_FOR_ALL: Final = "it is the same for everybody, and in every copy of the package"

_log = logging.getLogger("order_http.errors")


def build_app(
    core: OrderCore,
    verifier: TokenVerifier,
    *,
    settings: HttpSettings,
    probe: operations.Probe,
    figures: ReadFigures,
    lifespan: Lifespan | None = None,
    extra_routes: Sequence[Endpoint] = (),
    extra_operations: Sequence[Operation] = (),
    counts: Counts | None = None,
    companies_refused: Callable[[], int] | None = None,
) -> Starlette:
    """The HTTP service over `core`.

    `probe` raises when the store is down; `figures` reads what `/metrics` shows of it.
    `lifespan` opens and closes what the ports work with: it is left only after the orders
    that are being placed and cancelled are finished. A host that mounts this application
    runs no lifespan of it, and awaits `app.state.in_flight.drain(seconds)` itself.

    `counts` says who has asked too often; without it, nobody has. `companies_refused` is how often
    the store refused saves that went together, for `/metrics`. `extra_operations` are those
    of `extra_routes` that the OpenAPI document describes.

    Raises:
        UnguardedRoute: one of `extra_routes` does not say what keeps strangers out.
    """
    in_flight = InFlight(
        most=settings.max_in_flight, timeout_seconds=settings.request_timeout_seconds
    )
    metrics = Metrics()
    if companies_refused:
        metrics.watch_companies(companies_refused)
    limits = None if counts is None else RateLimits(counts, metrics)
    card_testing = CardTesting(limits) if limits and BY_CUSTOMER in limits.counts.policies else None
    desk = Desk(core, verifier, settings, in_flight, limits, card_testing)
    webhooks = in_flight.lane(most=settings.max_webhooks_in_flight)
    endpoints = (
        *API,
        Public("POST", WEBHOOK_PATH, receive_webhook(core, webhooks, metrics), _SIGNED),
        *_operations(settings, metrics, probe, figures, extra_operations),
        *extra_routes,
    )
    app = FrontedApp(
        routes=routes_of(endpoints, desk),
        exception_handlers={
            HTTPException: answer_http_exception,
            OrderCoreError: answer_core_error,
            Problem: answer_problem,
        },
        lifespan=_finishing_first(in_flight, settings.shutdown_timeout_seconds, lifespan),
    )
    app.rules = _rules(settings, metrics, limits)
    # A redirected POST may lose its body on the way; an address is right or it is not.
    app.router.redirect_slashes = False
    app.state.in_flight = in_flight
    app.state.endpoints = endpoints
    return app


def _operations(
    settings: HttpSettings,
    metrics: Metrics,
    probe: operations.Probe,
    figures: ReadFigures,
    extra_operations: Sequence[Operation],
) -> list[Public]:
    patience = settings.probe_timeout_seconds
    exposition = operations.exposition(metrics, figures, patience)
    return [
        Public("GET", "/health/live", operations.live, _NOTHING_OF_ANYBODY),
        Public("GET", "/health/ready", operations.ready(probe, patience), _NOTHING_OF_ANYBODY),
        Public("GET", "/metrics", exposition, "it counts, and names neither order nor customer"),
        Public("GET", "/openapi.json", openapi.endpoint(settings, extra_operations), _SAME_FOR_ALL),
        *docs_page.endpoints(),
    ]


def _rules(settings: HttpSettings, metrics: Metrics, limits: RateLimits | None) -> Rules:
    return Rules(
        proxies=TrustedProxies(trusted=settings.trusted_proxies, header=settings.forwarding_header),
        headers=HeaderLimits(max_headers=settings.max_headers, max_bytes=settings.max_header_bytes),
        body=BodyLimit(
            max_bytes=settings.max_body_bytes,
            max_bytes_of_all=settings.max_bodies_bytes,
            timeout_seconds=settings.body_timeout_seconds,
        ),
        pace=AnswerPace(timeout_seconds=settings.answer_timeout_seconds),
        log=AccessLog(metrics),
        cors=Cors(origins=settings.cors_origins) if settings.cors_origins else None,
        addresses=AddressLimit(limits) if limits else None,
    )


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
