"""`order-core check`: what the configuration comes to, and what is wrong with it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Final

from order_cli.exit_codes import DONE, FAILED
from order_core.ports.gateway_plugin import GatewayPlugin
from order_system import SystemClock
from order_wiring.certificates import mistakes_of_certificate
from order_wiring.composition import mistakes_of_windows
from order_wiring.configuration import read_configuration
from order_wiring.gateways import build_gateways
from order_wiring.given_variables import PREFIX
from order_wiring.issuing import issuer_settings
from order_wiring.limits import effective_limits
from order_wiring.mail import mail_of
from order_wiring.mistakes import CannotStart, ConfigurationInvalid, Mistake
from order_wiring.prices import prices_of
from order_wiring.revocations import look_at_introspection
from order_wiring.schema import schema_differs
from order_wiring.setting_values import shown_seconds
from order_wiring.settings import SERVING, Settings
from order_wiring.tokens import look_at_issuer, trust_of

_MASK: Final = "********"


def run(_arguments: argparse.Namespace) -> int:
    """Print it all; fail if `serve` would refuse to start."""
    try:
        settings = read_configuration(os.environ)
    except ConfigurationInvalid as error:
        print(error, file=sys.stderr)
        return FAILED
    mistakes = asyncio.run(_look_at(settings)) + _missing()
    if mistakes:
        print(f"\n{ConfigurationInvalid(mistakes)}", file=sys.stderr)
        return FAILED
    print("\n`order-core serve` can start.")
    return DONE


def _missing() -> list[Mistake]:
    try:
        read_configuration(os.environ, SERVING)
    except ConfigurationInvalid as error:
        return list(error.mistakes)
    return []


async def _look_at(settings: Settings) -> list[Mistake]:
    mistakes: list[Mistake] = []
    plugins: Mapping[str, GatewayPlugin] = {}
    try:
        plugins = build_gateways(settings.settings_of_gateways)
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    try:
        _print_settings(settings, plugins)
        _print_gateways(plugins)
        mistakes += mistakes_of_windows(settings, plugins)
    finally:
        for plugin in plugins.values():
            await plugin.gateway.close()
    mistakes += await _mistakes_of_parts(settings)
    if said := await look_at_issuer(settings):
        # It may be down just now, and the service starts all the same.
        print(f"\nThe issuer of tokens {said}.")
    if said := await look_at_introspection(settings):
        print(f"\nThe endpoint that is asked for revoked tokens {said}.")
    mistakes += await _mistakes_of_database(settings)
    return mistakes


def _print_settings(settings: Settings, plugins: Mapping[str, GatewayPlugin]) -> None:
    shown = settings.shown() | effective_limits(settings)
    for provider, texts in settings.settings_of_gateways.items():
        specs = {spec.name: spec for spec in plugins[provider].settings} if plugins else {}
        for name in {*specs, *texts}:
            spec = specs.get(name)
            text = texts.get(name, (spec and spec.default) or "")
            # What nobody declared may be a secret.
            hidden = text and (spec is None or spec.secret)
            shown[f"{PREFIX}{name}"] = _MASK if hidden else text
    width = max(map(len, shown))
    for name in sorted(shown):
        origin = "" if os.environ.get(name) else "  (default)"
        print(f"{name:<{width}}  {shown[name] or '-'}{origin}")


def _print_gateways(plugins: Mapping[str, GatewayPlugin]) -> None:
    for plugin in plugins.values():
        profile = plugin.gateway.profile
        print(
            f"\nGateway {profile.provider}, account {profile.account}: "
            f"a call takes up to {shown_seconds(profile.call_budget)} s, "
            f"a key lives {shown_seconds(profile.key_life)} s, "
            f"what was sent has arrived after {shown_seconds(profile.horizon)} s; "
            + _events_of(plugin)
        )


def _events_of(plugin: GatewayPlugin) -> str:
    if plugin.webhooks is None:
        return "it tells nothing by itself here, so it is asked"
    return f"its events are received at /api/webhooks/{plugin.gateway.profile.provider}"


async def _mistakes_of_parts(settings: Settings) -> list[Mistake]:
    mistakes = mistakes_of_certificate(settings)
    try:
        await mail_of(settings).close()
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    try:
        prices_of(settings, SystemClock())
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    try:
        issuer_settings(settings)
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    if settings.jwt_secret or settings.jwt_public_key_file:
        try:
            trust_of(settings)
        except ConfigurationInvalid as error:
            mistakes += error.mistakes
    return mistakes


async def _mistakes_of_database(settings: Settings) -> list[Mistake]:
    name = f"{PREFIX}DATABASE_URL"
    try:
        differs = await schema_differs(settings)
    except CannotStart as error:
        return [Mistake(name, str(error))]
    is_sqlite = settings.database_url.get_secret_value().startswith("sqlite")
    if differs and not is_sqlite:
        return [Mistake(name, "does not have the schema of this version; run: order-core migrate")]
    if differs:
        print("\nThe database will get its tables when the service starts.")
    else:
        print("\nThe database answers and has the right schema.")
    return []
