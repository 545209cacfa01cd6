"""Payment gateways are found where Python packages announce them, ours like anybody's."""

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from order_core.ports.gateway_plugin import GatewayPlugin, SettingsInvalid
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import ConfigurationInvalid, Mistake

GROUP: Final = "order_core.gateways"


def installed_gateways() -> dict[str, EntryPoint]:
    """Provider -> where its `build` is. Nothing is imported yet."""
    return {point.name: point for point in entry_points(group=GROUP)}


def build_gateways(gateway_settings: Mapping[str, Mapping[str, str]]) -> dict[str, GatewayPlugin]:
    """Import and build each gateway that is switched on.

    Raises:
        ConfigurationInvalid: with every mistake of every gateway.
    """
    announced = installed_gateways()
    plugins: dict[str, GatewayPlugin] = {}
    mistakes: list[Mistake] = []
    for provider, settings in gateway_settings.items():
        try:
            plugin = _build(announced[provider], settings)
        except SettingsInvalid as error:
            mistakes += [Mistake(f"{PREFIX}{name}", because) for name, because in error.mistakes]
        except ImportError as error:
            setting = f"{PREFIX}{next(iter(settings), provider.upper())}"
            because = f"switches on gateway {provider}, which cannot be imported: {error}"
            mistakes.append(Mistake(setting, because))
        else:
            plugins[provider] = plugin
            mistakes += _unknown_settings(plugin, settings)
    if mistakes:
        raise ConfigurationInvalid(mistakes)
    return plugins


def _build(announced: EntryPoint, settings: Mapping[str, str]) -> GatewayPlugin:
    plugin = announced.load()(dict(settings))
    if not isinstance(plugin, GatewayPlugin):
        raise TypeError(
            f"{announced.value}, which gateway {announced.name} announces, must return a "
            f"GatewayPlugin, not {type(plugin).__name__}"
        )
    return plugin


def _unknown_settings(plugin: GatewayPlugin, settings: Mapping[str, str]) -> list[Mistake]:
    known = [spec.name for spec in plugin.settings]
    if not known:
        return []  # The plugin does not say what it reads.
    mistakes: list[Mistake] = []
    for name in settings:
        if name in known or name == plugin.gateway.profile.provider.upper():
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {PREFIX}{close[0]}?" if close else ""
        mistakes.append(
            Mistake(
                f"{PREFIX}{name}",
                f"gateway {plugin.gateway.profile.provider} has no such setting{hint}",
            )
        )
    return mistakes
