"""The configuration, from environment variables to values and to what is said about them."""

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from order_core.payment_terms import CaptureLate, CaptureMode
from order_wiring.given_variables import Need
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.settings import SERVING, Settings

SECRET = "a-secret-that-only-this-test-knows-of"


def read(installed: Iterable[str] = ("sandbox",), **variables: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
    return Settings.read(environment, installed=installed)


def refusal(
    installed: Iterable[str] = ("sandbox",), *, needs: Collection[Need] = (), **variables: str
) -> str:
    environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
    with pytest.raises(ConfigurationInvalid) as refused:
        Settings.read(environment, installed=installed, needs=needs)
    return str(refused.value)


def test_without_any_variable_the_defaults_are_safe() -> None:
    settings = read()

    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.prices is None
    assert settings.gateway_settings == {}
    assert settings.recovery_delay == timedelta(seconds=30)


def test_variables_of_other_programs_are_none_of_our_business() -> None:
    assert Settings.read({"PORT": "abc", "PATH": "/bin"}, installed=()).port == 8000


def test_an_empty_variable_counts_as_unset() -> None:
    assert read(PORT="", JWT_SECRET="").port == 8000


def test_every_mistake_is_named_at_once() -> None:
    message = refusal(PORT="abc", WORKERS="0", LOG_LEVEL="loud", PROT="8080")

    assert message.splitlines() == [
        "The configuration has 4 mistakes:",
        "  ORDER_CORE_LOG_LEVEL: must be one of debug, info, warning, error, got 'loud'",
        "  ORDER_CORE_PORT: must be between 1 and 65535, got 'abc'",
        "  ORDER_CORE_PROT: is not supported by this version; did you mean ORDER_CORE_PORT?",
        "  ORDER_CORE_WORKERS: must be between 1 and 64, got '0'",
    ]


def test_serving_names_what_is_missing_together_with_what_is_wrong() -> None:
    message = refusal(needs=SERVING, PORT="70000")

    for setting in ("JWT_SECRET", "PORT", "PRICES", "SANDBOX"):
        assert f"  ORDER_CORE_{setting}: " in message


def test_a_setting_that_this_version_does_not_know_is_refused() -> None:
    assert "ORDER_CORE_STRIPE_API_KEY: is not supported by this version" in refusal(
        STRIPE_API_KEY="sk_test_4eC39"
    )


@pytest.mark.parametrize("way", ["catalogue", "catalogue:", "TRUST", "signed:quotes"])
def test_the_ways_of_checking_prices_are_named(way: str) -> None:
    assert "ORDER_CORE_PRICES: must be catalogue:FILE" in refusal(PRICES=way)


def test_the_key_of_quotes_is_one_and_is_no_other_key() -> None:
    key = "a-secret-of-more-than-thirty-two-letters"

    message = refusal(QUOTE_SECRET=key, JWT_SECRET=key, QUOTE_PUBLIC_KEY_FILE=__file__)

    assert "ORDER_CORE_QUOTE_SECRET: cannot be set together with" in message
    assert "ORDER_CORE_QUOTE_SECRET: must not be ORDER_CORE_JWT_SECRET" in message
    assert key not in message
    assert "got" not in refusal(QUOTE_SECRET="too short")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///./shop.db", "sqlite+aiosqlite:///./shop.db"),
        ("sqlite:////var/lib/shop.db", "sqlite+aiosqlite:////var/lib/shop.db"),
        ("sqlite+aiosqlite:///shop.db", "sqlite+aiosqlite:///shop.db"),
        ("postgres://ann@db/shop", "postgresql+asyncpg://ann@db/shop"),
        ("postgresql://ann@db/shop", "postgresql+asyncpg://ann@db/shop"),
        ("postgresql+asyncpg://ann@db:6432/shop", "postgresql+asyncpg://ann@db:6432/shop"),
        (
            "postgresql://ann@db/shop?sslmode=require",
            "postgresql+asyncpg://ann@db/shop?ssl=require",
        ),
    ],
)
def test_the_usual_database_addresses_get_the_driver_that_we_use(given: str, used: str) -> None:
    assert read(DATABASE_URL=given).database_url.get_secret_value() == used


@pytest.mark.parametrize(
    "url",
    ["shop.db", "mysql://root@db/shop", "sqlite://", "sqlite:///:memory:", "sqlite://shop.db"],
)
def test_a_database_that_cannot_keep_orders_is_refused(url: str) -> None:
    assert "ORDER_CORE_DATABASE_URL: must " in refusal(DATABASE_URL=url)


@pytest.mark.parametrize("text", ["30s", "-1", "1e3", "inf", "nan", " 5", "٣"])
def test_a_duration_is_a_plain_number_of_seconds(text: str) -> None:
    assert "ORDER_CORE_RECOVERY_DELAY: must be a number of seconds between 0 and 86400" in refusal(
        RECOVERY_DELAY=text
    )


def test_the_bounds_of_a_duration_are_told_to_the_last_digit() -> None:
    assert "ORDER_CORE_ACTION_EXPIRY: must be a number of seconds between 1 and 2592000" in refusal(
        ACTION_EXPIRY="1e9"
    )


def test_durations_may_have_fractions() -> None:
    assert read(RECOVERY_DELAY="0.25").policy.recovery_delay == timedelta(milliseconds=250)


@pytest.mark.parametrize("text", ["1_000", "+80", "\uff18\uff10", "80 ", "0x50"])
def test_a_port_is_written_in_plain_digits(text: str) -> None:
    assert "ORDER_CORE_PORT: must be between 1 and 65535" in refusal(PORT=text)


def test_origins_are_separated_by_commas_or_blanks() -> None:
    settings = read(RETURN_ORIGINS="https://Shop.example, http://localhost:3000")

    assert settings.return_origins == ("https://shop.example", "http://localhost:3000")


@pytest.mark.parametrize(
    "text",
    [
        "shop.example",
        "https://shop.example/",
        "https://shop.example/basket",
        "ftp://shop.example",
        "https://ann@shop.example",
        "https://shop.example:99999",
        "*",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    assert "ORDER_CORE_RETURN_ORIGINS: must be origins such as" in refusal(RETURN_ORIGINS=text)


def test_a_short_secret_is_refused_and_not_shown() -> None:
    message = refusal(JWT_SECRET="hunter2")

    assert "ORDER_CORE_JWT_SECRET: must have at least 32 characters" in message
    assert "hunter2" not in message


def test_a_mistaken_database_address_is_not_shown_because_of_its_password() -> None:
    assert "hunter2" not in refusal(DATABASE_URL="mysql://ann:hunter2@db/shop")


def test_a_secret_and_a_public_key_exclude_each_other(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("whatever")

    assert "ORDER_CORE_JWT_SECRET: cannot be set together with" in refusal(
        JWT_SECRET=SECRET, JWT_PUBLIC_KEY_FILE=str(key)
    )


def test_a_key_file_that_is_not_there_is_named() -> None:
    assert (
        "ORDER_CORE_JWT_PUBLIC_KEY_FILE: must be a file that can be read (No such file or "
        "directory), got '/nowhere/key.pem'"
    ) in refusal(JWT_PUBLIC_KEY_FILE="/nowhere/key.pem")


@pytest.mark.parametrize("url", ["smtp://mail.shop.example:587", "https://api.mail.example/send"])
def test_mail_that_is_really_sent_needs_a_sender(url: str) -> None:
    assert "ORDER_CORE_MAIL_FROM: must be set" in refusal(MAIL_URL=url)


def test_a_sender_with_a_line_break_is_refused() -> None:
    assert "ORDER_CORE_MAIL_FROM: must be an e-mail address" in refusal(
        MAIL_FROM="Shop <orders@shop.example>\nBcc: eve@example.com"
    )


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = read(
        DATABASE_URL="postgresql://ann:hunter2@db/shop",
        JWT_SECRET=SECRET,
        MAIL_URL="https://api.mail.example/send?api_key=hunter3",
        MAIL_FROM="orders@shop.example",
    )
    everything = repr(settings) + str(settings) + repr(settings.shown())

    assert "hunter" not in everything
    assert SECRET not in everything
    shown = settings.shown()
    assert shown["ORDER_CORE_DATABASE_URL"] == "postgresql+asyncpg://ann:********@db/shop"
    assert shown["ORDER_CORE_MAIL_URL"] == "https://api.mail.example/send?********"
    assert shown["ORDER_CORE_CHARGE_WINDOW"] == "600"
    assert shown["ORDER_CORE_SANDBOX"] == "0"


def test_the_path_of_a_database_file_is_shown_as_it_is() -> None:
    shown = read(DATABASE_URL="sqlite:////var/lib/shop.db").shown()

    assert shown["ORDER_CORE_DATABASE_URL"] == "sqlite+aiosqlite:////var/lib/shop.db"


def test_settings_of_a_gateway_go_to_that_gateway() -> None:
    settings = read(["sandbox", "pay", "pay-later"], PAY_KEY="k1", PAY_LATER_KEY="k2",
                    DEFAULT_PROVIDER="pay")  # fmt: skip

    assert settings.gateway_settings == {
        "pay": {"PAY_KEY": "k1"},
        "pay-later": {"PAY_LATER_KEY": "k2"},
    }


def test_the_sandbox_is_off_until_it_is_switched_on() -> None:
    assert read(SANDBOX_LEDGER="ledger.sqlite3").gateway_settings == {}
    assert read(SANDBOX="1", SANDBOX_LEDGER="ledger.sqlite3").gateway_settings == {
        "sandbox": {"SANDBOX": "1", "SANDBOX_LEDGER": "ledger.sqlite3"}
    }


def test_the_only_gateway_is_the_default_one() -> None:
    assert read(SANDBOX="1").provider_by_default == "sandbox"


def test_among_several_gateways_somebody_must_choose() -> None:
    assert "ORDER_CORE_DEFAULT_PROVIDER: must be set when several" in refusal(
        ["sandbox", "acme"], SANDBOX="1", ACME_KEY="k"
    )


def test_a_default_provider_that_is_off_is_refused() -> None:
    assert (
        "ORDER_CORE_DEFAULT_PROVIDER: must be one of the gateways that are switched on "
        "(sandbox), got 'stripe'"
    ) in refusal(SANDBOX="1", DEFAULT_PROVIDER="stripe")


def test_reading_settings_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    read(JWT_SECRET=SECRET)

    assert not caplog.records


def test_the_shop_decides_when_money_is_taken() -> None:
    assert read().policy.capture is CaptureMode.IMMEDIATE
    assert read().policy.capture_late is CaptureLate.CANCEL

    policy = read(CAPTURE="on_processing", CAPTURE_LATE="capture").policy

    assert (policy.capture, policy.capture_late) == (
        CaptureMode.ON_PROCESSING,
        CaptureLate.CAPTURE,
    )


def test_when_money_is_taken_is_one_of_a_few_words() -> None:
    message = refusal(CAPTURE="later", CAPTURE_LATE="never")

    assert "ORDER_CORE_CAPTURE: must be immediate or on_processing, got 'later'" in message
    assert "ORDER_CORE_CAPTURE_LATE: must be cancel or capture, got 'never'" in message
