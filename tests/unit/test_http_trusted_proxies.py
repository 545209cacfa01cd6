"""Who a client is, when proxies stand in front and anybody may write their headers."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from order_http.forwarding import address_in
from order_http.trusted_proxies import TrustedProxies

PROXY = "10.0.0.5"
CDN = "203.0.113.7"
BUYER = "198.51.100.23"
VICTIM = "192.0.2.99"

Headers = Sequence[tuple[str, str]]


async def seen(
    headers: Headers,
    *,
    peer: str = PROXY,
    trusted: tuple[str, ...] = ("10.0.0.0/24", CDN),
    header: str = "x-forwarded-for",
) -> Scope:
    """What those behind see of a request from `peer`."""
    lines = [(name.lower().encode(), text.encode("latin-1")) for name, text in headers]
    scope = {"type": "http", "client": (peer, "4711"), "scheme": "http", "headers": lines}
    return TrustedProxies(trusted=trusted, header=header).told(scope)


async def client(headers: Headers, **circumstances: str) -> str:
    scope = await seen(headers, **circumstances)  # type: ignore[arg-type]
    return str(scope["client"][0])


async def test_a_trusted_proxy_says_who_asks_and_how() -> None:
    scope = await seen([("X-Forwarded-For", BUYER), ("X-Forwarded-Proto", "https")])
    assert scope["client"] == (BUYER, 0)
    assert scope["scheme"] == "https"


async def test_nobody_else_is_believed() -> None:
    scope = await seen(
        [("X-Forwarded-For", VICTIM), ("X-Forwarded-Proto", "https")], peer="198.51.100.66"
    )
    assert scope["client"] == ("198.51.100.66", "4711")
    assert scope["scheme"] == "http"


async def test_without_trusted_proxies_even_this_machine_is_not_believed() -> None:
    scope = await seen([("X-Forwarded-For", VICTIM)], peer="127.0.0.1", trusted=())
    assert scope["client"][0] == "127.0.0.1"


async def test_what_the_client_wrote_before_the_proxy_did_is_not_believed() -> None:
    assert await client([("X-Forwarded-For", f"{VICTIM}, {BUYER}")]) == BUYER
    assert await client([("X-Forwarded-For", VICTIM), ("X-Forwarded-For", BUYER)]) == BUYER
    assert await client([("X-Forwarded-For", f"{VICTIM},{PROXY},{BUYER}")]) == BUYER


async def test_a_chain_of_trusted_proxies_is_walked_to_the_client() -> None:
    assert await client([("X-Forwarded-For", f"{VICTIM}, {BUYER}, {CDN}")]) == BUYER


async def test_a_chain_of_nothing_but_proxies_begins_with_its_first() -> None:
    assert await client([("X-Forwarded-For", "10.0.0.9, 10.0.0.8")]) == "10.0.0.9"


@pytest.mark.parametrize(
    "nonsense",
    ["", "unknown", "_hidden", "999.1.1.1", "1.2.3", "127.1", "0x7f000001", "fe80::1%eth0", "é",
     f"{BUYER}:99999999", "[::1", "localhost", f"{BUYER} {VICTIM}"],
)  # fmt: skip
async def test_what_is_no_address_ends_the_chain(nonsense: str) -> None:
    assert await client([("X-Forwarded-For", f"{VICTIM}, {nonsense}")]) == PROXY
    assert await client([("X-Forwarded-For", f"{VICTIM}, {nonsense}, {CDN}")]) == CDN


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (f"{BUYER}:51022", BUYER),
        ("2001:DB8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        (f"::ffff:{BUYER}", BUYER),
    ],
)
async def test_an_address_has_one_spelling(written: str, meant: str) -> None:
    assert await client([("X-Forwarded-For", written)]) == meant


async def test_a_proxy_that_comes_as_ipv6_is_still_the_same_proxy() -> None:
    assert await client([("X-Forwarded-For", BUYER)], peer=f"::ffff:{PROXY}") == BUYER


async def test_a_header_that_the_proxy_does_not_write_is_a_strangers() -> None:
    both = [("Forwarded", f"for={VICTIM};proto=https"), ("X-Forwarded-For", BUYER)]
    assert await client(both) == BUYER
    assert await client([("Forwarded", f"for={VICTIM}")]) == PROXY
    assert await client([("X-Forwarded-For", VICTIM)], header="forwarded") == PROXY


async def test_nobody_behind_sees_the_headers() -> None:
    headers = [("X-Forwarded-For", BUYER), ("Forwarded", "for=x"), ("X-Real-IP", VICTIM)]
    for peer in (PROXY, BUYER):
        scope = await seen([*headers, ("Accept", "*/*")], peer=peer)
        assert scope["headers"] == [(b"accept", b"*/*")]


async def test_the_scheme_is_the_last_proxys_word() -> None:
    async def scheme(proto: str, chain: str = BUYER) -> str:
        scope = await seen([("X-Forwarded-For", chain), ("X-Forwarded-Proto", proto)])
        return str(scope["scheme"])

    assert await scheme("http, https") == "https"
    assert await scheme("https, http") == "http"
    assert await scheme("HTTPS") == "https"
    assert await scheme("javascript") == "http"
    # One for each hop: the first is what the client wrote before any proxy did.
    assert await scheme("https, http", f"{VICTIM}, {BUYER}") == "http"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (f"for={BUYER};proto=https;by=10.0.0.5", BUYER),
        (f'For="{BUYER}:80"', BUYER),
        ('for="[2001:db8::7]:443"', "2001:db8::7"),
        (f"for={VICTIM}, for={BUYER}", BUYER),
        (f'for={VICTIM}, for="{BUYER}", for={CDN}', BUYER),
        (f"for={VICTIM}, for=unknown", PROXY),
        (f"for={VICTIM}, proto=https", PROXY),
        # A quotation mark that the client left open swallows what the proxy wrote.
        (f'for="x, for={BUYER}', PROXY),
        (f"for={VICTIM};for={BUYER}", PROXY),
        (f"for={VICTIM} {BUYER}", PROXY),
        (f"for={VICTIM},", PROXY),
        (f"for={VICTIM};", PROXY),
        (f'for="{BUYER}", secret="a,for={VICTIM};b"', PROXY),
        ("for", PROXY),
        (",", PROXY),
    ],
)
async def test_forwarded_is_read_as_its_rfc_says(forwarded: str, expected: str) -> None:
    assert await client([("Forwarded", forwarded)], header="forwarded") == expected


async def test_a_chain_longer_than_anybody_needs_is_not_walked_to_its_end() -> None:
    chain = ", ".join([VICTIM, *["10.0.0.8"] * 17])
    assert await client([("X-Forwarded-For", chain)]) == "10.0.0.8"


hops = st.one_of(
    st.ip_addresses().map(str), st.text('0123456789abcdef.:,;="\\[]% \t-_', max_size=30)
)


@given(st.lists(hops, max_size=6), st.sampled_from(["x-forwarded-for", "forwarded"]))
async def test_whatever_a_client_writes_before_the_proxys_word_changes_nothing(
    written: list[str], header: str
) -> None:
    own = BUYER if header == "x-forwarded-for" else f"for={BUYER}"
    found = await client([(header, ",".join(written)), (header, own)], header=header)
    # An open quotation mark may hide the buyer behind the proxy, never behind somebody else.
    assert found in ({BUYER} if header == "x-forwarded-for" else {BUYER, PROXY})


@given(st.text(max_size=60))
def test_a_text_is_an_address_or_it_is_not(text: str) -> None:
    found = address_in(text)
    assert found is None or address_in(str(found)) == found
