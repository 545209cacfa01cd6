"""How many requests are taken of whom, and how clients are told."""

import ipaddress
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NoReturn, Protocol

from starlette.requests import Request
from starlette.types import Scope

from order_core.ports.token_verifier import Principal
from order_http.authentication import is_staff
from order_http.metrics import Metrics
from order_http.problems import Problem
from order_http.proven_tokens import ProvenTokens

ADDRESS: Final = "address"
FAILURES: Final = "failures"
CUSTOMER: Final = "customer"
STAFF: Final = "staff"

_TOLD: Final = "order_http.quotas"
_LONGEST_HOST: Final = 45
_MOST_KEPT_OUT: Final = 10_000
_PREFIX_OF_A_SITE: Final = 64


class Quota(Protocol):
    """What is left of one limit for one of those whom it counts."""

    @property
    def policy(self) -> str: ...
    @property
    def amount(self) -> int:
        """So often it may happen..."""
        ...

    @property
    def window_seconds(self) -> int:
        """...within this time."""
        ...

    @property
    def remaining(self) -> int: ...
    @property
    def wait_seconds(self) -> int:
        """Until more is left than now; 0 when nothing was counted."""
        ...


class Counts(Protocol):
    """Counts of what happened lately. No method raises: a limit must not be what fails."""

    @property
    def policies(self) -> frozenset[str]:
        """The limits that are switched on; the methods take no others."""
        ...

    @property
    def shared_is_up(self) -> bool:
        """False while processes that should count together cannot."""
        ...

    async def count(self, policy: str, key: str, /) -> bool:
        """Count once more; False, and nothing counted, where the limit is reached."""
        ...

    async def look(self, *counted: tuple[str, str]) -> Sequence[Quota]:
        """What is left of each (policy, key); nothing is counted."""
        ...

    async def take(self, policy: str, key: str, /) -> tuple[bool, Quota]:
        """Count once more, and say what is left then."""
        ...


class RateLimits:
    """Asks the counts, and turns away whoever has used up what he may."""

    def __init__(
        self, counts: Counts, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.counts = counts
        self._clock = clock
        self._kept_out: dict[str, float] = {}
        self._proven = ProvenTokens()
        self._metrics = metrics
        metrics.watch_limits(lambda: counts.shared_is_up)

    async def admit_address(
        self, address: str, scope: Scope, *, proves_something: bool, by_token: bool
    ) -> None:
        """Before anybody knows who asks.

        `proves_something`: it carries what could be guessed; `by_token`: a bearer token only.
        A token that was proven lately is no guess, so its holder is not kept out by a guesser
        behind the same address.

        Raises:
            Problem: 429; the address asks too often, or failed too often to prove anything.
        """
        on = self.counts.policies
        if ADDRESS in on and not await self.counts.count(ADDRESS, address):
            self.refuse(*await self.counts.look((ADDRESS, address)), detail=_TOO_MANY)
        if proves_something and (until := self._kept_out.get(address)):
            if self._clock() < until:
                if by_token and self._proven.knows(scope):
                    return
                self.refuse(*await self.counts.look((FAILURES, address)), detail=_TOO_MANY_FAILURES)
            del self._kept_out[address]

    async def count_failure(self, address: str, scope: Scope) -> None:
        """Something of this address proved nothing."""
        self._proven.forget(scope)
        if FAILURES not in self.counts.policies:
            return
        _, quota = await self.counts.take(FAILURES, address)
        if not quota.remaining:
            # Kept here, so that nobody who never failed has to be looked up.
            if len(self._kept_out) >= _MOST_KEPT_OUT:
                self._kept_out.pop(next(iter(self._kept_out)))
            self._kept_out[address] = self._clock() + quota.wait_seconds

    async def admit_customer(self, request: Request, principal: Principal) -> None:
        """After it is known who asks.

        Raises:
            Problem: 429.
        """
        if FAILURES in self.counts.policies:
            self._proven.note(request.scope)
        policy = STAFF if is_staff(principal) else CUSTOMER
        if policy not in self.counts.policies:
            return
        admitted, quota = await self.counts.take(policy, principal.subject)
        tell(request.scope, quota)
        if not admitted:
            self.refuse(quota, detail=_TOO_MANY)

    def refuse(self, *quotas: Quota, detail: str, wait_seconds: int | None = None) -> NoReturn:
        """Turn the request away, because each of `quotas` is used up.

        Raises:
            Problem: 429, always.
        """
        wait = max(1, *(quota.wait_seconds for quota in quotas))
        names = [quota.policy for quota in quotas]
        for name in names:
            self._metrics.count_refusal(name)
        raise Problem(
            "rate_limited",
            detail,
            headers={
                **headers_of(quotas),
                "Retry-After": str(wait_seconds or wait),
            },
            members={"violated-policies": names},
        )


_TOO_MANY: Final = (
    "Too many requests came, and this one was not carried out. Repeat it later, with the same "
    "Idempotency-Key if it had one: the answer tells what became of an earlier one."
)
_TOO_MANY_FAILURES: Final = "Too many tokens that prove nothing came from your address."


def tell(scope: Scope, *quotas: Quota) -> None:
    """Let the answer to this request say what is left."""
    scope.setdefault(_TOLD, []).extend(quotas)


def told(scope: Scope) -> Sequence[Quota]:
    """What the answer is to say."""
    quotas: Sequence[Quota] = scope.get(_TOLD, ())
    return quotas


def headers_of(quotas: Sequence[Quota]) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers-10 has them."""
    if not quotas:
        return {}
    return {"RateLimit": _left(quotas), "RateLimit-Policy": _whole(quotas)}


def raw_headers_of(quotas: Sequence[Quota]) -> tuple[tuple[bytes, bytes], ...]:
    """The same, as an answer has them; there is at least one."""
    return (
        (b"ratelimit", _left(quotas).encode()),
        (b"ratelimit-policy", _whole(quotas).encode()),
    )


def _left(quotas: Sequence[Quota]) -> str:
    return ", ".join(
        [f'"{each.policy}";r={each.remaining};t={each.wait_seconds}' for each in quotas]
    )


def _whole(quotas: Sequence[Quota]) -> str:
    return ", ".join(
        [f'"{each.policy}";q={each.amount};w={each.window_seconds}' for each in quotas]
    )


def address_in(scope: Scope) -> str | None:
    """Whom an address stands for: all of an IPv6 site is one. None: there is no address."""
    client = scope.get("client")
    if not client or not client[0]:
        return None
    host: str = client[0]
    return _site_of(host) if ":" in host else host[:_LONGEST_HOST]


@lru_cache(maxsize=4096)
def _site_of(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return host[:_LONGEST_HOST]
    # Whoever has one address of a site has all 2**64 of them.
    prefix = int(address) >> (128 - _PREFIX_OF_A_SITE) << (128 - _PREFIX_OF_A_SITE)
    return f"{ipaddress.IPv6Address(prefix)}/{_PREFIX_OF_A_SITE}"
