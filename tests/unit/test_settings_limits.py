"""The settings of the limits, and which limits they come to."""

import pytest

from order_limits import Rate
from order_limits.counts import MemoryCounts
from order_limits.shared_counts import SharedCounts
from order_wiring.limits import counts_of, policies_of
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.settings import Settings


def read(**variables: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
    return Settings.read(environment, installed=())


def refusal(**variables: str) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        read(**variables)
    return str(refused.value)


def limits(**variables: str) -> dict[str, str]:
    return {name: str(rate) for name, rate in policies_of(read(**variables)).items()}


def test_whoever_sets_nothing_is_limited_in_everything() -> None:
    assert limits() == {
        "customer": "600/minute",
        "staff": "6000/minute",
        "address": "6000/minute",
        "failures": "30/minute",
        "declines-of-customer": "10/hour",
        "declines-of-payment-method": "10/hour",
        # Counted so far; it is slowed down from a twentieth on.
        "declines-of-address": "1000/hour",
        "paid-by-address": "1000/hour",
        "counted-orders": "1/day",
    }


def test_off_is_off_for_all() -> None:
    settings = read(RATE_LIMIT="off")
    assert policies_of(settings) == {}
    assert counts_of(settings) is None
    assert settings.shown()["ORDER_CORE_RATE_LIMIT"] == "off"


def test_a_shop_whose_backend_is_the_only_client_counts_no_addresses() -> None:
    assert limits(RATE_LIMIT_ADDRESS="off", RATE_LIMIT="60/minute").keys() == {
        "customer",
        "staff",
        "declines-of-customer",
        "declines-of-payment-method",
        "counted-orders",
    }


def test_declines_and_failures_can_be_left_uncounted() -> None:
    assert limits(RATE_LIMIT_DECLINES="off", RATE_LIMIT_FAILURES="off").keys() == {
        "customer",
        "staff",
        "address",
    }


def test_declines_of_play_money_are_counted_only_where_somebody_asks_for_it() -> None:
    played = {"ORDER_CORE_SANDBOX": "1"}
    asked = played | {"ORDER_CORE_RATE_LIMIT_DECLINES": "10/hour"}
    mixed = played | {"ORDER_CORE_STRIPE_API_KEY": "sk", "ORDER_CORE_DEFAULT_PROVIDER": "stripe"}
    counted = [
        "declines-of-customer" in policies_of(Settings.read(each, installed=("sandbox", "stripe")))
        for each in (played, asked, mixed)
    ]
    assert counted == [False, True, True]


@pytest.mark.parametrize("name", ["", "_ADDRESS", "_FAILURES", "_DECLINES"])
def test_what_is_no_rate_is_refused_with_an_example(name: str) -> None:
    message = refusal(**{f"RATE_LIMIT{name}": "60 a minute"})
    assert f"ORDER_CORE_RATE_LIMIT{name}: must be off, or a number" in message
    assert "such as 60/minute, got '60 a minute'" in message


def test_a_limit_that_would_not_hold_is_a_mistake() -> None:
    message = refusal(RATE_LIMIT="off", RATE_LIMIT_DECLINES="5/hour", RATE_LIMIT_FAILURES="off")
    assert (
        "ORDER_CORE_RATE_LIMIT_DECLINES: does not hold while ORDER_CORE_RATE_LIMIT=off" in message
    )
    assert "FAILURES" not in message


@pytest.mark.parametrize(
    "url",
    [
        "redis",
        "memory://here",
        "redis://",
        "redis://host:0",
        "redis://host:99999",
        "redis://host/orders",
        "redis://host/0?retry_on_error=1",
        "http://host:6379",
        "redis://:hunter-two@host:port/0",
    ],
)
def test_a_storage_that_is_none_is_refused_and_its_password_not_repeated(url: str) -> None:
    message = refusal(RATE_LIMIT_STORAGE=url)
    assert "ORDER_CORE_RATE_LIMIT_STORAGE: must be memory:// or redis://HOST:PORT/NUMBER" in message
    assert "hunter-two" not in message


async def test_the_storage_decides_who_counts() -> None:
    assert isinstance(counts_of(read()), MemoryCounts)
    shared = counts_of(read(RATE_LIMIT_STORAGE="rediss://:hunter-two@counts.example:6380/3"))
    assert isinstance(shared, SharedCounts)
    await shared.close()


def test_the_password_of_the_storage_is_masked() -> None:
    shown = read(RATE_LIMIT_STORAGE="redis://:hunter-two@counts.example:6379/0").shown()
    assert shown["ORDER_CORE_RATE_LIMIT_STORAGE"] == "redis://:********@counts.example:6379/0"


def test_every_limit_is_told_of_in_its_own_words() -> None:
    assert read(RATE_LIMIT="7/second").rate_limit == Rate(7, 1)
