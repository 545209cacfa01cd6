"""What every endpoint works with, and where an order is found."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from order_core.assembly import OrderCore
from order_core.ports.token_verifier import TokenVerifier
from order_http.card_testing import CardTesting
from order_http.in_flight import InFlight
from order_http.rate_limits import RateLimits
from order_http.settings import HttpSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """What every endpoint works with."""

    core: OrderCore
    verifier: TokenVerifier
    settings: HttpSettings
    in_flight: InFlight
    limits: RateLimits | None = None
    card_testing: CardTesting | None = None


ORDER_PATH: Final = "/api/orders/{order_id}"


def address_of(request: Request, order_id: str) -> str:
    """Where the order is, under whatever path this application is mounted."""
    root: str = request.scope.get("root_path", "")
    return root + ORDER_PATH.replace("{order_id}", order_id)
