"""The HTTP client under Adyen's SDK: no redirects, no surprises, bounded in time and size."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests

LARGEST_ANSWER: Final = 2_000_000
_CONNECT_SECONDS: Final = 3.0


def _plain_session() -> requests.Session:
    session = requests.Session()
    # Else a .netrc file could add credentials of its own, and a variable a proxy.
    session.trust_env = False
    return session


class Connection:
    """Takes the place of the SDK's own client, which follows redirects and reads without end."""

    def __init__(
        self, seconds: float, session: Callable[[], requests.Session] = _plain_session
    ) -> None:
        self.user_agent = "order-core"
        self._seconds = seconds
        self._session = session
        self._own = threading.local()

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,  # noqa: ANN401 - whatever JSON can hold
        xapikey: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[str, object, int, Mapping[str, str]]:
        """What the SDK expects: text of the answer, request, status and headers."""
        ends = time.monotonic() + self._seconds
        with self._mine().request(
            method,
            url,
            json=json,
            headers={**(headers or {}), "x-api-key": xapikey},
            timeout=(_CONNECT_SECONDS, self._seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for chunk in response.iter_content(65_536):
                body += chunk
                if len(body) > LARGEST_ANSWER or time.monotonic() > ends:
                    raise requests.ReadTimeout("the answer does not end")
            return body.decode(), json, response.status_code, response.headers

    def _mine(self) -> requests.Session:
        # Sessions are not made for several threads.
        session: Any = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = self._session()
        found: requests.Session = session
        return found
