"""The settings of the embedded issuer."""

from datetime import timedelta

import pytest

from order_wiring.given_variables import Need
from order_wiring.issuing import issuer_settings
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.settings import Settings

SECRET = "thirty-two-bytes-that-wrap-all-keys"


def read(*, need: Need | None = None, **variables: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
    return Settings.read(environment, installed=["sandbox"], needs=[need] if need else [])


def refusal(**variables: str) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        read(need=None, **variables)
    return str(refused.value)


def test_there_is_no_issuer_unless_somebody_wants_one() -> None:
    assert not read().oauth


def test_the_issuer_may_be_the_only_source_of_tokens() -> None:
    settings = read(need=Need.KEY, OAUTH="1", OAUTH_KEY_SECRET=SECRET)

    assert settings.jwt_secret is None
    with pytest.raises(ConfigurationInvalid, match="JWT_SECRET: must be set"):
        read(need=Need.KEY, OAUTH="0", OAUTH_KEY_SECRET=SECRET)


def test_it_is_called_by_where_it_is_or_as_it_is_told() -> None:
    here = issuer_settings(read(OAUTH="1", OAUTH_KEY_SECRET=SECRET, PORT="8123"))
    there = issuer_settings(
        read(
            OAUTH="1",
            OAUTH_KEY_SECRET=SECRET,
            OAUTH_ISSUER="https://Shop.example",
            JWT_AUDIENCE="orders",
            OAUTH_ACCESS_LIFETIME="300",
        )
    )

    assert (here.issuer, here.audience) == ("http://127.0.0.1:8123",) * 2
    assert (there.issuer, there.audience) == ("https://shop.example", "orders")
    assert there.access_lifetime == timedelta(minutes=5)


def test_what_it_cannot_do_without_is_named() -> None:
    assert "OAUTH_KEY_SECRET: must be set while ORDER_CORE_OAUTH=1" in refusal(OAUTH="1")
    assert "OAUTH_ISSUER: must be set" in refusal(
        OAUTH="1", OAUTH_KEY_SECRET=SECRET, HOST="192.0.2.7", ALLOW_HTTP="1"
    )


@pytest.mark.parametrize(
    "issuer",
    [
        "http://shop.example",
        "https://shop.example/",
        "https://shop.example/tokens",
        "https://shop.example?x=1",
        "shop.example",
        "https://a.example,https://b.example",
    ],
)
def test_its_name_is_one_origin_with_https(issuer: str) -> None:
    assert "OAUTH_ISSUER: must be" in refusal(OAUTH_ISSUER=issuer)


def test_two_issuers_need_two_names() -> None:
    assert "OAUTH_ISSUER: is the name of another issuer" in refusal(
        OAUTH="1",
        OAUTH_KEY_SECRET=SECRET,
        OAUTH_ISSUER="https://id.example",
        OIDC_ISSUER="https://id.example",
        JWT_AUDIENCE="orders",
    )


def test_its_secret_is_long_and_never_shown() -> None:
    message = refusal(OAUTH="1", OAUTH_KEY_SECRET="too-short-to-be-one")

    assert "OAUTH_KEY_SECRET" in message
    assert "too-short" not in message
    settings = read(OAUTH="1", OAUTH_KEY_SECRET=SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.shown())


def test_a_session_that_would_outlive_itself_is_refused() -> None:
    settings = read(OAUTH_REFRESH_IDLE="7200", OAUTH_REFRESH_LIFETIME="3600")

    with pytest.raises(ConfigurationInvalid, match="OAUTH_REFRESH_IDLE: an idle refresh token"):
        issuer_settings(settings)
