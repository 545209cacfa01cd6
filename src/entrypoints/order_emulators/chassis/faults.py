"""Faults on the way to a pretended provider: ordered one by one, or drawn from a seed."""

import random
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import httpx

from order_emulators.chassis.call import Call

_MOST_RULES: Final = 1000
_MOST_TIMES: Final = 1_000_000
_LONGEST_DELAY: Final = 60.0
_RULE_FIELDS: Final = {"on", "kind", "times", "seconds", "body_contains"}
_CHANCE_FIELDS: Final = {"seed", "rate", "kinds", "seconds"}


class Fault(StrEnum):
    """What can go wrong with one call."""

    REQUEST_LOST = "request_lost"
    """Nothing happens, and the connection ends without an answer."""
    ANSWER_LOST = "answer_lost"
    """It happens, and the connection ends without an answer."""
    ERROR_BEFORE = "error_before"
    """Nothing happens, and the answer is a 5xx."""
    ERROR_AFTER = "error_after"
    """It happens, and the answer is a 5xx."""
    DELAY = "delay"
    """It takes long; meanwhile the idempotency key is in use."""
    RATE_LIMITED = "rate_limited"


class ConnectionCut(httpx.ReadError):
    """The connection ends here. An in-process client sees it as a real one would."""


class FaultsInvalid(ValueError):
    """The order for faults cannot be read; the text says why."""


@dataclass(slots=True)
class _Rule:
    method: str
    path: re.Pattern[str]
    fault: Fault
    times: int
    seconds: float
    body_contains: bytes

    def fits(self, call: Call) -> bool:
        return (
            self.times > 0
            and self.method in {call.method, "*"}
            and self.path.fullmatch(call.path) is not None
            and self.body_contains in call.body
        )


@dataclass(frozen=True, slots=True)
class _Chance:
    random: random.Random
    rate: float
    kinds: tuple[Fault, ...]
    seconds: float


class Faults:
    """Which fault strikes which call. The first rule that fits is used up first."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._chance: _Chance | None = None

    def order(self, wanted: object) -> None:
        """Take an order: a list of rules, or `{"seed", "rate"}` for chance; `[]` ends all.

        A rule is `{"on": "POST /v1/refunds/{id}", "kind": "answer_lost", "times": 1}`, with
        `seconds` for a delay, and `body_contains` to pick calls by their body.

        Raises:
            FaultsInvalid: and nothing of the order is taken.
        """
        if isinstance(wanted, dict):
            self._chance = _chance(wanted)
            return
        if not isinstance(wanted, list):
            raise FaultsInvalid("must be a list of rules, or an object with seed and rate")
        rules = [_rule(number, item) for number, item in enumerate(wanted)]
        if not rules:
            self._rules, self._chance = [], None
        live = [rule for rule in self._rules if rule.times > 0] + rules
        if len(live) > _MOST_RULES:
            raise FaultsInvalid(f"there may be {_MOST_RULES} rules at most")
        self._rules = live

    def strike(self, call: Call) -> tuple[Fault, float] | None:
        """The fault for this call, and its seconds; it counts as used."""
        for rule in self._rules:
            if rule.fits(call):
                rule.times -= 1
                return rule.fault, rule.seconds
        chance = self._chance
        if chance and chance.random.random() < chance.rate:
            return chance.random.choice(chance.kinds), chance.random.random() * chance.seconds
        return None


def _rule(number: int, item: object) -> _Rule:
    if not isinstance(item, dict) or set(item) - _RULE_FIELDS:
        raise FaultsInvalid(f"rule {number}: has only {', '.join(sorted(_RULE_FIELDS))}")
    method, _, path = str(item.get("on", "")).partition(" ")
    if not path.startswith("/"):
        raise FaultsInvalid(f"rule {number}: on must be like 'POST /v1/refunds'")
    times = item.get("times", 1)
    if type(times) is not int or not 1 <= times <= _MOST_TIMES:
        raise FaultsInvalid(f"rule {number}: times must be a number from 1 to {_MOST_TIMES}")
    return _Rule(
        method=method,
        path=re.compile(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path))),
        fault=_kind(item.get("kind")),
        times=times,
        seconds=_number(item, "seconds", 0.0, _LONGEST_DELAY),
        body_contains=str(item.get("body_contains", "")).encode(),
    )


def _chance(wanted: dict[str, Any]) -> _Chance:
    if set(wanted) - _CHANCE_FIELDS or type(wanted.get("seed")) is not int:
        raise FaultsInvalid("chance has a whole number as seed, and rate, kinds and seconds")
    kinds = wanted.get("kinds", list(Fault))
    if not isinstance(kinds, list) or not kinds:
        raise FaultsInvalid("kinds must be a list of faults")
    return _Chance(
        random=random.Random(wanted["seed"]),  # noqa: S311 - it must repeat, not surprise
        rate=_number(wanted, "rate", 0.0, 1.0),
        kinds=tuple(_kind(kind) for kind in kinds),
        seconds=_number(wanted, "seconds", 0.2, _LONGEST_DELAY),
    )


def _kind(value: object) -> Fault:
    try:
        return Fault(str(value))
    except ValueError:
        raise FaultsInvalid(f"kind must be one of {', '.join(Fault)}") from None


def _number(item: dict[str, Any], name: str, default: float, most: float) -> float:
    value = item.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise FaultsInvalid(f"{name} must be a number from 0 to {most:g}")
    return float(value)
