"""The environment's variables of ours: which there are, and what is wrong with them."""

import difflib
from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import Final

from order_wiring import setting_values as value
from order_wiring.mistakes import Mistake
from order_wiring.setting_groups import access, issuing, limits, mailing, payments, pricing, serving

PREFIX: Final = "ORDER_CORE_"
SANDBOX: Final = "sandbox"


class Need(Enum):
    """What a command cannot do without, and nobody but the shop can decide."""

    PRICES = auto()
    KEY = auto()
    GATEWAY = auto()


class Given:
    """The environment's variables of ours, sorted by who reads them."""

    def __init__(
        self, environment: Mapping[str, str], installed: list[str], names: Collection[str]
    ) -> None:
        self._installed = installed
        self._names = names
        self.own: dict[str, str] = {}
        self._of_plugins: dict[str, dict[str, str]] = {}
        self._unknown: list[str] = []
        for variable, text in environment.items():
            if variable.startswith(PREFIX) and text:
                self._sort(variable.removeprefix(PREFIX), text)

    def _sort(self, name: str, text: str) -> None:
        if name.lower() in self._names and name.isupper():
            self.own[name.lower()] = text
        elif reader := self._reader_of(name):
            self._of_plugins.setdefault(reader, {})[name] = text
        else:
            self._unknown.append(name)

    def _reader_of(self, name: str) -> str | None:
        readers = [
            provider
            for provider in self._installed
            if name == (plugin := in_variables(provider)) or name.startswith(f"{plugin}_")
        ]
        # With gateways `pay` and `pay-later`, PAY_LATER_KEY is the latter's.
        return max(readers, key=len, default=None)

    @property
    def by_provider(self) -> dict[str, dict[str, str]]:
        on = {name: texts for name, texts in self._of_plugins.items() if name != SANDBOX}
        if SANDBOX in self._installed and self._sandbox_is_on():
            texts = self._of_plugins.get(SANDBOX, {})
            on[SANDBOX] = texts | {SANDBOX.upper(): "1"}
        return on

    def _sandbox_is_on(self) -> bool:
        try:
            return value.switch(self.own.get(SANDBOX, "0"))
        except ValueError:
            return False  # Named as a mistake already.

    def misunderstood(self) -> list[Mistake]:
        known = [name.upper() for name in self._names]
        known += [in_variables(provider) for provider in self._installed]
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
        found = (
            *access.contradictions(self.own),
            *issuing.contradictions(self.own),
            *payments.contradictions(self.own, self.by_provider),
            *pricing.contradictions(self.own),
            *mailing.contradictions(self.own),
            *limits.contradictions(self.own),
            *serving.contradictions(self.own),
        )
        return [about(name, because) for name, because in found]

    def has(self, need: Need) -> bool:
        match need:
            case Need.PRICES:
                return "prices" in self.own
            case Need.KEY:
                keys = not self.own.keys().isdisjoint(access.KEY_SOURCES)
                return keys or issuing.is_on(self.own)
            case Need.GATEWAY:
                return bool(self.by_provider)

    def why(self, need: Need) -> Mistake:
        match need:
            case Need.PRICES:
                return about(
                    "prices",
                    "must be set: it says how the prices that clients send are checked, "
                    f"{pricing.WAYS}",
                )
            case Need.KEY:
                return about(
                    "jwt_secret",
                    "must be set (make one: openssl rand -hex 32), or "
                    "ORDER_CORE_OIDC_ISSUER to your identity provider, or "
                    "ORDER_CORE_JWT_PUBLIC_KEY_FILE to the public key of whoever issues tokens",
                )
            case Need.GATEWAY:
                return about(
                    "sandbox",
                    "no payment gateway is switched on: set it to 1 to play, or the settings "
                    f"of an installed gateway (installed: {', '.join(self._installed) or 'none'})",
                )


def in_variables(provider: str) -> str:
    """The provider's name, as it stands in the names of variables."""
    return provider.upper().replace("-", "_")


def about(name: str, because: str) -> Mistake:
    """What is wrong with the variable of the field `name`."""
    return Mistake(f"{PREFIX}{name.upper()}", because)
