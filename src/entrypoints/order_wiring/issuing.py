"""The embedded issuer, and the trust in its tokens."""

from order_core.ports import Clock
from order_jwt import Trust
from order_oauth import Issuer, IssuerSettings, Wrapping
from order_sqlalchemy import Database
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.settings import Settings


def issuer_of(settings: Settings, database: Database, clock: Clock) -> Issuer | None:
    """The issuer, if there is to be one.

    Raises:
        ConfigurationInvalid: its secret is missing, or its tokens would live too long.
    """
    if not settings.oauth:
        return None
    secret = settings.oauth_key_secret
    try:
        wrapping = Wrapping("" if secret is None else secret.get_secret_value())
    except ValueError as error:
        raise ConfigurationInvalid([Mistake(f"{PREFIX}OAUTH_KEY_SECRET", str(error))]) from None
    return Issuer(issuer_settings(settings), database, wrapping, clock)


def issuer_settings(settings: Settings) -> IssuerSettings:
    """What its tokens say.

    Raises:
        ConfigurationInvalid: they would live too long.
    """
    issuer = settings.oauth_issuer or _own_address(settings)
    try:
        return IssuerSettings(
            issuer=issuer,
            audience=settings.jwt_audience or issuer,
            access_lifetime=settings.oauth_access_lifetime,
            refresh_idle=settings.oauth_refresh_idle,
            refresh_lifetime=settings.oauth_refresh_lifetime,
        )
    except ValueError as error:
        raise ConfigurationInvalid([Mistake(f"{PREFIX}OAUTH_REFRESH_IDLE", str(error))]) from None


def trust_in(issuer: Issuer) -> Trust:
    """Its tokens are believed like those of any other issuer, with the keys at hand."""
    return Trust(issuer.keys, issuer.settings.issuer, issuer.settings.audience)


def _own_address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{settings.scheme}://{host}:{settings.port}"
