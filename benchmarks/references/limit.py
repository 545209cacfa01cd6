"""*limit*: the least work that still answers the same requests from the same database.

Bare ASGI and asyncpg; one statement a request; the order is one JSON column, stored and sent as
it is. The token's signature and expiry are checked. Nothing else is: no validation, no
idempotency, no history. `/api/orders/create-twice` is two commits and nothing else: what a create
costs at least that must be on record before the provider is called.
"""

import base64
import hmac
import os
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

SECRET = os.environ["BENCH_JWT_SECRET"].encode()
URL = os.environ["BENCH_DATABASE_URL"].replace("+asyncpg", "")

TABLE = """
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    customer_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    body text NOT NULL
);
CREATE INDEX orders_of_customer ON orders (customer_id, created_at DESC);
"""
INSERT = "INSERT INTO orders (id, customer_id, body) VALUES ($1, $2, $3)"
UPDATE = "UPDATE orders SET body = $2 WHERE id = $1"
GET = "SELECT customer_id, body FROM orders WHERE id = $1"
LIST = """
SELECT body FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 10
"""

Json = dict[str, Any]
Send = Callable[[Json], Awaitable[None]]
Receive = Callable[[], Awaitable[Json]]

_pools: list[asyncpg.Pool] = []


def customer_of(scope: Json) -> str | None:
    """The subject of the bearer token, if the token is ours and has not expired."""
    token = dict(scope["headers"]).get(b"authorization", b"")[7:]
    signed, _, signature = token.rpartition(b".")
    expected = base64.urlsafe_b64encode(hmac.new(SECRET, signed, sha256).digest()).rstrip(b"=")
    if not hmac.compare_digest(expected, signature):
        return None
    claims = orjson.loads(base64.urlsafe_b64decode(signed.partition(b".")[2] + b"=="))
    return str(claims["sub"]) if claims["exp"] > time.time() else None


async def app(scope: Json, receive: Receive, send: Send) -> None:
    """The whole service."""
    if scope["type"] == "lifespan":
        await receive()
        _pools.append(await asyncpg.create_pool(URL, min_size=32, max_size=32))
        await send({"type": "lifespan.startup.complete"})
        return
    customer = customer_of(scope)
    if customer is None:
        await answer(send, 401, b"{}")
        return
    path = scope["path"]
    connections = _pools[0]
    if scope["method"] == "POST":
        order_id, body = uuid4(), await order_in(receive)
        if path.endswith("-twice"):
            async with connections.acquire() as connection:
                await connection.execute(INSERT, order_id, customer, body)
                await connection.execute(UPDATE, order_id, body)
        else:
            await connections.execute(INSERT, order_id, customer, body)
        await answer(send, 201, b'{"id":"%s",%s' % (str(order_id).encode(), body[1:].encode()))
    elif path == "/api/orders/":
        rows = await connections.fetch(LIST, customer)
        await answer(send, 200, b"[%s]" % ",".join(row["body"] for row in rows).encode())
    else:
        row = await connections.fetchrow(GET, UUID(path.rpartition("/")[2]))
        if row is None or row["customer_id"] != customer:
            await answer(send, 404, b"{}")
        else:
            await answer(send, 200, row["body"].encode())


async def order_in(receive: Receive) -> str:
    """The request's body with the total that it comes to, as JSON text."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    order = orjson.loads(body)
    order["total"] = sum(item["quantity"] * item["price"] for item in order["items"])
    order["status"] = "pending"
    return orjson.dumps(order).decode()


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send JSON."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def make_tables() -> None:
    """Create the schema."""
    connection = await asyncpg.connect(URL)
    await connection.execute(TABLE)
    await connection.close()
