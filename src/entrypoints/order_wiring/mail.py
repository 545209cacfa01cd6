"""How customers are told."""

from order_email import open_mail
from order_email.channel import Mail
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.settings import Settings


def mail_of(settings: Settings) -> Mail:
    """The channel for e-mail. Close it at the end.

    Raises:
        ConfigurationInvalid: the sender or the channel's address makes no sense.
    """
    try:
        open_mail("console:", settings.mail_from)
    except ValueError as error:
        raise ConfigurationInvalid([Mistake(f"{PREFIX}MAIL_FROM", str(error))]) from None
    try:
        return open_mail(settings.mail_url.get_secret_value(), settings.mail_from)
    except ValueError as error:
        raise ConfigurationInvalid([Mistake(f"{PREFIX}MAIL_URL", str(error))]) from None
