"""Which limits hold, and where they are counted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from order_http.card_testing import (
    BY_ADDRESS,
    BY_CUSTOMER,
    BY_METHOD,
    COUNTED,
    COUNTED_FURTHER,
    PAID_BY_ADDRESS,
)
from order_http.rate_limits import ADDRESS, CUSTOMER, FAILURES, STAFF
from order_limits import Rate
from order_limits.counts import MemoryCounts
from order_wiring.given_variables import PREFIX, SANDBOX
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.settings import Settings

if TYPE_CHECKING:
    from order_limits.shared_counts import SharedCounts

STAFF_FACTOR: Final = 10
"""Staff works on the orders of many customers."""
ADDRESS_FACTOR: Final = 5
"""Behind one address there may be many customers."""
# A flood from one address must not become one of questions to Redis.
_ALONE: Final = frozenset({ADDRESS})
_ONCE_A_DAY: Final = Rate(1, 86_400)


def policies_of(settings: Settings) -> Mapping[str, Rate]:
    """The name of each limit that is on; none if all are off."""
    if not settings.rate_limit:
        return {}
    policies = {
        CUSTOMER: settings.rate_limit,
        STAFF: settings.rate_limit.times(STAFF_FACTOR),
    }
    by_address = settings.rate_limit_address
    if by_address:
        policies[ADDRESS] = by_address
        if settings.rate_limit_failures:
            policies[FAILURES] = settings.rate_limit_failures
    if declines := _declines(settings):
        policies |= {BY_CUSTOMER: declines, BY_METHOD: declines, COUNTED: _ONCE_A_DAY}
        if by_address:
            of_address = declines.times(ADDRESS_FACTOR * COUNTED_FURTHER)
            policies |= {BY_ADDRESS: of_address, PAID_BY_ADDRESS: of_address}
    return policies


def _declines(settings: Settings) -> Rate | None:
    # Play money has a handful of tokens that all customers share, and none of them is stolen.
    only_play = set(settings.gateway_settings) == {SANDBOX}
    if only_play and "rate_limit_declines" not in settings.model_fields_set:
        return None
    return settings.rate_limit_declines or None


def effective_limits(settings: Settings) -> dict[str, str]:
    """Those that are off because of other settings, by the names of their own."""
    off = [] if _declines(settings) else ["RATE_LIMIT_DECLINES"]
    if not settings.rate_limit:
        off = ["RATE_LIMIT_ADDRESS", "RATE_LIMIT_FAILURES", "RATE_LIMIT_DECLINES"]
    return {f"{PREFIX}{name}": "off" for name in off}


def counts_of(settings: Settings) -> "MemoryCounts | SharedCounts | None":
    """Where it is counted, to be closed in the end; None if nothing is limited.

    Redis need not answer: while it does not, each process counts for itself.

    Raises:
        ConfigurationInvalid: the package that speaks with Redis is not installed.
    """
    policies = policies_of(settings)
    url = settings.rate_limit_storage.get_secret_value()
    if not policies:
        return None
    if url == "memory://":
        return MemoryCounts(policies)
    try:
        from order_limits.shared_counts import SharedCounts
    except ImportError:
        because = "needs a package that is not installed: pip install 'order-core[redis]'"
        raise ConfigurationInvalid([Mistake(f"{PREFIX}RATE_LIMIT_STORAGE", because)]) from None
    return SharedCounts(policies, url, prefix=f"order-core:{settings.installation}", alone=_ALONE)
