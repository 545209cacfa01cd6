"""Everything of ours that reads what a stranger may send, each called with any bytes at all.

A target ends well with any answer that is documented; it raises if somebody could make the
service fail. Whatever has to be signed is signed, so that the bytes get past the signature.
"""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote as percent_encoded
from urllib.parse import unquote_to_bytes

import httpx
import orjson
from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.datastructures import Headers
from starlette.types import Message, Scope

from order_adyen.webhooks import AdyenWebhooks
from order_core import Money, OrderItem, OrderRequest, ShippingAddress
from order_core.errors import (
    InvalidToken,
    InvalidValue,
    PriceMismatch,
    QuoteRefused,
    WebhookRejected,
)
from order_core.quotes import Quotes
from order_http.cursor import BrokenCursor, decode_cursor, encode_cursor
from order_http.forwarding import hops_in_forwarded, hops_in_x_forwarded_for
from order_jwt import IssuerUnreadable, JwtSettings, JwtVerifier, VerificationKey
from order_jwt.issuer_documents import keys_at
from order_jwt.keys import PUBLIC_KEY_ALGORITHMS
from order_jwt.signature import check_signature
from order_jwt.signing import ClaimsOfOneKind
from order_jwt.unproven import UnprovenToken
from order_oauth.credentials import read_credentials
from order_oauth.form import MEDIA_TYPE, read_form
from order_oauth.hearing import Hearing
from order_oauth.key_pairs import Signer, new_signer
from order_oauth.protocol import Answer, Protocol, answer_of
from order_oauth.random_secrets import RefreshToken, digest
from order_oauth.settings import SCOPES, IssuerSettings
from order_paypal.webhooks import PayPalWebhooks
from order_prices import QUOTE_TYPE, SignedPrices
from order_sqlalchemy.oauth_records import StoredClient, StoredGrant
from order_square.webhooks import SquareWebhooks
from order_stripe.webhooks import StripeWebhooks
from order_system import SystemClock
from tests.fuzz.samples import REFRESH_TOKEN
from tests.unit.http_service import check_documented, customer, in_memory_shop, service

SECRET: Final = "a-secret-that-only-the-fuzzed-parts-know"
URL: Final = "https://shop.test/api/webhooks/square"
_TEAPOTS: Final = OrderItem("teapot", 2, Money(1250, "EUR"))
_NOW: Final = datetime(2031, 5, 4, tzinfo=UTC)

Target = Callable[[bytes], Coroutine[Any, Any, None]]


@cache
def _app() -> Any:
    return service(in_memory_shop().core, trusted_proxies=("127.0.0.1",))


async def _posted(path: str, body: bytes, bearer: str = "ann", app: Any = None) -> httpx.Response:
    async with customer(app or _app(), bearer) as client:
        headers = {"Content-Type": "application/json", "Idempotency-Key": sha256(body).hexdigest()}
        answer = await client.post(path, content=body, headers=headers)
    _is_no_fault(answer)
    return answer


def _is_no_fault(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.status_code, answer.text)


async def order(data: bytes) -> None:
    """The body of an order."""
    await _posted("/api/orders/create", data)


async def refund(data: bytes) -> None:
    """The body of a refund that staff asks for."""
    await _posted("/api/orders/id-1/refunds", data, "staff")


async def review(data: bytes) -> None:
    """The body of a decision of staff."""
    await _posted("/api/orders/id-1/review", data, "staff")


_TO_SHIP: Final[list[tuple[Any, str]]] = []


async def shipment(data: bytes) -> None:
    """The body of a parcel, of an order that waits for one."""
    app, address = _TO_SHIP.pop() if _TO_SHIP else await _an_order_to_ship()
    answer = await _posted(f"{address}/ship", data, "staff", app)
    # An order that got its parcel would decide about the next one.
    if not answer.is_success:
        _TO_SHIP.append((app, address))


async def _an_order_to_ship() -> tuple[Any, str]:
    core = in_memory_shop().core
    request = OrderRequest("ann", (_TEAPOTS,), ShippingAddress("1 Road"), "ok")
    placed = await core.place(request)
    await core.process(placed.id, by="staff-grace")
    return service(core), f"/api/orders/{placed.id}"


async def query(data: bytes) -> None:
    """The query of a list."""
    await _asked("GET", b"/api/orders/", data)


async def path(data: bytes) -> None:
    """Whatever stands where an order's id belongs."""
    await _asked("GET", b"/api/orders/" + data)


async def headers(data: bytes) -> None:
    """Lines of headers, as a server would hand them on, on a request that is well but for them."""
    lines = [line.partition(b":")[::2] for line in data.split(b"\n")]
    given = [(name.strip().lower(), text.strip()) for name, text in lines]
    await _asked("POST", b"/api/orders/create", headers=given, body=b'{"items": []}')


async def _asked(
    method: str,
    path: bytes,
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: bytes = b"",
) -> None:
    """As the server would hand it on: bytes that no client of ours would send."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode(errors="replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "client": ("127.0.0.1", "4711"),
        "server": ("shop.test", "80"),
        "headers": [*headers, (b"authorization", b"Bearer ann")],
    }
    heard: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        heard.append(message)

    await _app()(scope, receive, send)
    # Dots would make another address of it.
    quoted = percent_encoded(scope["path"]).replace(".", "%2E")
    answer = httpx.Response(
        heard[0]["status"],
        headers=heard[0]["headers"],
        content=b"".join(message.get("body", b"") for message in heard[1:]),
        # The path may be one that httpx would not ask for.
        request=httpx.Request(method, f"http://shop.test{quoted if len(quoted) < 60_000 else ''}"),
    )
    _is_no_fault(answer)
    await check_documented(answer)


async def forwarding(data: bytes) -> None:
    """What proxies say about whom they ask for."""
    for name, read in (
        (b"forwarded", hops_in_forwarded),
        (b"x-forwarded-for", hops_in_x_forwarded_for),
        (b"x-forwarded-proto", hops_in_x_forwarded_for),
    ):
        read(Headers(raw=[(name, line) for line in data.split(b"\n")[:20]]))


async def cursor(data: bytes) -> None:
    """A place in a list: what is read is what was written."""
    text = data.decode("latin-1")
    with suppress(BrokenCursor):
        assert encode_cursor(*decode_cursor(text)) == text


@cache
def _verifier() -> JwtVerifier:
    return JwtVerifier([JwtSettings(secret=SECRET).trust], SystemClock())


async def token(data: bytes) -> None:
    """A bearer token as it comes."""
    with suppress(InvalidToken):
        await _verifier().verify(data.decode("latin-1"))


def _signed(header: bytes, claims: bytes) -> bytes:
    content = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims))
    mac = hmac.digest(SECRET.encode(), content, sha256)
    return content + b"." + urlsafe_b64encode(mac).rstrip(b"=")


async def token_header(data: bytes) -> None:
    """The header of a token that is well signed."""
    await token(_signed(data, b'{"sub": "ann", "exp": 4102444800, "scope": "orders:read"}'))


async def token_claims(data: bytes) -> None:
    """The claims of a token that is well signed."""
    await token(_signed(b'{"alg": "HS256", "typ": "JWT"}', data))


async def key_set(data: bytes) -> None:
    """What an issuer publishes as its keys, and how they look at what they did not sign."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=data))

    def client(_address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=transport, trust_env=False)

    try:
        keys = await keys_at("https://id.example/keys", open_client=client)()
    except IssuerUnreadable:
        return
    for algorithm in PUBLIC_KEY_ALGORITHMS:
        for name in (None, "k1"):
            if key := keys.find(name, algorithm):
                with suppress(InvalidToken):
                    check_signature(_unsigned(algorithm), key)


@cache
def _unsigned(algorithm: str) -> UnprovenToken:
    # As long as a signature of that algorithm is, so that it comes to the arithmetic.
    signature = bytes(64 if algorithm in {"ES256", "EdDSA"} else 256)
    parts = (json.dumps({"alg": algorithm}).encode(), b"{}", signature)
    return UnprovenToken.read(b".".join(map(urlsafe_b64encode, parts)).replace(b"=", b"").decode())


@cache
def _prices() -> SignedPrices:
    proven = ClaimsOfOneKind(VerificationKey.from_secret(SECRET), QUOTE_TYPE)
    return SignedPrices(proven, SystemClock(), skew=timedelta(seconds=30))


async def quote(data: bytes) -> None:
    """What is shown to prove a price, as it comes: for an item, and for the cart."""
    for quotes in _shown(data.decode("latin-1")):
        with suppress(QuoteRefused, PriceMismatch):
            await _prices().verify((_TEAPOTS,), customer_id="ann", quotes=quotes)


def _shown(text: str) -> Iterator[Quotes]:
    with suppress(InvalidValue):
        yield Quotes(items=(text,))
    with suppress(InvalidValue):
        yield Quotes(text)


async def quote_claims(data: bytes) -> None:
    """The claims of a quote that the shop has signed."""
    await quote(_signed(b'{"alg": "HS256", "typ": "quote+jwt"}', data))


_BACKEND: Final = StoredClient(
    "client-backend",
    SCOPES,
    may_act_for_customers=True,
    secret_digest=digest(SECRET),
    created_at=_NOW,
)


@cache
def _grant() -> StoredGrant:
    token = RefreshToken.read(REFRESH_TOKEN)
    assert token is not None
    return StoredGrant(
        family_digest=token.family_digest,
        token_digest=token.digest,
        client_id=_BACKEND.id,
        subject="ann",
        scope=SCOPES,
        granted_at=_NOW,
        idle_until=_NOW + timedelta(days=1),
        ends_at=_NOW + timedelta(days=2),
    )


@cache
def _signer() -> Signer:
    return new_signer()


async def token_form(data: bytes) -> None:
    """What a client, which has proved its secret, sends to the issuer of tokens."""
    for decide in (Protocol.token, Protocol.revocation):
        answer = _decided(data, decide)
        assert answer.status < 500, answer
        orjson.dumps(answer.body)


def _decided(data: bytes, decide: Callable[[Protocol], Answer]) -> Answer:
    basic = b64encode(f"{_BACKEND.id}:{SECRET}".encode()).decode()
    try:
        form = read_form(MEDIA_TYPE, data)
        credentials = read_credentials([f"Basic {basic}"], form)
        sent = RefreshToken.read(form.get("refresh_token", form.get("token", "")))
        is_known = sent is not None and sent.family_digest == _grant().family_digest
        hearing = Hearing(
            _NOW,
            form,
            credentials,
            _BACKEND,
            refresh_token=sent,
            grant=_grant() if is_known else None,
            signer=_signer(),
        )
        return decide(Protocol(hearing, IssuerSettings("https://id.example", "orders")))
    except OAuth2Error as error:
        return answer_of(error)


async def stripe_event(data: bytes) -> None:
    """An event that is signed as Stripe does."""
    now = int(datetime.now(UTC).timestamp())
    mac = hmac.new(SECRET.encode(), b"%d." % now + data, sha256).hexdigest()
    with suppress(WebhookRejected):
        await StripeWebhooks(SECRET).parse(data, {"stripe-signature": f"t={now},v1={mac}"})


async def stripe_signature(data: bytes) -> None:
    """What stands in the header that Stripe signs in."""
    with suppress(WebhookRejected):
        given = {"stripe-signature": data.decode("latin-1")}
        await StripeWebhooks(SECRET).parse(b"{}", given)


def _square() -> SquareWebhooks:
    return SquareWebhooks(signature_key=SECRET, url=URL, location_id="L1")


async def square_event(data: bytes) -> None:
    """An event that is signed as Square does."""
    mac = b64encode(hmac.digest(SECRET.encode(), URL.encode() + data, sha256)).decode()
    with suppress(WebhookRejected):
        await _square().parse(data, {"x-square-hmacsha256-signature": mac})


async def square_signature(data: bytes) -> None:
    """What stands in the header that Square signs in."""
    with suppress(WebhookRejected):
        given = {"x-square-hmacsha256-signature": data.decode("latin-1")}
        await _square().parse(b"{}", given)


async def adyen_event(data: bytes) -> None:
    """A body as Adyen sends it; where it can be signed, it is."""
    key = sha256(SECRET.encode()).digest()
    parser = AdyenWebhooks(hmac_key=key.hex(), merchant="Shop")
    with suppress(WebhookRejected):
        await parser.parse(data, {})
    try:
        signed = _signed_by_adyen(data, key)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return
    with suppress(WebhookRejected):
        await parser.parse(signed, {})


def _signed_by_adyen(data: bytes, key: bytes) -> bytes:
    if not data.startswith(b"{"):
        # To read it would cost more than all that the parser does with it.
        raise ValueError("no object")
    item = json.loads(data)
    amount = item["amount"]
    names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
    texts = [str(item.get(name, "")) for name in names]
    texts += [str(amount["value"]), amount["currency"], item["eventCode"], item["success"]]
    mac = b64encode(hmac.digest(key, ":".join(texts).encode(), sha256)).decode()
    more = {**item.get("additionalData", {}), "hmacSignature": mac}
    event = {"NotificationRequestItem": {**item, "additionalData": more}}
    return json.dumps({"notificationItems": [event]}).encode()


class _AnySignature:
    """The key of a certificate for which everything is signed."""

    async def key(self, _url: str) -> "_AnySignature":
        return self

    def verify(self, *_: object) -> None:
        pass


def _paypal() -> PayPalWebhooks:
    certificates: Any = _AnySignature()
    return PayPalWebhooks("WH-1", certificates)


def _from_paypal(**but: str) -> Mapping[str, str]:
    return {
        "paypal-auth-algo": "SHA256withRSA",
        "paypal-transmission-id": "b2384410-f8d2",
        "paypal-transmission-time": datetime.now(UTC).isoformat(),
        "paypal-transmission-sig": "c2lnbmVk",
        "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT",
        **but,
    }


async def paypal_event(data: bytes) -> None:
    """An event whose signature is good."""
    with suppress(WebhookRejected):
        await _paypal().parse(data, _from_paypal())


async def paypal_headers(data: bytes) -> None:
    """What stands in the headers that PayPal signs with."""
    for name in _from_paypal():
        if name != "paypal-cert-url":
            with suppress(WebhookRejected):
                await _paypal().parse(b"{}", _from_paypal(**{name: data.decode("latin-1")}))


TARGETS: Final[Mapping[str, Target]] = {
    each.__name__: each
    for each in (
        order,
        refund,
        review,
        shipment,
        query,
        path,
        headers,
        forwarding,
        cursor,
        token,
        token_header,
        token_claims,
        key_set,
        quote,
        quote_claims,
        token_form,
        stripe_event,
        stripe_signature,
        square_event,
        square_signature,
        adyen_event,
        paypal_event,
        paypal_headers,
    )
}
