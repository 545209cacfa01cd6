"""How a client comes to a token, and what the token is good for."""

import base64
import logging
from typing import Any

import httpx
import jwt
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from openapi_spec_validator import validate

from order_oauth import oauth_endpoints
from tests.integration.oauth_issuer import CUSTOMER_ID, EXCHANGE, ISSUER, Desk, error_of
from tests.unit.http_service import order_body

pytest_plugins = ["tests.integration.oauth_desk"]

BOTH = ("access_token", "refresh_token")

# What differs between databases is tried in the tests of refresh tokens.
pytestmark = pytest.mark.parametrize("kind_of_database", ["sqlite"])


async def keys_of(desk: Desk) -> Any:
    return jwt.PyJWKSet.from_dict((await desk.http.get("/oauth/jwks")).json())


async def claims_of(desk: Desk, token: str) -> dict[str, Any]:
    """As somebody outside reads them, who knows the key set and nothing else."""
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    key = (await keys_of(desk))[header["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        ["ES256"],
        audience="orders.shop.example",
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims


async def test_a_service_account_gets_a_token_for_itself_and_reads_with_it(desk: Desk) -> None:
    answer = await desk.ask(desk.report, grant_type="client_credentials")

    tokens = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == (
        "Bearer",
        600,
        "orders:read",
    )
    claims = await claims_of(desk, tokens["access_token"])
    assert (claims["sub"], claims["client_id"]) == ("client-report", "client-report")
    assert "act" not in claims
    assert claims["exp"] - claims["iat"] == 600
    assert await desk.orders_of(tokens["access_token"]) == 200
    await desk.later(minutes=11)
    assert await desk.orders_of(tokens["access_token"]) == 401


async def test_a_trusted_client_acts_for_a_customer_whose_order_it_places(desk: Desk) -> None:
    tokens = await desk.log_in("ada")

    assert tokens["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert tokens["scope"] == "orders:read orders:write"
    claims = await claims_of(desk, tokens["access_token"])
    assert (claims["sub"], claims["act"]) == ("ada", {"sub": "client-backend"})
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    placed = await desk.http.post("/api/orders/create", json=order_body(), headers=bearer)
    assert placed.status_code == 201
    mine = await desk.http.get("/api/orders/", headers=bearer)
    assert [order["order_id"] for order in mine.json()] == [placed.json()["order_id"]]
    other = {"Authorization": f"Bearer {(await desk.log_in('bob'))['access_token']}"}
    address = placed.headers["Location"]
    assert (await desk.http.get(address, headers=other)).status_code == 403


async def test_a_client_that_is_not_trusted_acts_for_nobody(desk: Desk) -> None:
    answer = await desk.ask(
        desk.report, grant_type=EXCHANGE, subject_token="ada", subject_token_type=CUSTOMER_ID
    )

    assert error_of(answer) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": "client-report"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": "x" * 201}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"actor_token": "somebody"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"audience": "https://bank.example"}, "invalid_target"),
        ({"resource": "https://bank.example"}, "invalid_target"),
        ({"scope": "orders:manage"}, "invalid_scope"),
        ({"scope": "orders:read openid"}, "invalid_scope"),
    ],
)
async def test_an_exchange_for_anything_but_a_customer_is_refused(
    desk: Desk, changes: dict[str, str], error: str
) -> None:
    form = {"grant_type": EXCHANGE, "subject_token": "ada", "subject_token_type": CUSTOMER_ID}

    assert error_of(await desk.ask(desk.backend, **(form | changes))) == (400, error)


@pytest.mark.parametrize("scope", ["orders:manage", "orders:read orders:write", "openid", "  "])
async def test_a_client_is_given_no_scope_that_it_does_not_have(desk: Desk, scope: str) -> None:
    answer = await desk.ask(desk.report, grant_type="client_credentials", scope=scope)

    assert error_of(answer) == (400, "invalid_scope")


async def test_a_client_may_ask_for_less(desk: Desk) -> None:
    answer = await desk.ask(desk.backend, grant_type="client_credentials", scope="orders:read")

    assert answer.json()["scope"] == "orders:read"


# Who is asking --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "auth",
    [
        ("client-backend", "ocs_wrong"),
        ("client-nobody", "ocs_wrong"),
        ("backend", "ocs_wrong"),
        ("client-\x00", "ocs_wrong"),
        ("client-" + "x" * 500, "ocs_wrong"),
        ("client-backend", ""),
        ("", "ocs_wrong"),
    ],
)
async def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(
    desk: Desk, auth: tuple[str, str]
) -> None:
    answer = await desk.ask(auth, grant_type="client_credentials")

    assert error_of(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


async def test_the_secret_of_one_client_does_not_prove_another(desk: Desk) -> None:
    answer = await desk.ask(("client-backend", desk.report[1]), grant_type="client_credentials")

    assert error_of(answer) == (401, "invalid_client")


async def test_the_secret_may_be_in_the_body(desk: Desk) -> None:
    client_id, secret = desk.report
    form = {"grant_type": "client_credentials", "client_id": client_id}

    assert (await desk.ask(None, **form, client_secret=secret)).status_code == 200
    assert error_of(await desk.ask(None, **form, client_secret="x")) == (401, "invalid_client")
    assert error_of(await desk.ask(None, **form)) == (401, "invalid_client")
    both = await desk.ask(desk.report, **form, client_secret=secret)
    assert error_of(both) == (400, "invalid_request")
    other = await desk.ask(desk.report, **(form | {"client_id": "client-backend"}))
    assert error_of(other) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"client-backend").decode(),
        "Basic " + base64.b64encode(b"%ff:%ff").decode(),
        "Bearer ey.ey.ey",
        "Basic " + "A" * 5_000,
    ],
)
async def test_credentials_that_cannot_be_read_prove_nothing(desk: Desk, header: str) -> None:
    answer = await desk.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": header},
    )

    assert error_of(answer) == (401, "invalid_client")


async def test_two_authorization_headers_are_refused(desk: Desk) -> None:
    basic = httpx.BasicAuth(*desk.backend)._auth_header  # noqa: SLF001 - to send it twice
    answer = await desk.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers=[("Authorization", basic), ("Authorization", basic)],
    )

    assert error_of(answer) == (400, "invalid_request")


# What is asked --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "invalid_request"),
        (b"scope=orders%3Aread", "invalid_request"),
        (b"grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        (b"grant_type=client_credentials&scope=orders%3Aread&scope=", "invalid_request"),
        (b"grant_type=client_credentials&x=%G0", "invalid_request"),
        (b"grant_type=client_credentials&x=%ff", "invalid_request"),
        (b"grant_type=client_credentials&x=\xc3\xa4", "invalid_request"),
        (b"grant_type=client_credentials&x=%00", "invalid_request"),
        (b"grant_type=client_credentials&" + b"x=" + b"1" * 20_000, "invalid_request"),
        (b"grant_type", "invalid_request"),
        (b"&".join(b"a%d=1" % n for n in range(40)), "invalid_request"),
        (b"grant_type=password&username=ada&password=x", "unsupported_grant_type"),
        (b"grant_type=%22%3E%3Cscript%3E", "unsupported_grant_type"),
        (b"grant_type=authorization_code&code=x", "unsupported_grant_type"),
        (b"grant_type=refresh_token", "invalid_request"),
        (b"grant_type=refresh_token&refresh_token=x", "invalid_grant"),
    ],
)
async def test_a_form_that_is_none_or_asks_for_something_else_is_refused(
    desk: Desk, body: bytes, error: str
) -> None:
    answer = await desk.http.post(
        "/oauth/token",
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=desk.backend,
    )

    assert error_of(answer) == (400, error)


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "", "multipart/form-data"]
)
async def test_a_body_of_another_kind_is_refused(desk: Desk, media_type: str) -> None:
    answer = await desk.http.post(
        "/oauth/token",
        content=b"grant_type=client_credentials",
        headers={"Content-Type": media_type},
        auth=desk.backend,
    )

    assert error_of(answer) == (400, "invalid_request")


async def test_a_parameter_that_nobody_knows_does_no_harm(desk: Desk) -> None:
    answer = await desk.ask(desk.report, grant_type="client_credentials", hello="", weather="fine")

    assert answer.status_code == 200


async def test_no_secret_and_no_token_is_logged_or_stored(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        tokens = await desk.log_in("zoe-kowalski")
        refreshed = (await desk.refresh(tokens["refresh_token"])).json()
        await desk.refresh(tokens["refresh_token"])

    stored = [
        await desk.database.store.rows(f"SELECT * FROM {table}")  # noqa: S608 - names of ours
        for table in ("oauth_clients", "oauth_grants", "oauth_signing_keys")
    ]
    for text in (caplog.text, repr(stored)):
        for secret in (
            desk.backend[1],
            *(each[name] for each in (tokens, refreshed) for name in BOTH),
        ):
            assert secret not in text
    assert "were revoked: reuse" in caplog.text
    assert "kowalski" not in caplog.text
    assert "PRIVATE" not in repr(stored)


async def test_the_metadata_say_where_everything_is(desk: Desk) -> None:
    document = (await desk.http.get("/.well-known/oauth-authorization-server")).json()

    assert document["issuer"] == ISSUER
    assert document["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert document["grant_types_supported"] == ["client_credentials", "refresh_token", EXCHANGE]
    # The library takes an empty list for none at all.
    AuthorizationServerMetadata(document | {"response_types_supported": ["none"]}).validate()
    assert (await desk.http.get("/.well-known/openid-configuration")).status_code == 404


async def test_the_openapi_document_describes_what_is_served(desk: Desk) -> None:
    document = (await desk.http.get("/openapi.json")).json()

    validate(document)
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert {(each.method, each.path) for each in oauth_endpoints(desk.issuer)} <= described
    token = document["paths"]["/oauth/token"]["post"]
    assert token["security"] == [{"client": []}]
    assert token["requestBody"]["content"].keys() == {"application/x-www-form-urlencoded"}
    assert document["components"]["securitySchemes"].keys() == {"bearer", "client"}
    assert token["responses"]["400"]["content"].keys() == {
        "application/json",
        "application/problem+json",
    }
