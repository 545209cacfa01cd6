"""Tokens that were called back: whom to ask, if anybody."""

from typing import TYPE_CHECKING, Final

from order_jwt import IssuerUnreadable
from order_wiring.settings import Settings

if TYPE_CHECKING:
    from order_jwt.introspection import Introspection, IntrospectionEndpoint

_NOBODYS: Final = "a-token-that-nobody-issued"


def introspection_of(settings: Settings) -> "Introspection | None":
    """Whoever asks the issuer that the settings trust about its tokens, to be closed in the end.

    Those of the embedded issuer are not asked about: they are of another issuer.
    """
    endpoint = _endpoint_of(settings)
    if endpoint is None:
        return None
    from order_jwt.introspection import Introspection

    return Introspection(
        endpoint,
        issuer=settings.oidc_issuer or settings.jwt_issuer,
        max_age=settings.introspection_max_age,
    )


async def look_at_introspection(settings: Settings) -> str:
    """Whether the endpoint answers at present, for people; empty if there is none."""
    endpoint = _endpoint_of(settings)
    if endpoint is None:
        return ""
    from order_jwt.asking import client_for

    async with client_for(endpoint.address) as client:
        try:
            await endpoint.says_active(_NOBODYS, client)
        except IssuerUnreadable as unreadable:
            return f"does not answer at present: {unreadable}. Until it does, callers get 503"
    return "answers"


def _endpoint_of(settings: Settings) -> "IntrospectionEndpoint | None":
    address, secret = settings.introspection_url, settings.introspection_client_secret
    if address is None or secret is None:
        return None
    from order_jwt.introspection import IntrospectionEndpoint

    client_id = settings.introspection_client_id or ""
    return IntrospectionEndpoint(address, client_id, secret.get_secret_value())
