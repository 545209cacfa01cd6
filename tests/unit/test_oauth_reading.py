"""What a stranger sends to the issuer is read, or refused in the words of RFC 6749."""

import base64
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote_plus, urlencode

import pytest
from authlib.oauth2.rfc6749 import OAuth2Error
from hypothesis import given, settings
from hypothesis import strategies as st

from order_oauth.client_names import client_id_of, could_be_client
from order_oauth.credentials import Credentials, read_credentials
from order_oauth.form import LONGEST_BODY, MEDIA_TYPE, MOST_PARAMETERS, read_form
from order_oauth.random_secrets import RefreshToken, digest, new_client_secret
from order_oauth.wrapping import CannotUnwrap, Wrapping
from order_sqlalchemy.oauth_records import StoredClient

PRINTABLE = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), max_size=20)
PLAIN = PRINTABLE.filter(lambda text: "\x7f" not in text)
NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.text("a=&%;+0F\x00é", max_size=40).map(str.encode))
def test_any_bytes_are_a_form_or_an_error_that_repeats_nothing_of_them(body: bytes) -> None:
    try:
        form = read_form(MEDIA_TYPE, body)
    except OAuth2Error as error:
        status, answer, _ = error()
        assert (status, answer["error"]) == (400, "invalid_request")
        assert answer["error_description"].isascii()
        return
    assert len(form) <= MOST_PARAMETERS
    assert all(form.values())


@settings(max_examples=60)
@given(st.dictionaries(PLAIN.filter(bool), PLAIN, max_size=MOST_PARAMETERS))
def test_a_form_is_read_as_it_was_written_without_what_is_empty(form: dict[str, str]) -> None:
    body = urlencode(form).encode()
    if len(body) <= LONGEST_BODY:
        read = read_form("Application/X-WWW-Form-Urlencoded; charset=utf-8", body)
        assert read == {name: value for name, value in form.items() if value}


@settings(max_examples=60)
@given(
    st.text(max_size=60), st.dictionaries(st.sampled_from(["client_id", "client_secret"]), PLAIN)
)
def test_any_header_is_somebodys_or_an_error(header: str, form: dict[str, str]) -> None:
    for text in (
        header,
        f"Basic {header}",
        "Basic " + base64.b64encode(header.encode("utf-8", "replace")).decode(),
    ):
        with suppress(OAuth2Error):
            found = read_credentials([text], form)
            assert found.client_id
            assert found.secret


@settings(max_examples=60)
@given(PLAIN.filter(bool), PLAIN.filter(bool))
def test_basic_credentials_are_read_as_the_standard_writes_them(name: str, secret: str) -> None:
    joined = f"{quote_plus(name)}:{quote_plus(secret)}"
    if len(joined) < 700:
        header = "Basic " + base64.b64encode(joined.encode()).decode()
        assert read_credentials([header], {}) == Credentials(name, secret)


def test_a_secret_proves_its_client_alone() -> None:
    secret, other = new_client_secret(), new_client_secret()
    client = StoredClient("client-a", frozenset({"orders:read"}), False, digest(secret), NOON)

    assert Credentials("client-a", secret).prove(client, NOON)
    assert not Credentials("client-a", other).prove(client, NOON)
    assert not Credentials("client-a", secret).prove(None, NOON)
    assert not Credentials("client-a", "").prove(None, NOON)
    assert not Credentials("client-a", digest(secret)).prove(client, NOON), "a digest opens nothing"
    for held in (client, Credentials("client-a", secret)):
        assert secret not in repr(held)
        assert digest(secret) not in repr(held)


def test_refresh_tokens_of_a_family_share_a_part_and_nothing_else_is_one() -> None:
    first = RefreshToken.first()
    second = first.following()

    assert first.family_digest == second.family_digest
    assert first.digest != second.digest
    assert RefreshToken.read(second.text) == second
    assert first.text not in repr(first)
    assert len({RefreshToken.first().family for _ in range(50)}) == 50
    for text in ("", first.text[:-1], first.text + "A", first.text.upper(), first.text + "\n"):
        assert RefreshToken.read(text) is None


def test_what_is_wrapped_opens_with_the_same_secret_and_name_only() -> None:
    wrapping = Wrapping("a secret that is long enough, really")
    text = wrapping.wrap(b"private", "kid-1")

    assert wrapping.unwrap(text, "kid-1") == b"private"
    assert wrapping.wrap(b"private", "kid-1") != text
    other = Wrapping("another secret that is long enough, too")
    assert other.name != wrapping.name
    for opener, sealed, kid in (
        (other, text, "kid-1"),
        (wrapping, text, "kid-2"),
        (wrapping, text[:-8] + "AAAAAAA=", "kid-1"),
        (wrapping, "no base64 at all", "kid-1"),
        (wrapping, "", "kid-1"),
    ):
        with pytest.raises(CannotUnwrap):
            opener.unwrap(sealed, kid)
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Wrapping("short")


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a b", "ä", "x" * 41, "client-", "a\n"])
def test_a_client_is_called_by_a_plain_word(name: str) -> None:
    with pytest.raises(ValueError, match="the name of a client"):
        client_id_of(name)
    assert not could_be_client(f"client-{name.removeprefix('client-')}")


def test_a_client_can_be_named_with_or_without_what_all_ids_begin_with() -> None:
    assert client_id_of("web-shop2") == client_id_of("client-web-shop2") == "client-web-shop2"
