"""Fetching what an issuer publishes, from issuers that are broken, slow or bad."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from order_jwt import IssuerUnreadable
from order_jwt.asking import LARGEST_DOCUMENT, client_for
from order_jwt.issuer_documents import discovered_keys, keys_at
from tests.unit.fake_issuer import ISSUER, FakeIssuer, json_answer

KEY = ec.generate_private_key(ec.SECP256R1())
JWKS = FakeIssuer(oven=KEY).jwks()
AT = "https://id.shop.example/keys"


def issuer_that(answers: Callable[[httpx.Request], object]) -> FakeIssuer:
    issuer = FakeIssuer(oven=KEY)
    issuer.answer = answers
    return issuer


async def why_not(answers: Callable[[httpx.Request], object]) -> str:
    """What the log would say of an issuer that answers so for its keys."""
    with pytest.raises(IssuerUnreadable) as caught:
        await keys_at(AT, open_client=issuer_that(answers).client, seconds=0.2)()
    return str(caught.value)


async def why_not_discovered(metadata: object) -> str:
    issuer = issuer_that(lambda _request: json_answer(metadata))
    with pytest.raises(IssuerUnreadable) as caught:
        await discovered_keys(ISSUER, open_client=issuer.client)()
    assert len(issuer.asked) == 1
    return str(caught.value)


async def test_the_keys_are_read_from_where_the_metadata_says() -> None:
    issuer = FakeIssuer(oven=KEY)

    assert len(await discovered_keys(ISSUER, open_client=issuer.client)()) == 1
    assert len(await keys_at(AT, open_client=issuer.client)()) == 1


@pytest.mark.parametrize("status", [204, 301, 302, 307, 308, 401, 404, 429, 500, 503])
async def test_only_200_is_an_answer_and_nobody_is_sent_elsewhere(status: int) -> None:
    issuer = issuer_that(lambda _request: json_answer(JWKS, status, Location="https://evil.test/"))
    with pytest.raises(IssuerUnreadable, match=f"it answered {status}"):
        await keys_at(AT, open_client=issuer.client)()

    assert len(issuer.asked) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"\xff", b"[" * 100_000, b"NaN"])
async def test_what_is_not_json_or_no_key_set_is_no_answer(content: bytes) -> None:
    because = await why_not(lambda _request: httpx.Response(200, content=content))

    assert because


async def test_an_endless_answer_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    assert "more than" in await why_not(lambda _request: httpx.Response(200, content=endless()))
    assert sent <= LARGEST_DOCUMENT + 2 * 65_536


async def test_an_answer_that_drips_is_given_up_in_time() -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    async with asyncio.timeout(2):
        because = await why_not(lambda _request: httpx.Response(200, content=dripping()))

    assert "within 0.2 s" in because


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 10_000_000)

    async def packed() -> AsyncIterator[bytes]:
        yield bomb

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=packed(), headers={"Content-Encoding": "gzip"})

    assert "encoding" in await why_not(answer)


KEYS_AT = f"{ISSUER}/keys"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": f"{ISSUER}/", "jwks_uri": KEYS_AT},
        {"issuer": ISSUER.upper(), "jwks_uri": KEYS_AT},
        {"issuer": [ISSUER], "jwks_uri": KEYS_AT},
        {"jwks_uri": KEYS_AT},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": [KEYS_AT]},
        [],
        "metadata",
        None,
    ],
)
async def test_the_metadata_must_be_about_the_issuer_that_is_set(metadata: object) -> None:
    assert "is about another issuer" in await why_not_discovered(metadata)


@pytest.mark.parametrize(
    "address",
    [
        "http://id.shop.example/keys",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:8000/keys",
        "https://127.0.0.1:8000/keys",
        "https://localhost/keys",
        "https://[::1]/keys",
        "file:///etc/passwd",
        "//id.shop.example/keys",
        "https://ann:pw@id.shop.example/keys",
        "https://id.shop.example:99999/keys",
        "https://[::1/keys",
        "",
    ],
)
async def test_an_issuer_cannot_send_us_where_anybody_answers(address: str) -> None:
    assert "its jwks_uri" in await why_not_discovered({"issuer": ISSUER, "jwks_uri": address})


async def test_an_issuer_that_refuses_the_connection_is_unreadable_and_no_error_of_ours() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    assert "ConnectError" in await why_not(refuse)


async def test_a_client_of_ours_follows_nobody_and_checks_certificates() -> None:
    async with client_for(ISSUER) as client:
        assert not client.follow_redirects
        assert client.timeout == httpx.Timeout(5)
    async with client_for("http://127.0.0.1:9000") as local:
        assert not local.trust_env
