"""Adyen's SDK, set up so that it does what it is told."""

from typing import Any

from Adyen import AdyenClient  # type: ignore[import-untyped]
from Adyen.services.checkout import AdyenCheckoutApi  # type: ignore[import-untyped]

from order_adyen.connection import Connection


def checkout_api(api_key: str, base_url: str, connection: Connection) -> Any:  # noqa: ANN401 - the SDK has no types
    """The Checkout API at `base_url`."""
    # "live" makes the SDK rewrite "-test" in the address, "test" rewrites "-live"; the address is
    # ours to choose, so it gets the mode that leaves it alone.
    client = AdyenClient(xapikey=api_key, platform="live" if "-live" in base_url else "test")
    # Only addresses of the test system are rewritten with this prefix, and there are none.
    client.live_endpoint_prefix = "unused"
    client.http_client = connection
    client.http_init = True
    api = AdyenCheckoutApi(client=client)
    api.payments_api.baseUrl = base_url
    api.modifications_api.baseUrl = base_url
    return api
