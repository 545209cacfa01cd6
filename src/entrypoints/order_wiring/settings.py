"""What the service can be told from outside: environment variables with one prefix."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, Self

from pydantic import Field, ValidationError

from order_wiring import setting_values as value
from order_wiring.given_variables import PREFIX, SANDBOX, Given, Need, about
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.setting_groups.access import AccessSettings
from order_wiring.setting_groups.issuing import IssuingSettings
from order_wiring.setting_groups.limits import LimitSettings
from order_wiring.setting_groups.mailing import MailSettings
from order_wiring.setting_groups.payments import PaymentSettings
from order_wiring.setting_groups.pricing import PricingSettings
from order_wiring.setting_groups.serving import ServingSettings

SERVING: Final = (Need.PRICES, Need.KEY, Need.GATEWAY)
WORKING: Final = (Need.GATEWAY,)


class Settings(
    ServingSettings,
    PricingSettings,
    PaymentSettings,
    AccessSettings,
    IssuingSettings,
    LimitSettings,
    MailSettings,
):
    """The effective configuration. Field `port` is the environment variable ORDER_CORE_PORT."""

    gateway_settings: Mapping[str, Mapping[str, str]] = Field(default_factory=dict, repr=False)
    """Provider -> its own settings, for each provider that is switched on."""

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str],
        *,
        installed: Iterable[str],
        needs: Collection[Need] = (),
    ) -> Self:
        """Read the settings, those of the `installed` payment providers among them.

        An empty variable is an unset one. What is in `needs` has no default and must be set.

        Raises:
            ConfigurationInvalid: with every mistake there is.
        """
        given = Given(environment, sorted(installed), _NAMES)
        settings: Self | None = None
        try:
            settings = cls.model_validate(given.own | {"gateway_settings": given.by_provider})
        except ValidationError as error:
            mistakes = [_mistake(each) for each in error.errors()]
        else:
            mistakes = []
        mistakes += given.misunderstood()
        mistakes += given.contradictions()
        mistakes += [given.why(need) for need in needs if not given.has(need)]
        if mistakes or settings is None:
            raise ConfigurationInvalid(mistakes)
        return settings

    @property
    def settings_of_gateways(self) -> dict[str, Mapping[str, str]]:
        """Provider -> what it is built from: its own settings, and where our pages are."""
        own = dict(self.gateway_settings)
        if SANDBOX in own:
            host = f"[{self.host}]" if ":" in self.host else self.host
            if ipaddress.ip_address(self.host).is_unspecified:
                host = "127.0.0.1"
            page = {"SANDBOX_PUBLIC_URL": f"{self.scheme}://{host}:{self.port}"}
            own[SANDBOX] = page | dict(own[SANDBOX])
        return own

    @property
    def provider_by_default(self) -> str:
        """The provider of a payment method that names none; empty if nobody decided."""
        if self.default_provider or len(self.gateway_settings) != 1:
            return self.default_provider or ""
        return next(iter(self.gateway_settings))

    def shown(self) -> dict[str, str]:
        """Each environment variable with its effective value, secrets masked."""
        fields = type(self).model_fields
        return {
            f"{PREFIX}{name.upper()}": self._shown(name)
            for name in fields
            if name != "gateway_settings"
        }

    def _shown(self, name: str) -> str:
        held = getattr(self, name)
        if name in {"database_url", "mail_url", "rate_limit_storage"}:
            return value.without_password(held.get_secret_value())
        match held:
            case None | ():
                return ""
            case bool():
                return str(int(held))
            case timedelta():
                return value.shown_seconds(held)
            case tuple():
                return ",".join(held)
            case _:
                return str(held)


_NAMES: Final = frozenset(Settings.model_fields) - {"gateway_settings"}
_SECRETS: Final = frozenset(
    # Of the addresses, only a wrong one can hold a password, and that one is not repeated.
    {
        "database_url",
        "introspection_client_secret",
        "introspection_url",
        "jwks_url",
        "jwt_secret",
        "quote_secret",
        "mail_url",
        "oauth_key_secret",
        "oidc_issuer",
        "rate_limit_storage",
    }
)


def gateway_settings_in(
    environment: Mapping[str, str], installed: Iterable[str]
) -> Mapping[str, Mapping[str, str]]:
    """Provider -> its own settings, whatever else is wrong with the configuration."""
    return Given(environment, sorted(installed), _NAMES).by_provider


def _mistake(error: Any) -> Mistake:  # noqa: ANN401 - Pydantic's ErrorDetails is no public name
    name = str(error["loc"][0])
    cause = error.get("ctx", {}).get("error")
    because = str(cause) if isinstance(cause, ValueError) else error["msg"]
    if name not in _SECRETS:
        because += f", got {str(error['input'])[: value.LONGEST_SHOWN]!r}"
    return about(name, because)
