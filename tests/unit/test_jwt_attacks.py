"""What forgers do to tokens, against a service that trusts an identity provider."""

import base64
import hmac
import json
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import HMACAlgorithm

from order_core.errors import InvalidToken
from order_jwt import JwtSettings, JwtVerifier, issue_token
from tests.unit.fake_issuer import AUDIENCE, ISSUER, PrivateKey, algorithm_of, public_jwk
from tests.unit.trusting_service import KEY, NOON, AtNoon, Kitchen, claims

RSA_KEY = rsa.generate_private_key(65537, 2048)
STRANGER = ec.generate_private_key(ec.SECP256R1())
JWKS_OF_STRANGER = {"keys": [public_jwk(STRANGER, kid="spring")]}


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(claims_text: str, header: dict[str, Any], key: PrivateKey = KEY) -> str:
    """Signed by the right key, whatever it says."""
    content = f"{base64url(json.dumps(header).encode())}.{base64url(claims_text.encode())}"
    algorithm = jwt.get_algorithm_by_name(algorithm_of(key))
    return f"{content}.{base64url(algorithm.sign(content.encode(), key))}"


def with_mac(header: dict[str, Any], secret: bytes) -> str:
    content = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims()).encode())}"
    return f"{content}.{base64url(hmac.digest(secret, content.encode(), sha256))}"


HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "spring"}


async def test_the_tokens_of_these_tests_are_good_before_anybody_touches_them() -> None:
    assert await Kitchen().verify(signed(json.dumps(claims()), HEADER)) == "cook-7"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, ["ES256"]])
async def test_a_token_cannot_say_that_it_needs_no_signature(algorithm: object) -> None:
    header = HEADER | {"alg": algorithm}
    kitchen = Kitchen()

    for signature in ("", "e30", "."):
        content = signed(json.dumps(claims()), header).rpartition(".")[0]
        await kitchen.refusal(f"{content}.{signature}")
    assert kitchen.issuer.asked == []


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_published_key_is_no_secret_to_sign_with(algorithm: str) -> None:
    kitchen = Kitchen(spring=RSA_KEY)
    public = RSA_KEY.public_key()
    guesses = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(kitchen.issuer.jwks()["keys"][0]).encode(),
        b"",
    ]
    for guess in guesses:
        because = await kitchen.refusal(with_mac(HEADER | {"alg": algorithm}, guess))
        assert because == "the token must be signed with RS256, PS256, ES256 or EdDSA"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "EdDSA", "ES384", "ES256K", "RS512"])
async def test_a_key_of_one_type_is_not_used_for_another_algorithm(algorithm: str) -> None:
    kitchen = Kitchen()

    await kitchen.refusal(signed(json.dumps(claims()), HEADER | {"alg": algorithm}))
    assert len(kitchen.proven) == 0


@pytest.mark.parametrize(
    "brought",
    [
        {"jwk": JWKS_OF_STRANGER["keys"][0]},
        {"jku": "https://evil.test/keys"},
        {"x5u": "https://evil.test/chain.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "AAAA", "x5t#S256": "AAAA"},
        {"iss": "https://evil.test"},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_a_token_cannot_bring_its_own_key(brought: dict[str, Any]) -> None:
    kitchen = Kitchen()
    forged = signed(json.dumps(claims()), HEADER | brought, STRANGER)

    assert await kitchen.refusal(forged) == "the signature of the token is wrong"
    assert not any("evil" in address for address in kitchen.issuer.asked)


@pytest.mark.parametrize(
    "key_id",
    [
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "https://evil.test/key",
        "spring' OR '1'='1",
        "spring\x00",
        "Spring",
        "",
        "0",
    ],
)
async def test_a_key_name_is_compared_and_nothing_else(key_id: str) -> None:
    kitchen = Kitchen()
    forged = signed(json.dumps(claims()), HEADER | {"kid": key_id}, STRANGER)

    because = await kitchen.refusal(forged)
    assert because == "the token names no key that its issuer publishes"


@pytest.mark.parametrize("key_id", [7, None, True, ["spring"], {"spring": 1}, "s" * 201, 1e999])
async def test_a_key_name_that_is_none_makes_nobody_look(key_id: object) -> None:
    kitchen = Kitchen()

    await kitchen.refusal(signed(json.dumps(claims()), HEADER | {"kid": key_id}))
    assert kitchen.issuer.asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://id.shop.example/realms/kitchen/"},
        {"iss": "https://evil.test"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": []},
        {"aud": [[AUDIENCE]]},
        {"aud": {AUDIENCE: 1}},
        {"aud": AUDIENCE.upper()},
        {"exp": "4000000000"},
        {"exp": True},
        {"exp": None},
        {"exp": [4000000000]},
        {"exp": -1},
        {"exp": 10**400},
        {"exp": 1e308},
        {"nbf": "0"},
        {"iat": 10**30},
        {"sub": 10**400},
        {"jti": 7},
        {"jti": "j" * 201},
        {"act": "cook-1"},
        {"act": {}},
        {"act": {"sub": ""}},
        {"act": {"sub": ["cook-1"]}},
        {"act": [{"sub": "cook-1"}]},
        {"act": None},
    ],
    ids=lambda change: json.dumps(change)[:30],
)
async def test_a_claim_that_the_issuer_really_signed_must_still_make_sense(
    change: dict[str, Any],
) -> None:
    kitchen = Kitchen()

    await kitchen.refusal(signed(json.dumps(claims() | change), HEADER))
    assert len(kitchen.proven) == 0


def members(*added: str, without: str = "") -> str:
    """The good claims as JSON, with members that no serializer would write."""
    kept = {name: value for name, value in claims().items() if name != without}
    return ",".join([json.dumps(kept)[:-1], *added]) + "}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            members(f'"exp": {number}', without="exp")
            for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "0x7fffffff")
        ),
        members('"exp": 4000000000'),
        members('"sub": "cook-1"'),
        members('"a\\u0075d": "kitchen-orders"'),
        members('"act": {"sub": "a", "sub": "b"}'),
        members('"pad": ' + "[" * 2500 + "]" * 2500),
        "[" * 3000,
    ],
    ids=lambda text: text[-30:],
)
async def test_numbers_names_and_depths_that_readers_disagree_about_are_refused(
    text: str,
) -> None:
    await Kitchen().refusal(signed(text, HEADER))


async def test_a_header_that_says_a_thing_twice_is_refused() -> None:
    header = '{"alg":"none","alg":"ES256","kid":"spring"}'
    content = f"{base64url(header.encode())}.{base64url(json.dumps(claims()).encode())}"
    signature = jwt.get_algorithm_by_name("ES256").sign(content.encode(), KEY)

    forged = f"{content}.{base64url(signature)}"
    assert await Kitchen().refusal(forged) == "the token is malformed"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"cty": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"enc": "A256GCM", "alg": "dir"},
        {"zip": "DEF", "alg": "RSA-OAEP"},
    ],
    ids=str,
)
async def test_what_is_signed_for_another_purpose_is_no_access_token(
    header: dict[str, Any],
) -> None:
    await Kitchen().refusal(signed(json.dumps(claims()), HEADER | header))


async def test_a_token_inside_a_token_is_not_opened() -> None:
    inner = signed(json.dumps(claims()), HEADER)

    assert await Kitchen().refusal(signed(inner, HEADER)) == "the token is malformed"
    assert await Kitchen().refusal(signed(json.dumps(inner), HEADER)) == "the token is malformed"
    encrypted_shape = f"{inner}.AAAA.AAAA"
    assert await Kitchen().refusal(encrypted_shape) == "the token is malformed"


async def test_one_issuer_does_not_speak_for_another() -> None:
    kitchen = Kitchen()
    secret = "the-cellar-signs-with-this-one-secret-only"
    cellar = JwtSettings(secret=secret, issuer="the-cellar", audience=AUDIENCE)
    both = JwtVerifier([kitchen.trust, cellar.trust], AtNoon())
    good = issue_token(secret, subject="ann", issuer="the-cellar", audience=AUDIENCE, at=NOON)

    assert (await both.verify(good)).subject == "ann"
    assert (await both.verify(kitchen.token())).subject == "cook-7"
    for forged in (
        issue_token(secret, subject="ann", issuer=ISSUER, audience=AUDIENCE, at=NOON),
        kitchen.token(iss="the-cellar"),
        kitchen.token(iss="the-attic"),
        with_mac({"alg": "HS256", "kid": "spring"}, secret.encode()),
    ):
        with pytest.raises(InvalidToken):
            await both.verify(forged)


async def test_a_flood_of_forgeries_leaves_the_proofs_of_others_alone() -> None:
    kitchen = Kitchen()
    good = kitchen.token()
    await kitchen.verify(good)

    for number in range(50):
        await kitchen.refusal(signed(json.dumps(claims(sub=f"cook-{number}")), HEADER, STRANGER))

    assert kitchen.proven.find(good) is not None
    assert len(kitchen.proven) == 1


async def test_an_hmac_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    compare = hmac.compare_digest

    def watched(ours: bytes, theirs: bytes, /) -> bool:
        compared.append(len(ours))
        return compare(ours, theirs)

    secret = "no-stopwatch-finds-out-how-much-is-right"
    verifier = JwtVerifier([JwtSettings(secret=secret).trust], AtNoon())
    token = issue_token(secret, subject="ann", at=NOON)
    wrong_at_its_end = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    wrong_at_once = token[:-43] + ("A" if token[-43] != "A" else "B") + token[-42:]
    monkeypatch.setattr(f"{HMACAlgorithm.__module__}.hmac.compare_digest", watched, raising=True)

    for forged in (wrong_at_its_end, wrong_at_once):
        with pytest.raises(InvalidToken, match="the signature of the token is wrong"):
            await verifier.verify(forged)
    # All 32 bytes of both, wherever they differ first, in the one call that is made for it.
    assert compared == [32, 32]
