"""One client of the service, which writes down every answer that it gets."""

import asyncio
import json
from random import Random
from types import TracebackType
from typing import Any, Final, Self

import httpx

from order_jwt import issue_token
from tests.chaos.diary import Diary
from tests.chaos.heard import Answer, Heard, status_told
from tests.integration.service_process import SECRET

_MOST_TRIES: Final = 400
_PATIENCE_SECONDS: Final = 30.0
_IMPATIENCE_SECONDS: Final = 0.3
_ASK_AGAIN: Final = frozenset({"request_in_progress"})
_SERVER_ERROR: Final = 500


class Caller:
    """Asks one of the `doors` at random. `who` is the subject of its token."""

    def __init__(
        self,
        who: str,
        scopes: list[str],
        *,
        doors: list[str],
        heard: Heard,
        diary: Diary,
        chance: Random,
    ) -> None:
        self.who = who
        self.heard = heard
        self.chance = chance
        self._doors = doors
        self._diary = diary
        token = issue_token(SECRET, subject=who, scopes=scopes)
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def insist(
        self,
        asked: str,
        method: str,
        path: str,
        *,
        body: object = None,
        key: str | None = None,
        order_id: str | None = None,
    ) -> tuple[Answer, dict[str, Any]] | None:
        """Ask until there is a definite answer; None if patience ends before."""
        for number in range(_MOST_TRIES):
            if number:
                self._diary.count("retries by clients")
                await asyncio.sleep(self.chance.uniform(0.05, min(1.0, 0.1 * 2**number)))
            came = await self._once(asked, method, path, body=body, key=key, order_id=order_id)
            if came is None:
                continue
            answer, _ = came
            if answer.http_status < _SERVER_ERROR and answer.code not in _ASK_AGAIN:
                return came
        return None

    async def _once(
        self,
        asked: str,
        method: str,
        path: str,
        *,
        body: object,
        key: str | None,
        order_id: str | None,
    ) -> tuple[Answer, dict[str, Any]] | None:
        headers = {} if key is None else {"Idempotency-Key": key}
        # Some clients hang up and ask again while the first request is still running.
        impatient = self.chance.random() < 0.1
        try:
            response = await self._client.request(
                method,
                self.chance.choice(self._doors) + path,
                json=body,
                headers=headers,
                timeout=_IMPATIENCE_SECONDS if impatient else _PATIENCE_SECONDS,
            )
            document = response.json()
        except httpx.HTTPError:
            self._diary.count("answers that never came")
            return None
        except json.JSONDecodeError:
            self._diary.count("answers that were no JSON")
            return None
        answer = self._take(asked, response.status_code, document, key=key, order_id=order_id)
        return answer, document if isinstance(document, dict) else {"orders": document}

    def _take(
        self,
        asked: str,
        http_status: int,
        document: Any,
        *,
        key: str | None = None,
        order_id: str | None = None,
    ) -> Answer:
        self._diary.count(f"answer {asked} {http_status}")
        if isinstance(document, list):
            for shown in document:
                self._take_shown(asked, http_status, shown)
            document = {}
        shown = document.get("order", document)
        answer = Answer(
            at=self._diary.seconds,
            asked=asked,
            http_status=http_status,
            code=document.get("code"),
            key=key,
            order_id=shown.get("order_id") or order_id,
            order_status=status_told(http_status, document),
        )
        self.heard.take(answer)
        return answer

    def _take_shown(self, asked: str, http_status: int, shown: dict[str, Any]) -> None:
        self.heard.take(
            Answer(
                at=self._diary.seconds,
                asked=asked,
                http_status=http_status,
                order_id=shown["order_id"],
                order_status=status_told(http_status, shown),
            )
        )
