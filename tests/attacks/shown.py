"""How docs/security.md shows a route."""

from order_http.endpoint import Endpoint, Guarded


def row_of(endpoint: Endpoint) -> str:
    """One line of its table of addresses."""
    address = f"`{endpoint.method} {endpoint.path}`"
    if isinstance(endpoint, Guarded):
        rule = endpoint.owner_rule
        return f"| {address} | `{endpoint.scope}` | **{rule.name}**: {rule.value} |"
    return f"| {address} | none | {endpoint.why} |"
