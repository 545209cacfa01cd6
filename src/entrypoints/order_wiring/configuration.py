"""Read the configuration of this process, with every mistake that can be seen in it."""

from collections.abc import Collection, Mapping

from order_wiring.gateways import build_gateways, installed_gateways
from order_wiring.given_variables import Need
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.settings import Settings, gateway_settings_in


def read_configuration(environment: Mapping[str, str], needs: Collection[Need] = ()) -> Settings:
    """The settings that `environment` holds.

    Raises:
        ConfigurationInvalid: with every mistake, those that gateways find in their own
            settings among them.
    """
    installed = installed_gateways()
    try:
        return Settings.read(environment, installed=installed, needs=needs)
    except ConfigurationInvalid as error:
        mistakes = error.mistakes
    try:
        build_gateways(gateway_settings_in(environment, installed))
    except ConfigurationInvalid as error:
        mistakes += error.mistakes
    raise ConfigurationInvalid(mistakes)
