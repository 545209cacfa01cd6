"""The HTTP application over a running service."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version

from starlette.applications import Starlette

from order_core.clock_check import ClockCheck
from order_http.app import build_app
from order_http.endpoint import Public
from order_http.metrics import Figures
from order_http.settings import HttpSettings
from order_oauth import OAUTH_OPERATIONS, oauth_endpoints, upkeep
from order_sandbox import SandboxGateway
from order_wiring.composition import Service
from order_wiring.issuing import issuer_of, trust_in
from order_wiring.limits import counts_of
from order_wiring.revocations import introspection_of
from order_wiring.sandbox_page import sandbox_page
from order_wiring.tokens import token_verifier


def app_of(service: Service) -> Starlette:
    """Its lifespan ends when the orders that are being placed and cancelled are finished.

    Raises:
        ConfigurationInvalid: the key that proves tokens cannot be used, or a package is missing.
    """
    settings = service.settings

    check_clock = ClockCheck(service.clock, service.database, settings.policy.clock_skew)

    async def probe() -> None:
        await service.database.ping()
        await check_clock()

    async def figures() -> Figures:
        now = await service.database.figures()
        return Figures(
            open_charges=now.open_charges,
            oldest_open_charge_seconds=now.oldest_open_charge_seconds,
            unknown_outcomes=now.unknown_outcomes,
            late_money=now.late_money,
            mails_waiting=now.notices_waiting,
        )

    counts = counts_of(settings)
    issuer = issuer_of(settings, service.database, service.clock)
    introspection = introspection_of(settings)

    @asynccontextmanager
    async def closing_parts(_app: Starlette) -> AsyncGenerator[None]:
        async with upkeep(issuer) if issuer else nullcontext():
            try:
                yield
            finally:
                for part in (counts, introspection):
                    if part is not None:
                        await part.close()

    return build_app(
        service.core,
        token_verifier(
            settings,
            service.clock,
            [trust_in(issuer)] if issuer else (),
            revocations=introspection,
        ),
        settings=HttpSettings(
            default_currency=settings.default_currency,
            max_body_bytes=settings.max_body_bytes,
            shutdown_timeout_seconds=settings.shutdown_grace.total_seconds(),
            cors_origins=settings.cors_origins,
            trusted_proxies=settings.trusted_proxies,
            forwarding_header=settings.forwarding_header,
            return_origins=settings.return_origins,
            version=version("order-core"),
        ),
        probe=probe,
        figures=figures,
        lifespan=closing_parts,
        counts=counts,
        companies_refused=lambda: service.database.companies_refused,
        extra_routes=(
            *_pages_of_gateways(service),
            *(oauth_endpoints(issuer) if issuer else ()),
        ),
        extra_operations=OAUTH_OPERATIONS if issuer else (),
    )


def _pages_of_gateways(service: Service) -> list[Public]:
    # Only the sandbox has a page of its own; real providers show theirs.
    return [
        page
        for plugin in service.plugins.values()
        if isinstance(plugin.gateway, SandboxGateway)
        for page in sandbox_page(plugin.gateway.ledger)
    ]
