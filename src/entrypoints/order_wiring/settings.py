"""What the service can be told from outside: environment variables with one prefix."""

import difflib
import ipaddress
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from order_core.payment_terms import CaptureLate, CaptureMode, Policy
from order_wiring import setting_values as value
from order_wiring.mistakes import ConfigurationInvalid, Mistake

PREFIX: Final = "ORDER_CORE_"
_SANDBOX: Final = "sandbox"
_LONGEST_SHOWN: Final = 80
_DAY: Final = 86_400


class Need(Enum):
    """What a command cannot do without, and nobody but the shop can decide."""

    PRICES = auto()
    KEY = auto()
    GATEWAY = auto()


SERVING: Final = (Need.PRICES, Need.KEY, Need.GATEWAY)
WORKING: Final = (Need.GATEWAY,)

Origins = Annotated[tuple[str, ...], BeforeValidator(value.origins)]


def _duration(low: float, high: float) -> BeforeValidator:
    return BeforeValidator(value.seconds(low, high))


class Settings(BaseModel):
    """The effective configuration. Field `port` is the environment variable ORDER_CORE_PORT."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: Annotated[SecretStr, BeforeValidator(value.database_url)] = SecretStr(
        "sqlite+aiosqlite:///./order-core.sqlite3"
    )
    host: Annotated[str, BeforeValidator(value.ip_address)] = "127.0.0.1"
    port: Annotated[int, BeforeValidator(value.whole_number(1, 65_535))] = 8000
    workers: Annotated[int, BeforeValidator(value.whole_number(1, 64))] = 1
    prices: Annotated[str, BeforeValidator(value.prices)] | None = None
    default_provider: str | None = None
    default_currency: Annotated[str, BeforeValidator(value.currency)] = "USD"
    sandbox: Annotated[bool, BeforeValidator(value.switch)] = False
    recovery_delay: Annotated[timedelta, _duration(0, _DAY)] = timedelta(seconds=30)
    charge_window: Annotated[timedelta, _duration(1, _DAY)] = timedelta(minutes=10)
    clock_skew: Annotated[timedelta, _duration(1, 600)] = timedelta(seconds=30)
    action_expiry: Annotated[timedelta, _duration(1, 30 * _DAY)] = timedelta(minutes=30)
    duplicate_window: Annotated[timedelta, _duration(0, _DAY)] = timedelta(seconds=10)
    capture: Annotated[CaptureMode, BeforeValidator(value.one_of(CaptureMode))] = (
        CaptureMode.IMMEDIATE
    )
    capture_late: Annotated[CaptureLate, BeforeValidator(value.one_of(CaptureLate))] = (
        CaptureLate.CANCEL
    )
    return_origins: Origins = ()
    cors_origins: Origins = ()
    jwt_secret: Annotated[SecretStr, BeforeValidator(value.secret)] | None = None
    jwt_public_key_file: Annotated[Path, BeforeValidator(value.readable_file)] | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    mail_url: Annotated[SecretStr, BeforeValidator(value.mail_url)] = SecretStr("console:")
    mail_from: Annotated[str, BeforeValidator(value.mail_from)] = "orders@localhost"
    max_body_bytes: Annotated[int, BeforeValidator(value.whole_number(1_024, 64 * 1_024**2))] = (
        1_024**2
    )
    installation: Annotated[str, BeforeValidator(value.installation)] = "default"
    log_level: Annotated[str, BeforeValidator(value.log_level)] = "info"
    shutdown_grace: Annotated[timedelta, _duration(0, 3_600)] = timedelta(seconds=30)
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
        given = _Given(environment, sorted(installed))
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
    def policy(self) -> Policy:
        """What the core has to know of it."""
        return Policy(
            installation=self.installation,
            default_currency=self.default_currency,
            charge_window=self.charge_window,
            clock_skew=self.clock_skew,
            action_expiry=self.action_expiry,
            recovery_delay=self.recovery_delay,
            duplicate_window=self.duplicate_window,
            capture=self.capture,
            capture_late=self.capture_late,
        )

    @property
    def settings_of_gateways(self) -> dict[str, Mapping[str, str]]:
        """Provider -> what it is built from: its own settings, and where our pages are."""
        own = dict(self.gateway_settings)
        if _SANDBOX in own:
            host = f"[{self.host}]" if ":" in self.host else self.host
            if ipaddress.ip_address(self.host).is_unspecified:
                host = "127.0.0.1"
            page = {"SANDBOX_PUBLIC_URL": f"http://{host}:{self.port}"}
            own[_SANDBOX] = page | dict(own[_SANDBOX])
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
        if name in {"database_url", "mail_url"}:
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
_SECRETS: Final = frozenset({"database_url", "jwt_secret", "mail_url"})


def gateway_settings_in(
    environment: Mapping[str, str], installed: Iterable[str]
) -> Mapping[str, Mapping[str, str]]:
    """Provider -> its own settings, whatever else is wrong with the configuration."""
    return _Given(environment, sorted(installed)).by_provider


class _Given:
    """The environment's variables of ours, sorted by who reads them."""

    def __init__(self, environment: Mapping[str, str], installed: list[str]) -> None:
        self._installed = installed
        self.own: dict[str, str] = {}
        self._of_plugins: dict[str, dict[str, str]] = {}
        self._unknown: list[str] = []
        for variable, text in environment.items():
            if variable.startswith(PREFIX) and text:
                self._sort(variable.removeprefix(PREFIX), text)

    def _sort(self, name: str, text: str) -> None:
        if name.lower() in _NAMES and name.isupper():
            self.own[name.lower()] = text
        elif reader := self._reader_of(name):
            self._of_plugins.setdefault(reader, {})[name] = text
        else:
            self._unknown.append(name)

    def _reader_of(self, name: str) -> str | None:
        readers = [
            provider
            for provider in self._installed
            if name == (plugin := _in_variables(provider)) or name.startswith(f"{plugin}_")
        ]
        # With gateways `pay` and `pay-later`, PAY_LATER_KEY is the latter's.
        return max(readers, key=len, default=None)

    @property
    def by_provider(self) -> dict[str, dict[str, str]]:
        on = {name: texts for name, texts in self._of_plugins.items() if name != _SANDBOX}
        if _SANDBOX in self._installed and self._sandbox_is_on():
            texts = self._of_plugins.get(_SANDBOX, {})
            on[_SANDBOX] = texts | {_SANDBOX.upper(): "1"}
        return on

    def _sandbox_is_on(self) -> bool:
        try:
            return value.switch(self.own.get(_SANDBOX, "0"))
        except ValueError:
            return False  # Named as a mistake already.

    def misunderstood(self) -> list[Mistake]:
        known = [name.upper() for name in _NAMES]
        known += [_in_variables(provider) for provider in self._installed]
        gateways = ", ".join(self._installed) or "none"
        mistakes: list[Mistake] = []
        for name in self._unknown:
            close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)
            hint = (
                f"did you mean {PREFIX}{close[0]}?"
                if close
                else f"no installed payment gateway reads it either (installed: {gateways})"
            )
            mistakes.append(Mistake(f"{PREFIX}{name}", f"is not supported by this version; {hint}"))
        return mistakes

    def contradictions(self) -> list[Mistake]:
        mistakes: list[Mistake] = []
        if "jwt_secret" in self.own and "jwt_public_key_file" in self.own:
            mistakes.append(
                _about("jwt_secret", "cannot be set together with ORDER_CORE_JWT_PUBLIC_KEY_FILE")
            )
        if "default_provider" in self.own and self.own["default_provider"] not in self.by_provider:
            mistakes.append(
                _about(
                    "default_provider",
                    f"must be one of the gateways that are switched on "
                    f"({', '.join(sorted(self.by_provider)) or 'there is none'}), "
                    f"got {self.own['default_provider'][:_LONGEST_SHOWN]!r}",
                )
            )
        if "default_provider" not in self.own and len(self.by_provider) > 1:
            mistakes.append(
                _about(
                    "default_provider",
                    f"must be set when several gateways are switched on: one of "
                    f"{', '.join(sorted(self.by_provider))}",
                )
            )
        if _really_sends(self.own.get("mail_url", "")) and "mail_from" not in self.own:
            mistakes.append(_about("mail_from", "must be set when e-mail is really sent"))
        return mistakes

    def has(self, need: Need) -> bool:
        match need:
            case Need.PRICES:
                return "prices" in self.own
            case Need.KEY:
                return bool({"jwt_secret", "jwt_public_key_file"} & self.own.keys())
            case Need.GATEWAY:
                return bool(self.by_provider)

    def why(self, need: Need) -> Mistake:
        match need:
            case Need.PRICES:
                return _about(
                    "prices",
                    "must be set: it says how the prices that clients send are checked. "
                    "`trust` believes them, which is right only if no buyer can reach this "
                    "service except through your own backend",
                )
            case Need.KEY:
                return _about(
                    "jwt_secret",
                    "must be set (make one: openssl rand -hex 32), or "
                    "ORDER_CORE_JWT_PUBLIC_KEY_FILE to the public key of whoever issues tokens",
                )
            case Need.GATEWAY:
                return _about(
                    "sandbox",
                    "no payment gateway is switched on: set it to 1 to play, or the settings "
                    f"of an installed gateway (installed: {', '.join(self._installed) or 'none'})",
                )


def _in_variables(provider: str) -> str:
    return provider.upper().replace("-", "_")


def _about(name: str, because: str) -> Mistake:
    return Mistake(f"{PREFIX}{name.upper()}", because)


def _mistake(error: Any) -> Mistake:  # noqa: ANN401 - Pydantic's ErrorDetails is no public name
    name = str(error["loc"][0])
    cause = error.get("ctx", {}).get("error")
    because = str(cause) if isinstance(cause, ValueError) else error["msg"]
    if name not in _SECRETS:
        because += f", got {str(error['input'])[:_LONGEST_SHOWN]!r}"
    return _about(name, because)


def _really_sends(mail_url: str) -> bool:
    return mail_url.partition(":")[0].lower() in {"smtp", "smtps", "http", "https"}
