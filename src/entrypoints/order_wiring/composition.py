"""Put the whole service together from its settings, and take it apart again."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from order_core.assembly import OrderCore, assemble
from order_core.payment_terms import PaymentTerms
from order_core.ports import Clock, Prices
from order_core.ports.gateway_plugin import GatewayPlugin
from order_email.channel import Mail
from order_http.owner_view import OWNER_VIEW
from order_sqlalchemy import (
    Database,
    SqlLeftovers,
    SqlOrders,
    SqlOutbox,
    SqlWorkQueue,
    open_database,
)
from order_system import SystemClock, TimeOrderedIds
from order_wiring.gateways import build_gateways
from order_wiring.given_variables import PREFIX
from order_wiring.mail import mail_of
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.prices import UndecidedPrices, prices_of
from order_wiring.schema import ensure_reachable, ensure_schema
from order_wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that is open while the service runs."""

    settings: Settings
    core: OrderCore
    database: Database
    plugins: Mapping[str, GatewayPlugin]
    clock: Clock


_OF_A_WORKER: Final = 10
"""Connections to the database."""


@asynccontextmanager
async def running(settings: Settings, *, places_orders: bool = True) -> AsyncGenerator[Service]:
    """The service, open until the end of the `async with`.

    Without `places_orders` it needs no prices, and is not stopped by a mistake in them: what
    is open already must be finished.

    Raises:
        ConfigurationInvalid: with every mistake that shows only when the parts are built.
        CannotStart: the database cannot be used.
    """
    async with AsyncExitStack() as closing:
        clock = SystemClock()
        plugins, mail, prices = await _built(settings, clock, closing, places_orders=places_orders)
        await ensure_schema(settings)
        database = open_database(
            settings.database_url.get_secret_value(),
            pool_size=settings.connections_of_a_process if places_orders else _OF_A_WORKER,
        )
        closing.push_async_callback(database.close)
        # The first connection makes an SQLite file ready for many, which two processes that
        # begin at once cannot do at the same time.
        await ensure_reachable(database, settings)
        core = assemble(
            orders=SqlOrders(database, view=OWNER_VIEW),
            work=SqlWorkQueue(database),
            outbox=SqlOutbox(database),
            gateways={name: plugin.gateway for name, plugin in plugins.items()},
            default_provider=settings.provider_by_default,
            prices=prices,
            notifier=mail,
            clock=clock,
            ids=TimeOrderedIds(),
            policy=settings.policy,
            webhooks={name: plugin.webhooks for name, plugin in plugins.items() if plugin.webhooks},
            event_logs={
                name: plugin.event_log for name, plugin in plugins.items() if plugin.event_log
            },
            store_clock=database,
            leftovers=SqlLeftovers(database),
        )
        yield Service(settings, core, database, plugins, clock)


async def _built(
    settings: Settings, clock: Clock, closing: AsyncExitStack, *, places_orders: bool
) -> tuple[Mapping[str, GatewayPlugin], Mail, Prices]:
    mistakes: list[Mistake] = []
    plugins: Mapping[str, GatewayPlugin] = {}
    mail: Mail | None = None
    prices: Prices = UndecidedPrices()
    try:
        plugins = build_gateways(settings.settings_of_gateways)
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    for plugin in plugins.values():
        closing.push_async_callback(plugin.gateway.close)
    mistakes += mistakes_of_windows(settings, plugins)
    try:
        mail = mail_of(settings)
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    try:
        prices = prices_of(settings, clock) if places_orders else prices
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    if mistakes or mail is None:
        raise ConfigurationInvalid(mistakes)
    closing.push_async_callback(mail.close)
    return plugins, mail, prices


def mistakes_of_windows(settings: Settings, plugins: Mapping[str, GatewayPlugin]) -> list[Mistake]:
    """One for each gateway whose times do not fit ORDER_CORE_CHARGE_WINDOW."""
    mistakes: list[Mistake] = []
    for plugin in plugins.values():
        try:
            PaymentTerms(plugin.gateway.profile, settings.policy)
        except ValueError as error:
            mistakes.append(Mistake(f"{PREFIX}CHARGE_WINDOW", str(error)))
    return mistakes
