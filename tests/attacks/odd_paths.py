"""Spellings of a path that a proxy, a router and a rule may each read differently."""

from collections.abc import Iterator

_OPEN = ("/health/live", "/docs", "/openapi.json", "/api/webhooks/nobody")


def odd_paths(template: str, order_id: str) -> Iterator[str]:
    """None of them is the address of `template`, so none may be answered as if it were."""
    path = template.format(order_id=order_id)
    yield from (f"/{path}", path.replace("/", "//"), f"/.{path}", f"/x/..{path}", f"/%2e{path}")
    yield from (f"/%2e%2e{path}", f"/..%2f{path[1:]}", path.replace("/", "%2f"))
    yield from (path.replace("/", "%252f"), path.replace("/", "\\"), path.replace("/", "%5c"))
    yield from (path.upper(), path.replace("orders", "Orders"), path.replace("a", "%2561", 1))
    for end in (
        "/",
        "//",
        "/.",
        "/..;/",
        "/%2e",
        ";a=b",
        ".json",
        "%00",
        "%0a",
        "%20",
        "/*",
        "%23",
    ):
        yield path + end
    for start in _OPEN:
        yield from (f"{start}/..{path}", f"{start}/%2e%2e{path}", f"{start}/..;{path}")
        yield from (f"{start}{path}", f"{start};{path}", f"{start}%2f..{path}", f"{start}%3f{path}")
    if order_id in path:
        yield path.replace(order_id, f"{order_id}%2f")
        yield path.replace(order_id, f"x/../{order_id}")
        yield path.replace(order_id, f"x%2f..%2f{order_id}")
        yield path.replace(order_id, f"./{order_id}")
        yield path.replace(order_id, f"{order_id},{order_id}")
        yield path.replace(order_id, order_id.replace("-", "%252d", 1))
        yield path.replace(order_id, "*")
        yield path.replace(order_id, f"{order_id}' OR '1'='1")
