"""PayPal's own Python SDK as OAuth2 client and transport, with its defects mended.

Of `paypalrestsdk` 1.13.3 only `Api` serves: it keeps the credentials, the endpoint, the user
agent and the form of the token request. What it does with a request is replaced, because it
waits for ever, asks for tokens without end, copies headers onto the token request, returns
errors as if they were answers, sends a body with GET and logs secrets.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, NoReturn
from urllib.parse import urlencode

import paypalrestsdk  # type: ignore[import-untyped]
import requests
import urllib3
from requests.adapters import HTTPAdapter

from order_paypal.api import ApiAnswer, ApiRequest, NoAnswer, RequestNotSent
from order_paypal.reading import inside

CONNECT_SECONDS: Final = 3.05
READ_SECONDS: Final = 10.0
_MOST_BYTES: Final = 2**20
_CHUNK_BYTES: Final = 2**16
_LONGEST_RETRY_AFTER_SECONDS: Final = 600
_SKEW_SECONDS: Final = 60.0
_LONGEST_TOKEN_SECONDS: Final = 12 * 3600.0
_PATH: Final = re.compile(r"/v[12](/[A-Za-z0-9_-]+)+")
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_RATE_LIMITED: Final = 429
_TOKEN_PATH: Final = "/v1/oauth2/token"  # noqa: S105 - an address

# The request did not leave if one of these stands at the bottom of what was raised.
_BEFORE_THE_FIRST_BYTE: Final = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
)


class PayPalTransport(paypalrestsdk.Api):  # type: ignore[misc]
    """A connection to the account of `client_id` at `endpoint`, for several threads.

    `connections` is how many it keeps open, `monotonic` a clock in seconds.
    """

    token_hash: str | None

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        endpoint: str,
        connections: int = 16,
        monotonic: Callable[[], float] = time.monotonic,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        # "live" whatever the endpoint: in the other mode the SDK logs secrets.
        super().__init__(
            mode="live",
            client_id=client_id,
            client_secret=client_secret,
            endpoint=endpoint.rstrip("/"),
            proxies=dict(proxies or {}),
        )
        self._monotonic = monotonic
        self._token_lock = threading.Lock()
        self._token_ends_at = 0.0
        self._session = requests.Session()
        # A ~/.netrc would replace our Authorization header.
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=connections, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"PayPalTransport({self.endpoint!r})"

    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        if not _PATH.fullmatch(request.path):
            raise RequestNotSent("bad_path")
        token = self.get_token_hash(until=until)
        answer = self._exchange(request, token, until, may_leave)
        if answer.status != _UNAUTHORIZED:
            return answer
        # Once, and with a fresh token: PayPal may have withdrawn the old one.
        self._forget(token)
        return self._exchange(request, self.get_token_hash(until=until), until, may_leave)

    def close(self) -> None:
        self._session.close()

    # Instead of what the SDK does ---------------------------------------------------------

    def get_token_hash(self, *, until: float) -> str:
        """The access token, fetched once for all threads.

        Raises:
            RequestNotSent: there is none to be had.
        """
        if not self._token_lock.acquire(timeout=max(0.0, until - self._monotonic())):
            raise RequestNotSent("no_token_in_time")
        try:
            if self.token_hash is None or self._monotonic() >= self._token_ends_at:
                self.token_hash = self._fetched_token(until)
            return self.token_hash
        finally:
            self._token_lock.release()

    def http_call(
        self,
        url: str,
        method: str,
        *,
        headers: Mapping[str, str],
        until: float,
        data: bytes | None = None,
        may_leave: Callable[[], bool] = lambda: True,
    ) -> ApiAnswer:
        """One request and its answer; whatever goes wrong is one of two errors."""
        left = until - self._monotonic()
        if left <= 0:
            raise RequestNotSent("no_time_left")
        if not may_leave():
            raise RequestNotSent("too_late")
        try:
            with self._session.request(
                method,
                url,
                data=data,
                headers=dict(headers),
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                allow_redirects=False,
                proxies=self.proxies,
                stream=True,
            ) as response:
                return ApiAnswer(
                    response.status_code,
                    _readable(self._body(response, until)),
                    _retry_after(response.headers.get("Retry-After", "")),
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # The text of these errors holds addresses and headers: only the name is kept.
            if _never_left(error):
                raise RequestNotSent(f"cannot_connect:{type(error).__name__}") from None
            raise NoAnswer(f"connection_failed:{type(error).__name__}") from None

    def request(self, *_: object, **__: object) -> NoReturn:
        """Refuse the SDK's own way of calling: it recurses on 401 and answers with errors.

        Raises:
            TypeError: always.
        """
        raise TypeError("use PayPalTransport.call")

    # Inside -------------------------------------------------------------------------------

    def _exchange(
        self, request: ApiRequest, token: str, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": str(self.user_agent),
        }
        if request.changes_something:
            headers["Content-Type"] = "application/json"
        if request.method == "POST":
            headers["Prefer"] = "return=representation"
        if request.key is not None:
            headers["PayPal-Request-Id"] = request.key
        query = f"?{urlencode(request.query)}" if request.query else ""
        return self.http_call(
            f"{self.endpoint}{request.path}{query}",
            request.method,
            headers=headers,
            data=None if request.body is None else json.dumps(request.body).encode(),
            until=until,
            may_leave=may_leave,
        )

    def _fetched_token(self, until: float) -> str:
        try:
            answer = self.http_call(
                f"{self.token_endpoint}{_TOKEN_PATH}",
                "POST",
                headers={
                    "Authorization": f"Basic {self.basic_auth()}",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": str(self.user_agent),
                },
                data=b"grant_type=client_credentials",
                until=until,
            )
        except NoAnswer as error:
            # The request that the token was for has not left.
            raise RequestNotSent(f"no_token:{error.because}") from error
        if answer.status in {_UNAUTHORIZED, 403}:
            raise RequestNotSent("misconfigured:credentials_refused")
        if answer.status == _RATE_LIMITED:
            raise RequestNotSent("no_token:rate_limited")
        body = inside(answer.body)
        token, life = body.get("access_token"), body.get("expires_in")
        if answer.status != _OK or not isinstance(token, str) or not token.isascii():
            raise RequestNotSent(f"no_token:status_{answer.status}")
        seconds = float(life) if isinstance(life, int | float) else 0.0
        self._token_ends_at = (
            self._monotonic() + min(seconds, _LONGEST_TOKEN_SECONDS) - _SKEW_SECONDS
        )
        return token

    def _forget(self, token: str) -> None:
        with self._token_lock:
            # Another thread may have fetched a fresh one meanwhile.
            if self.token_hash == token:
                self.token_hash = None

    def _body(self, response: requests.Response, until: float) -> bytes:
        received = bytearray()
        # `read1` comes back with whatever is there, so that a trickle cannot outlast `until`.
        while chunk := response.raw.read1(_CHUNK_BYTES):
            received += chunk
            if len(received) > _MOST_BYTES:
                raise NoAnswer("answer_too_long")
            if self._monotonic() > until:
                raise NoAnswer("answer_too_slow")
        return bytes(received)


def _readable(body: bytes) -> dict[str, object] | None:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _retry_after(header: str) -> float | None:
    if not re.fullmatch(r"[0-9]{1,6}", header):
        return None
    return float(min(int(header), _LONGEST_RETRY_AFTER_SECONDS))


def _never_left(error: BaseException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    seen: list[BaseException] = []
    following: list[object] = [error]
    while following and len(seen) < 20:  # noqa: PLR2004 - no chain of errors is that long
        cause = following.pop()
        if not isinstance(cause, BaseException) or cause in seen:
            continue
        if isinstance(cause, _BEFORE_THE_FIRST_BYTE) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return True
        seen.append(cause)
        following += [cause.__cause__, getattr(cause, "reason", None), *cause.args]
    return False
