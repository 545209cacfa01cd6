"""Which bearer tokens prove somebody, and for how long."""

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_core.errors import InvalidToken
from order_core.ports.token_verifier import Principal, TokenVerifier
from order_jwt import JwtSettings, JwtVerifier, issue_token
from order_jwt.proven_tokens import ProvenTokens
from order_memory.contracts import TokenVerifierContract

SECRET = "a-secret-that-only-these-tests-know-0123"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT_NOON = int(NOON.timestamp())


@dataclass
class SetClock:
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, _seconds: float, /) -> None:
        raise AssertionError("a verifier has nothing to wait for")


def a_verifier(clock: SetClock | None = None, **settings: Any) -> TokenVerifier:
    return JwtVerifier([JwtSettings(**{"secret": SECRET} | settings).trust], clock or SetClock())


def a_token(*, secret: str = SECRET, without: Iterable[str] = (), **claims: Any) -> str:
    said = {"sub": "mina", "exp": AT_NOON + 600} | claims
    return signed({name: said[name] for name in said if name not in without}, secret=secret)


def signed(claims: object, *, header: object = None, secret: str = SECRET) -> str:
    """An HS256 token made by hand, for what PyJWT refuses to make."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    return signed_text(json.dumps(claims), header=json.dumps(header), secret=secret)


def signed_text(claims: str, *, header: str = '{"alg":"HS256"}', secret: str = SECRET) -> str:
    content = f"{base64url(header.encode())}.{base64url(claims.encode())}"
    mac = hmac.digest(secret.encode(), content.encode(), sha256)
    return f"{content}.{base64url(mac)}"


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def refusal(token: str, verifier: TokenVerifier | None = None) -> str:
    with pytest.raises(InvalidToken) as caught:
        await (verifier or a_verifier()).verify(token)
    return caught.value.because


class TestJwtVerifier(TokenVerifierContract):
    @pytest.fixture
    async def verifier(self) -> TokenVerifier:
        return a_verifier()

    async def token_for(self, principal: Principal) -> str:
        return issue_token(
            SECRET,
            subject=principal.subject,
            scopes=principal.scopes,
            email=principal.email,
            at=NOON,
        )


async def test_an_issued_token_proves_its_subject_scopes_and_address() -> None:
    token = issue_token(
        SECRET,
        subject="customer-17",
        scopes=["orders:write", "orders:read"],
        email="ada@shop.example",
        at=NOON,
    )

    assert await a_verifier().verify(token) == Principal(
        "customer-17", frozenset({"orders:read", "orders:write"}), "ada@shop.example"
    )


@pytest.mark.parametrize(
    ("token", "because"),
    [
        (a_token(secret="another-secret-of-quite-enough-bytes"), "the signature of the token is"),
        (a_token(exp=AT_NOON - 31), "the token has expired"),
        (a_token(without=["exp"]), "the token has no exp claim"),
        (a_token(without=["sub"]), "the token has no sub claim"),
        (a_token(nbf=AT_NOON + 31), "the token is not valid yet"),
        (a_token(iat=AT_NOON + 31), "the token is not valid yet"),
        (a_token(aud="another-shop"), "the token names an audience"),
    ],
    ids=["signature", "expired", "no exp", "no sub", "nbf", "iat", "audience"],
)
async def test_a_token_that_proves_nothing_is_refused_with_the_reason(
    token: str, because: str
) -> None:
    assert (await refusal(token)).startswith(because)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "None", "typ": "JWT"}])
@pytest.mark.parametrize("signature", ["", "e30"])
async def test_a_token_that_says_it_needs_no_signature_is_refused(
    header: dict[str, str], signature: str
) -> None:
    content = signed({"sub": "mina", "exp": AT_NOON + 600}, header=header).rpartition(".")[0]

    assert await refusal(f"{content}.{signature}") in {
        "the token is malformed",
        "the token must be signed with HS256",
    }


@pytest.mark.parametrize(
    ("header", "because"),
    [
        ({"alg": "HS512"}, "the token must be signed with HS256"),
        ({"alg": "RS256"}, "the token must be signed with HS256"),
        ({"alg": "XX1"}, "the token must be signed with HS256"),
        ({"alg": ["HS256"]}, "the token must be signed with HS256"),
        ({}, "the token must be signed with HS256"),
        ({"alg": "HS256", "crit": ["b64"], "b64": True}, "the token demands an extension"),
        ({"alg": "HS256", "b64": True}, "the token demands an extension"),
        ({"alg": "HS256", "cty": "JWT"}, "a token inside a token is not supported"),
        ({"alg": "HS256", "typ": "logout+jwt"}, "the token is not an access token"),
        ({"alg": "HS256", "typ": 7}, "the token is not an access token"),
        ({"alg": "HS256", "crit": ["exp"]}, "the token demands an extension"),
        ({"alg": "HS256", "kid": 7}, "the token is malformed"),
        (["HS256"], "the token is malformed"),
    ],
)
async def test_a_header_that_asks_for_anything_unusual_is_refused(
    header: object, because: str
) -> None:
    token = signed({"sub": "mina", "exp": AT_NOON + 600}, header=header)

    assert (await refusal(token)).startswith(because)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_every_name_of_an_access_token_is_known(kind: str) -> None:
    claims = {"sub": "mina", "exp": AT_NOON + 600}
    token = signed(claims, header={"alg": "HS256", "typ": kind})

    assert (await a_verifier().verify(token)).subject == "mina"


GOOD = a_token()
HEADER, CLAIMS, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "not a token",
        HEADER,
        f"{HEADER}.{CLAIMS}",
        f"{HEADER}.{CLAIMS}.",
        f"{GOOD}.",
        f"{GOOD}.{SIGNATURE}",
        f"{HEADER}.{GOOD}",
        f"{GOOD}=",
        f"{GOOD}\n",
        f" {GOOD}",
        f"{HEADER}.{CLAIMS}.{SIGNATURE[:-1]}!",
        f"{HEADER}.{CLAIMS}\u0661.{SIGNATURE}",
        f"{HEADER}.{CLAIMS}\ud800.{SIGNATURE}",
        f"{HEADER[:-1]}.{CLAIMS}.{SIGNATURE}",
        signed(["sub", "mina"]),
        signed(GOOD),
        signed_text("{"),
        signed_text('{"sub": "mina", "sub": "root", "exp": 4000000000}'),
        signed_text('{"sub": "mina", "exp": Infinity}'),
        signed_text("[" * 5000),
        signed_text("{}", header="[" * 5000),
        signed_text('{"exp": ' + "9" * 5000 + "}"),
    ],
)
async def test_garbled_segments_are_malformed(token: str) -> None:
    assert await refusal(token) == "the token is malformed"


async def test_a_token_beyond_8_kib_is_not_even_looked_at() -> None:
    longest = a_token(pad="p" * 6016)
    longer = a_token(pad="p" * 6043)
    assert len(longest) <= 8192 < len(longer)

    assert (await a_verifier().verify(longest)).subject == "mina"
    assert await refusal(longer) == "the token is longer than 8192 characters"


async def test_a_token_must_be_from_the_issuer_that_is_configured() -> None:
    verifier = a_verifier(issuer="https://id.shop.example")

    assert await verifier.verify(a_token(iss="https://id.shop.example")) == Principal("mina")
    for stranger in (a_token(), a_token(iss="https://id.shop.example/"), a_token(iss=[7])):
        assert await refusal(stranger, verifier) == "the token is from another issuer"


async def test_a_token_must_name_the_audience_that_is_configured() -> None:
    verifier = a_verifier(audience="orders")

    assert await verifier.verify(a_token(aud="orders")) == Principal("mina")
    assert await verifier.verify(a_token(aud=["billing", "orders"])) == Principal("mina")
    for stranger in (a_token(), a_token(aud="billing"), a_token(aud=["order", "s"])):
        assert await refusal(stranger, verifier) == "the token is for another audience"


@pytest.mark.parametrize("audience", [7, None, ["orders", 7], {"orders": True}])
async def test_an_audience_must_be_names(audience: object) -> None:
    token, verifier = a_token(aud=audience), a_verifier(audience="orders")

    assert "aud claim" in await refusal(token, verifier)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("time", ["1772366400", True, None, -1, 10**13, 1e300, [], {}])
async def test_a_time_must_be_seconds_since_1970(claim: str, time: object) -> None:
    because = f"the {claim} claim of the token is not a time in seconds"

    assert await refusal(signed({"sub": "mina", "exp": AT_NOON} | {claim: time})) == because


@pytest.mark.parametrize("subject", ["", "  ", "s" * 201, "mi\0na", "\ud800", 7, None, ["mina"]])
async def test_a_subject_must_be_storable_text(subject: object) -> None:
    assert "sub claim" in await refusal(a_token(sub=subject))


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "orders:read  orders:write"}, {"orders:read", "orders:write"}),
        ({"scp": "orders:read orders:write"}, {"orders:read", "orders:write"}),
        ({"scp": ["orders:read", "orders:write"]}, {"orders:read", "orders:write"}),
        ({"scope": "orders:read", "scp": ["orders:manage"]}, {"orders:read"}),
        ({"scope": ""}, set()),
        ({}, set()),
    ],
)
async def test_scopes_are_read_from_either_claim(claims: dict[str, Any], scopes: set[str]) -> None:
    assert (await a_verifier().verify(a_token(**claims))).scopes == scopes


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": ["orders:read"]},
        {"scope": None},
        {"scp": 7},
        {"scp": ["orders:read", 7]},
        {"scope": "s" * 201},
        {"scp": [f"orders:{number}" for number in range(101)]},
    ],
)
async def test_unreadable_or_endless_scopes_are_refused(claims: dict[str, Any]) -> None:
    because = await refusal(a_token(**claims))

    assert because.startswith(("the scope claim", "the scp claim", "the token has more than 100"))


@pytest.mark.parametrize("verified", [False, "true", 1, None])
async def test_an_address_that_nobody_verified_is_not_taken(verified: object) -> None:
    token = a_token(email="ada@shop.example", email_verified=verified)

    assert (await a_verifier().verify(token)).email is None


@pytest.mark.parametrize("email", ["ada", "a@b\nBcc: x@y", "a" * 251 + "@b.c", 7, None])
async def test_an_address_that_is_none_is_not_taken(email: object) -> None:
    token = a_token(email=email, email_verified=True)

    assert (await a_verifier().verify(token)).email is None


@pytest.mark.parametrize("leeway", [0, 30, 300])
async def test_clocks_may_differ_by_the_leeway_and_not_by_more(leeway: int) -> None:
    verifier = a_verifier(leeway=timedelta(seconds=leeway))
    early, late = AT_NOON + leeway, AT_NOON - leeway

    token = a_token(nbf=early, iat=early, exp=late + 1)
    assert await verifier.verify(token) == Principal("mina")
    assert await refusal(a_token(exp=late), verifier) == "the token has expired"
    assert await refusal(a_token(nbf=early + 1), verifier) == "the token is not valid yet"


async def test_a_remembered_token_ends_when_it_expires_and_does_not_come_back() -> None:
    clock, proven = SetClock(), ProvenTokens()
    verifier = JwtVerifier([JwtSettings(secret=SECRET).trust], clock, proven=proven)
    token = a_token(exp=AT_NOON + 600)
    await verifier.verify(token)
    assert len(proven) == 1

    clock.moment = NOON + timedelta(seconds=629)
    assert await verifier.verify(token) == Principal("mina")
    clock.moment = NOON + timedelta(seconds=630)
    assert await refusal(token, verifier) == "the token has expired"
    assert len(proven) == 0
    assert await refusal(token, verifier) == "the token has expired"


async def test_a_remembered_token_waits_for_its_beginning_when_the_clock_is_set_back() -> None:
    clock = SetClock()
    verifier = a_verifier(clock)
    token = a_token(nbf=AT_NOON)
    await verifier.verify(token)

    clock.moment = NOON - timedelta(seconds=31)

    assert await refusal(token, verifier) == "the token is not valid yet"


async def test_no_more_tokens_are_remembered_than_allowed_and_the_used_ones_stay() -> None:
    proven = ProvenTokens(most=3)
    verifier = JwtVerifier([JwtSettings(secret=SECRET).trust], SetClock(), proven=proven)
    regular = a_token(sub="regular")

    for number in range(10):
        await verifier.verify(a_token(sub=f"visitor-{number}"))
        await verifier.verify(regular)

    assert len(proven) == 3
    assert proven.find(regular) is not None
    assert proven.find(a_token(sub="visitor-0")) is None


async def test_a_refused_token_is_not_remembered() -> None:
    proven = ProvenTokens()
    verifier = JwtVerifier([JwtSettings(secret=SECRET).trust], SetClock(), proven=proven)

    await refusal(a_token(exp=AT_NOON - 60), verifier)
    await refusal(a_token(secret="another-secret-of-quite-enough-bytes"), verifier)

    assert len(proven) == 0


async def test_remembering_one_token_lets_no_other_signature_in() -> None:
    verifier = a_verifier()
    await verifier.verify(GOOD)
    forged = f"{HEADER}.{CLAIMS}.{SIGNATURE[:-4]}AAAA"

    assert await refusal(forged, verifier) == "the signature of the token is wrong"


SECRETIVE = "do-not-repeat-me"


@pytest.mark.parametrize(
    "token",
    [
        f"{SECRETIVE}.{CLAIMS}.{SIGNATURE}",
        signed({}, header={"alg": SECRETIVE}),
        signed({}, header={"alg": "HS256", "crit": [SECRETIVE]}),
        signed({}, header={"alg": "HS256", "typ": SECRETIVE}),
        a_token(exp=SECRETIVE),
        a_token(sub=SECRETIVE + "\0"),
        a_token(aud=SECRETIVE),
        a_token(scp=[SECRETIVE, 7]),
        a_token(sub=SECRETIVE, exp=AT_NOON - 60),
    ],
)
async def test_a_reason_repeats_nothing_of_the_token(token: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        await a_verifier(issuer=None).verify(token)

    assert SECRETIVE not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(max_size=300))
async def test_no_text_raises_anything_but_invalid_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        await a_verifier().verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
CLAIM_NAMES = st.sampled_from(["sub", "exp", "nbf", "iat", "iss", "aud", "scope", "scp", "email"])


@given(header=st.dictionaries(st.sampled_from(["typ", "cty", "kid", "crit", "b64"]), JSON))
async def test_no_header_raises_anything_but_invalid_token(header: dict[str, Any]) -> None:
    token = signed({"sub": "mina", "exp": AT_NOON + 600}, header=header | {"alg": "HS256"})
    try:
        principal = await a_verifier().verify(token)
    except InvalidToken:
        return
    assert principal.subject == "mina"


@given(st.dictionaries(CLAIM_NAMES, JSON))
async def test_no_signed_claims_raise_anything_but_invalid_token(claims: dict[str, Any]) -> None:
    token = signed({"exp": AT_NOON + 600} | claims)
    try:
        principal = await a_verifier(issuer=None).verify(token)
    except InvalidToken:
        return
    assert principal.subject == claims["sub"]


async def test_a_token_of_another_maker_of_hs256_is_read() -> None:
    token = jwt.encode({"sub": "mina", "exp": NOON + timedelta(minutes=1)}, SECRET, "HS256")

    assert (await a_verifier().verify(token)).subject == "mina"
