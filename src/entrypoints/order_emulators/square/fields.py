"""Reading a request as strictly as Square reads it: null is no value, and no field is unknown."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from order_emulators.square.refusal import Refusal, unusable


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a request body."""

    values: dict[str, Any]
    path: str = ""

    def only(self, names: Collection[str]) -> "Fields":
        for name in self.values:
            if name not in names:
                raise unusable("UNKNOWN_BODY_PARAMETER", self._at(name))
        return self

    def text(self, name: str, longest: int) -> str:
        found = self.optional_text(name, longest)
        if found is None:
            raise unusable("MISSING_REQUIRED_PARAMETER", self._at(name))
        return found

    def optional_text(self, name: str, longest: int) -> str | None:
        if name not in self.values:
            return None
        value = self.values[name]
        if not isinstance(value, str):
            raise unusable("EXPECTED_STRING", self._at(name))
        if not value:
            raise unusable("VALUE_EMPTY", self._at(name))
        if len(value) > longest:
            raise unusable("VALUE_TOO_LONG", self._at(name))
        return value

    def optional_texts(self, name: str) -> list[str] | None:
        if name not in self.values:
            return None
        value = self.values[name]
        if not isinstance(value, list):
            raise unusable("EXPECTED_ARRAY", self._at(name))
        if not all(isinstance(one, str) and one for one in value):
            raise unusable("INVALID_ARRAY_VALUE", self._at(name))
        return value

    def optional_moment(self, name: str) -> datetime | None:
        text = self.optional_text(name, 40)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise unusable("INVALID_TIME", self._at(name)) from None
        if moment.tzinfo is None:
            raise unusable("INVALID_TIME", self._at(name))
        return moment

    def number(self, name: str, lowest: int, highest: int, *, default: int) -> int:
        value = self.values.get(name, default)
        if type(value) is not int:
            raise unusable("EXPECTED_INTEGER", self._at(name))
        if not lowest <= value <= highest:
            code = "VALUE_TOO_LOW" if value < lowest else "VALUE_TOO_HIGH"
            raise unusable(code, self._at(name))
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise unusable("EXPECTED_BOOLEAN", self._at(name))
        return value

    def inside(self, name: str) -> "Fields":
        if name not in self.values:
            raise unusable("MISSING_REQUIRED_PARAMETER", self._at(name))
        value = self.values[name]
        if not isinstance(value, dict):
            raise unusable("EXPECTED_OBJECT", self._at(name))
        return Fields(value, self._at(name))

    def optional_inside(self, name: str) -> "Fields":
        """The object of this name; one that is not there has no fields."""
        return self.inside(name) if name in self.values else Fields({}, self._at(name))

    def amount(self, name: str, currency: str) -> int:
        """A positive amount in the location's own currency, in minor units."""
        money = self.inside(name).only({"amount", "currency"})
        amount = money.values.get("amount")
        if type(amount) is not int:
            raise unusable("EXPECTED_INTEGER", f"{self._at(name)}.amount")
        if amount < 1:
            raise unusable("VALUE_TOO_LOW", f"{self._at(name)}.amount")
        if money.text("currency", 3) != currency:
            raise unusable("INVALID_VALUE", f"{self._at(name)}.currency")
        return amount

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def read_body(body: bytes) -> Fields:
    """The object in `body`; an empty body is an empty object."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(400, "EXPECTED_JSON_BODY") from None
    if not isinstance(value, dict):
        raise Refusal(400, "EXPECTED_JSON_BODY")
    return Fields(value)
