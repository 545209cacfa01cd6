"""Quotes: whose are believed, and how to make one for trying things out."""

from datetime import UTC, datetime, timedelta
from typing import Final

from order_core.money import Money
from order_jwt.keys import VerificationKey
from order_jwt.signing import ClaimsOfOneKind, sign
from order_prices import QUOTE_TYPE, item_claims
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.settings import Settings

_NEEDED: Final = (
    "must be set for signed prices (make one: openssl rand -hex 32), or "
    "ORDER_CORE_QUOTE_PUBLIC_KEY_FILE to the public key of whoever signs quotes"
)
_NEEDED_TO_SIGN: Final = (
    "must be set to make quotes; those that ORDER_CORE_QUOTE_PUBLIC_KEY_FILE verifies are "
    "signed by whoever holds the private key"
)


def proven_quotes(settings: Settings) -> ClaimsOfOneKind:
    """Whoever reads what the shop has signed as a quote.

    Raises:
        ConfigurationInvalid: there is no key, or it cannot be used.
    """
    secret, key_file = settings.quote_secret, settings.quote_public_key_file
    try:
        if secret is not None:
            key = VerificationKey.from_secret(secret.get_secret_value())
        elif key_file is not None:
            key = VerificationKey.from_public_pem(key_file.read_text(encoding="ascii"))
        else:
            raise ConfigurationInvalid([Mistake(f"{PREFIX}QUOTE_SECRET", _NEEDED)])
    except (ValueError, OSError) as error:
        name = "QUOTE_PUBLIC_KEY_FILE" if secret is None else "QUOTE_SECRET"
        raise ConfigurationInvalid([Mistake(f"{PREFIX}{name}", str(error))]) from None
    return ClaimsOfOneKind(key, QUOTE_TYPE)


def quote_for(
    settings: Settings,
    *,
    product_id: str,
    price: str,
    currency: str | None,
    lifetime: timedelta,
    customer_id: str | None,
    min_quantity: int | None,
    max_quantity: int | None,
) -> str:
    """A quote that this service believes, for one product; from now on.

    Raises:
        ConfigurationInvalid: there is no secret to sign with.
        InvalidValue, ValueError: a price, product or quantity that no order could have, or a
            lifetime that is too long.
    """
    if settings.quote_secret is None:
        raise ConfigurationInvalid([Mistake(f"{PREFIX}QUOTE_SECRET", _NEEDED_TO_SIGN)])
    claims = item_claims(
        product_id,
        Money.parse(price, currency or settings.default_currency),
        at=datetime.now(UTC),
        lifetime=lifetime,
        customer_id=customer_id,
        min_quantity=min_quantity,
        max_quantity=max_quantity,
    )
    return sign(settings.quote_secret.get_secret_value(), claims, kind=QUOTE_TYPE)
