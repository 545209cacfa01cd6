"""Who sends the e-mail."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup

_REALLY_SENDING: Final = frozenset({"smtp", "smtps", "http", "https"})


class MailSettings(SettingGroup):
    """Without any, letters are printed."""

    mail_url: Annotated[SecretStr, BeforeValidator(value.mail_url)] = SecretStr("console:")
    mail_from: Annotated[str, BeforeValidator(value.mail_from)] = "orders@localhost"


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """A sender that nobody could answer."""
    scheme = given.get("mail_url", "").partition(":")[0].lower()
    if scheme in _REALLY_SENDING and "mail_from" not in given:
        yield "mail_from", "must be set when e-mail is really sent"
