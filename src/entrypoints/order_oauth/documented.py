"""The operations of the issuer, for the OpenAPI document."""

from typing import Final

from order_http.operation import Answer, Json, Operation
from order_oauth.form import MEDIA_TYPE
from order_oauth.grants import ACCESS_TOKEN, CUSTOMER_ID, LONGEST_CUSTOMER_ID
from order_oauth.metadata import (
    KEY_SET_PATH,
    METADATA_PATH,
    REVOCATION_PATH,
    TOKEN_PATH,
    metadata,
)
from order_oauth.parties import GrantType
from order_oauth.settings import SCOPES, IssuerSettings

_TEXT: Final[Json] = {"type": "string"}
_ERROR: Final[Json] = {
    "type": "object",
    "properties": {"error": _TEXT, "error_description": _TEXT},
    "required": ["error"],
}
_TOKENS: Final[Json] = {
    "type": "object",
    "properties": {
        "access_token": _TEXT,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 1},
        "scope": _TEXT,
        "refresh_token": _TEXT,
        "issued_token_type": {"const": ACCESS_TOKEN},
    },
    "required": ["access_token", "token_type", "expires_in", "scope"],
}
_KEY_SET: Final[Json] = {
    "type": "object",
    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
    "required": ["keys"],
}
_METADATA: Final[Json] = {
    "type": "object",
    "properties": {"issuer": _TEXT, "token_endpoint": _TEXT, "jwks_uri": _TEXT},
    "required": ["issuer", "token_endpoint", "jwks_uri", "response_types_supported"],
}
_EXAMPLE_OF_TOKENS: Final = {
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
    "token_type": "Bearer",
    "expires_in": 600,
    "scope": "orders:read",
}
_KEY: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "kid": "1",
    "use": "sig",
    "alg": "ES256",
}
_REFUSED: Final = Answer(
    "The request is refused (RFC 6749, section 5.2).", _ERROR, {"error": "invalid_grant"}
)
_NOBODY: Final = Answer(
    "The client did not prove who it is.",
    _ERROR,
    {"error": "invalid_client"},
    headers=("WWW-Authenticate",),
)
_SCOPE: Final[Json] = {
    "type": "string",
    "description": f"Some of {', '.join(sorted(SCOPES))}, separated by blanks.",
}

OAUTH_OPERATIONS: Final = (
    Operation(
        "post",
        TOKEN_PATH,
        "issueToken",
        "Ask for an access token (RFC 6749, RFC 8693)",
        {200: Answer("The tokens.", _TOKENS, _EXAMPLE_OF_TOKENS), 400: _REFUSED, 401: _NOBODY},
        codes=("body_too_slow", "store_unavailable", "rate_limited"),
        body={
            "type": "object",
            "properties": {
                "grant_type": {"enum": list(GrantType)},
                "scope": _SCOPE,
                "refresh_token": _TEXT,
                "subject_token": {"type": "string", "maxLength": LONGEST_CUSTOMER_ID},
                "subject_token_type": {"const": CUSTOMER_ID},
            },
            "required": ["grant_type"],
        },
        body_example={"grant_type": "client_credentials", "scope": "orders:read"},
        body_media_type=MEDIA_TYPE,
        proves_client=True,
    ),
    Operation(
        "post",
        REVOCATION_PATH,
        "revokeToken",
        "Revoke a refresh token and its family (RFC 7009)",
        {
            200: Answer("It is revoked, or never was good.", {"type": "object"}, {}),
            400: _REFUSED,
            401: _NOBODY,
        },
        codes=("body_too_slow", "store_unavailable", "rate_limited"),
        body={
            "type": "object",
            "properties": {"token": _TEXT, "token_type_hint": _TEXT},
            "required": ["token"],
        },
        body_example={"token": "ocr_"},
        body_media_type=MEDIA_TYPE,
        proves_client=True,
    ),
    Operation(
        "get",
        KEY_SET_PATH,
        "getSigningKeys",
        "The public keys of the issuer (RFC 7517)",
        {200: Answer("The keys.", _KEY_SET, {"keys": [_KEY]})},
        codes=("store_unavailable", "rate_limited"),
    ),
    Operation(
        "get",
        METADATA_PATH,
        "getIssuer",
        "What the issuer can do, and where (RFC 8414)",
        {
            200: Answer(
                "The metadata.",
                _METADATA,
                metadata(IssuerSettings("https://shop.example", "https://shop.example")),
            )
        },
        codes=("rate_limited",),
    ),
)
"""The service has them when the issuer is switched on."""
