"""Which keys of a JWKS document may prove a token."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from order_jwt.key_set import MOST_KEYS, KeySet
from tests.unit.fake_issuer import public_jwk

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def key_set(*jwks: object) -> KeySet:
    return KeySet.read({"keys": list(jwks)})


@pytest.mark.parametrize(
    ("key", "said", "algorithm"),
    [
        (RSA_KEY, None, "RS256"),
        (RSA_KEY, "RS256", "RS256"),
        (RSA_KEY, "PS256", "PS256"),
        (EC_KEY, None, "ES256"),
        (EC_KEY, "ES256", "ES256"),
        (ED_KEY, None, "EdDSA"),
        (ED_KEY, "EdDSA", "EdDSA"),
    ],
)
def test_a_key_is_for_one_algorithm_its_own(key: Any, said: str | None, algorithm: str) -> None:
    keys = key_set(public_jwk(key, kid="pan", alg=said))

    found = {
        name for name in ("HS256", "RS256", "PS256", "ES256", "EdDSA") if keys.find("pan", name)
    }
    assert found == {algorithm}


WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is its point
SLOW = {"kty": "RSA", "n": RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True)["n"]}
P384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "RS256"},
        public_jwk(RSA_KEY, alg="HS256"),
        public_jwk(RSA_KEY, alg="none"),
        public_jwk(RSA_KEY, alg="RS512"),
        public_jwk(RSA_KEY, alg="ES256"),
        public_jwk(RSA_KEY, alg=["RS256"]),
        public_jwk(RSA_KEY, use="enc"),
        public_jwk(RSA_KEY, use=["sig"]),
        public_jwk(RSA_KEY, key_ops=["sign"]),
        public_jwk(RSA_KEY, key_ops="verify"),
        public_jwk(RSA_KEY, n="AQAB"),
        public_jwk(RSA_KEY, n=None),
        public_jwk(RSA_KEY, n=7),
        public_jwk(RSA_KEY, n="ünicode"),
        public_jwk(WEAK),
        SLOW | {"e": "-" * 86},
        public_jwk(EC_KEY, crv="secp256k1"),
        public_jwk(EC_KEY, x="AAAA"),
        public_jwk(EC_KEY, y=public_jwk(EC_KEY)["x"]),
        P384,
        public_jwk(ED_KEY, crv="X25519"),
        public_jwk(ED_KEY, x="AAAA"),
        public_jwk(ED_KEY, kty="RSA"),
        RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True),
        public_jwk(RSA_KEY, p=RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)["p"]),
        ECAlgorithm.to_jwk(EC_KEY, as_dict=True),
        {"kty": "RSA"},
        {},
        [],
        None,
        "RSA",
    ],
)
def test_what_is_no_safe_key_for_signatures_is_left_out(jwk: Any) -> None:
    named = jwk | {"kid": "pot"} if isinstance(jwk, dict) else jwk

    keys = key_set(named, public_jwk(EC_KEY, kid="pan"))

    assert len(keys) == 1
    assert keys.find("pan", "ES256") is not None


@pytest.mark.parametrize("key_id", [7, ["pan"], {"pan": 1}, True, "p" * 201])
def test_a_name_that_no_token_can_say_names_nothing(key_id: object) -> None:
    assert len(key_set(public_jwk(EC_KEY, kid=key_id))) == 0


def test_of_two_keys_with_one_name_neither_is_believed() -> None:
    other = ec.generate_private_key(ec.SECP256R1())

    twins = key_set(public_jwk(EC_KEY, kid="pan"), public_jwk(other, kid="pan"))
    cousins = key_set(public_jwk(EC_KEY, kid="pan"), public_jwk(RSA_KEY, kid="pan"))

    assert twins.find("pan", "ES256") is None
    assert cousins.find("pan", "ES256") is not None
    assert cousins.find("pan", "RS256") is not None


def test_a_key_without_a_name_is_found_without_a_name_only() -> None:
    keys = key_set(public_jwk(EC_KEY))

    assert keys.find(None, "ES256") is not None
    assert keys.find("None", "ES256") is None
    assert keys.find("", "ES256") is None


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": None}, "keys", 7])
def test_what_is_no_jwks_document_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="not a JWKS document"):
        KeySet.read(document)


def test_an_endless_document_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 64 keys"):
        KeySet.read({"keys": [{}] * (MOST_KEYS + 1)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["kty", "crv", "alg", "use", "key_ops", "kid", "n", "e", "x", "y"])


@given(
    like=st.sampled_from([public_jwk(key, kid="pan") for key in (RSA_KEY, EC_KEY, ED_KEY)]),
    changes=st.dictionaries(MEMBERS, JSON, max_size=3),
)
def test_no_key_however_odd_breaks_the_reading(
    like: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert len(key_set(like | changes)) <= 1
