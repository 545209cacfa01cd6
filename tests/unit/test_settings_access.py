"""Where the keys that prove tokens may come from, and what must be said beside it."""

from datetime import timedelta

import pytest

from order_jwt import Trust
from order_memory import ManualClock
from order_wiring.given_variables import Need
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.revocations import introspection_of
from order_wiring.settings import Settings
from order_wiring.tokens import look_at_issuer, token_for, token_verifier, trust_of

ISSUER = "https://id.shop.example/realms/shop"
KEYS = "https://id.shop.example/keys?policy=shop"


def read(**variables: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in variables.items()}
    return Settings.read(environment, installed=(), needs=[Need.KEY])


def refusal(**variables: str) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        read(**variables)
    return str(refused.value)


def test_an_issuer_and_an_audience_are_enough_to_believe_tokens() -> None:
    settings = read(OIDC_ISSUER=ISSUER, JWT_AUDIENCE="orders")

    trust = trust_of(settings)
    assert (trust.issuer, trust.audience) == (ISSUER, "orders")
    assert token_verifier(settings, ManualClock()) is not None


def test_another_issuer_beside_our_own_cannot_speak_for_our_clients() -> None:
    others = {"OIDC_ISSUER": ISSUER, "JWT_AUDIENCE": "orders"}
    ours = {"OAUTH": "1", "OAUTH_KEY_SECRET": "k" * 32}

    assert trust_of(read(**others, **ours)).foreign_prefix == "client-"
    assert trust_of(read(**others)).foreign_prefix is None
    with pytest.raises(ValueError, match="is a client"):
        token_for(
            read(JWT_SECRET="s" * 32, **ours),
            subject="client-backend",
            scope="",
            lifetime=timedelta(hours=1),
            email=None,
        )


def test_one_name_for_two_issuers_is_a_mistake_however_it_is_written() -> None:
    settings = read(JWT_SECRET="s" * 32, JWT_ISSUER="https://shop.example")
    ours = Trust(trust_of(settings).keys, "https://shop.example")

    with pytest.raises(ConfigurationInvalid, match=r"OAUTH_ISSUER: .* is trusted twice"):
        token_verifier(settings, ManualClock(), [ours])


def test_the_address_of_keys_needs_to_be_told_whose_they_are() -> None:
    trust = trust_of(read(JWKS_URL=KEYS, JWT_ISSUER="the-shop", JWT_AUDIENCE="orders"))

    assert (trust.issuer, trust.audience) == ("the-shop", "orders")
    assert "ORDER_CORE_JWKS_URL: needs ORDER_CORE_JWT_ISSUER beside it" in refusal(
        JWKS_URL=KEYS, JWT_AUDIENCE="orders"
    )


@pytest.mark.parametrize("source", [{"OIDC_ISSUER": ISSUER}, {"JWKS_URL": KEYS}])
def test_an_issuer_for_whose_other_services_tokens_are_made_too_needs_an_audience(
    source: dict[str, str],
) -> None:
    message = refusal(**source, **({"JWT_ISSUER": "us"} if "JWKS_URL" in source else {}))

    assert f"ORDER_CORE_{next(iter(source))}: needs ORDER_CORE_JWT_AUDIENCE beside it" in message


@pytest.mark.parametrize(
    "other", [{"JWT_SECRET": "s" * 32}, {"JWKS_URL": KEYS}, {"JWT_ISSUER": "us"}]
)
def test_two_sources_of_keys_or_two_names_of_the_issuer_are_refused(other: dict[str, str]) -> None:
    message = refusal(OIDC_ISSUER=ISSUER, JWT_AUDIENCE="orders", **other)

    assert "cannot be set together with ORDER_CORE_" in message


@pytest.mark.parametrize(
    ("issuer", "because"),
    [
        ("http://id.shop.example", "must begin with https://"),
        ("http://127.0.0.1.shop.example", "must begin with https://"),
        ("http://2130706433/", "must begin with https://"),
        ("ftp://id.shop.example", "must begin with https://"),
        ("file:///etc/keys", "must be an address such as"),
        ("id.shop.example", "must be an address such as"),
        ("https://", "must be an address such as"),
        ("https://id.shop.example:port", "must be an address such as"),
        ("https://id.shop.example/#keys", "must be an address such as"),
        ("https://id.shop.example\\@evil.example", "must be an address such as"),
        ("https://id.shop.example/a b", "must be an address such as"),
        ("https://id.shöp.example", "must be an address such as"),
        ("https://id.shop.example/" + "x" * 2000, "must be an address such as"),
        ("https://id.shop.example/?realm=shop", "which has no query"),
    ],
)
def test_an_issuer_that_anybody_could_answer_for_is_refused(issuer: str, because: str) -> None:
    message = refusal(OIDC_ISSUER=issuer, JWT_AUDIENCE="orders")

    assert "ORDER_CORE_OIDC_ISSUER: " in message
    assert because in message


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    message = refusal(OIDC_ISSUER="https://ann:hunter2@id.shop.example", JWT_AUDIENCE="orders")

    assert "ORDER_CORE_OIDC_ISSUER: must not hold a user or a password" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_an_issuer_on_this_machine_needs_no_https(host: str) -> None:
    assert read(OIDC_ISSUER=f"http://{host}", JWT_AUDIENCE="orders").oidc_issuer is not None


async def test_without_an_issuer_there_is_nobody_to_ask() -> None:
    assert await look_at_issuer(read(JWT_SECRET="s" * 32)) == ""


ASKING = {
    "INTROSPECTION_URL": "https://id.shop.example/introspect",
    "INTROSPECTION_CLIENT_ID": "the-orders",
    "INTROSPECTION_CLIENT_SECRET": "hunter2",
}


def test_an_issuer_is_asked_about_its_tokens_as_a_client_whose_secret_is_not_shown() -> None:
    settings = read(OIDC_ISSUER=ISSUER, JWT_AUDIENCE="orders", **ASKING)

    assert introspection_of(settings) is not None
    assert introspection_of(read(JWT_SECRET="s" * 32)) is None
    assert settings.shown()["ORDER_CORE_INTROSPECTION_MAX_AGE"] == "30"
    assert "hunter2" not in repr(settings) + str(settings.shown())


@pytest.mark.parametrize("left_out", ["INTROSPECTION_CLIENT_ID", "INTROSPECTION_CLIENT_SECRET"])
def test_nobody_is_asked_without_saying_who_asks(left_out: str) -> None:
    some = {name: text for name, text in ASKING.items() if name != left_out}

    message = refusal(JWT_SECRET="s" * 32, **some)

    assert f"ORDER_CORE_{left_out}: must be set while ORDER_CORE_INTROSPECTION_URL is" in message
    assert "hunter2" not in message


def test_what_would_ask_nobody_is_a_mistake() -> None:
    message = refusal(JWT_SECRET="s" * 32, INTROSPECTION_MAX_AGE="5")

    assert "ORDER_CORE_INTROSPECTION_MAX_AGE: does nothing without" in message


def test_our_own_tokens_are_not_asked_about_so_another_issuer_is_needed() -> None:
    message = refusal(OAUTH="1", OAUTH_KEY_SECRET="k" * 32, **ASKING)

    assert "ORDER_CORE_INTROSPECTION_URL: needs the issuer beside it" in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("INTROSPECTION_URL", "http://id.shop.example/introspect"),
        ("INTROSPECTION_URL", "https://ann:hunter2@id.shop.example/introspect"),
        ("INTROSPECTION_MAX_AGE", "301"),
        ("INTROSPECTION_MAX_AGE", "-1"),
    ],
)
def test_a_question_that_anybody_may_hear_or_a_word_that_never_ages_is_refused(
    name: str, text: str
) -> None:
    message = refusal(JWT_SECRET="s" * 32, **ASKING | {name: text})

    assert f"ORDER_CORE_{name}: must " in message
    assert "hunter2" not in message
