"""Which tokens were called back, asked of whoever issued them (RFC 7662)."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import quote_plus

import httpx

from order_core.errors import TokenUnverifiable
from order_jwt.asking import OpenClient, client_for, json_answer, readable_within
from order_jwt.claims import Proof
from order_jwt.fetch_keys import IssuerUnreadable
from order_jwt.proven_tokens import MOST_TOKENS, digest_of

ASK_SECONDS: Final = 2.0
"""For one question, waiting for a connection included."""

_log = logging.getLogger("order_jwt.introspection")


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """Where an issuer is asked, and as whom. Its address was checked."""

    address: str
    client_id: str
    client_secret: str = field(repr=False)

    async def says_active(self, token: str, client: httpx.AsyncClient) -> bool:
        """Whether the issuer stands by `token`.

        Raises:
            IssuerUnreadable: it does not say, in time and in so many words.
        """
        async with readable_within(ASK_SECONDS):
            try:
                answer = await self._answer(token, client)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                # A connection that was kept may have been closed in the moment of its use.
                answer = await self._answer(token, client)
            match answer:
                case {"active": bool(active)}:
                    return active
                case _:
                    raise ValueError("it did not say whether the token is active")

    async def _answer(self, token: str, client: httpx.AsyncClient) -> object:
        # RFC 6749, 2.3.1: otherwise a colon in the id would begin the secret.
        proof = httpx.BasicAuth(quote_plus(self.client_id), quote_plus(self.client_secret))
        form = {"token": token, "token_type_hint": "access_token"}
        request = client.build_request("POST", self.address, data=form)
        return await json_answer(client, request, proof)


@dataclass(frozen=True, slots=True)
class _Word:
    asked_at: float
    revoked: bool


class Introspection:
    """Keeps the port `Revocations` by asking about each token of `issuer`, and of no other.

    A word of the issuer counts for `max_age` from its question on, whether it is good or bad:
    so long a token that was called back may go on, and so long one that was not is no further
    question. The words about the `most` tokens that came last are remembered, under digests.
    Where there is no word that counts, nobody gets in. Requests that bear one token at the
    same time share one question. `ticks` are seconds of a clock that is never set back.
    """

    def __init__(
        self,
        endpoint: IntrospectionEndpoint,
        *,
        issuer: str | None,
        max_age: timedelta,
        most: int = MOST_TOKENS,
        open_client: OpenClient = client_for,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._issuer = issuer
        self._max_age = max_age.total_seconds()
        self._most = most
        self._client = open_client(endpoint.address)
        self._ticks = ticks
        self._words: OrderedDict[bytes, _Word] = OrderedDict()
        self._questions: dict[bytes, asyncio.Task[_Word | None]] = {}
        self._silent = False

    async def is_revoked(self, proof: Proof, token: str, /) -> bool:
        if proof.issuer != self._issuer:
            return False
        digest = digest_of(token)
        word = self._words.get(digest)
        if word is None or self._ticks() - word.asked_at >= self._max_age:
            # A caller who goes away must not take the question from the others.
            word = await asyncio.shield(self._question(digest, token))
        if word is None:
            raise TokenUnverifiable("the issuer does not say whether the token was revoked")
        return word.revoked

    async def close(self) -> None:
        """Ask nothing more."""
        for question in self._questions.values():
            question.cancel()
        await self._client.aclose()

    def _question(self, digest: bytes, token: str) -> "asyncio.Task[_Word | None]":
        """The one that is under way, or a new one; its result is None if nobody answers."""
        question = self._questions.get(digest)
        if question is None:
            question = asyncio.create_task(self._ask(digest, token))
            self._questions[digest] = question
        return question

    async def _ask(self, digest: bytes, token: str) -> _Word | None:
        # The word's age counts from the question: the answer may have been long on its way.
        asked_at = self._ticks()
        try:
            active = await self._endpoint.says_active(token, self._client)
        except IssuerUnreadable as unreadable:
            self._note_silence(unreadable)
            return None
        finally:
            del self._questions[digest]
        if self._silent:
            self._silent = False
            _log.warning("The issuer says again which tokens are active.")
        word = _Word(asked_at, revoked=not active)
        self._words[digest] = word
        self._words.move_to_end(digest)
        if len(self._words) > self._most:
            self._words.popitem(last=False)
        return word

    def _note_silence(self, unreadable: IssuerUnreadable) -> None:
        # Once, and not for each of the requests that it turns away.
        if not self._silent:
            self._silent = True
            _log.warning("The issuer does not say which tokens are active: %s.", unreadable)
