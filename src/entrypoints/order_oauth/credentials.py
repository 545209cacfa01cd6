"""Who the client says it is, and the secret that is to prove it (RFC 6749, 2.3.1)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Final
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from order_oauth.random_secrets import digest
from order_sqlalchemy.oauth_records import StoredClient

METHODS: Final = ("client_secret_basic", "client_secret_post")
_LONGEST_HEADER: Final = 1_000
_NOBODYS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Credentials:
    """A claim, until `prove` says otherwise."""

    client_id: str
    secret: str = field(repr=False)

    def prove(self, client: StoredClient | None, now: datetime) -> bool:
        """Whether the secret is that of `client`, or was its secret lately.

        Takes as long for a client that is not there.
        """
        given = digest(self.secret)
        current = compare_digest(given, client.secret_digest if client else _NOBODYS)
        old_digest = client.old_secret_digest if client else None
        old = compare_digest(given, old_digest or _NOBODYS)
        old_until = client.old_secret_until if client else None
        return client is not None and (
            current or (old and old_until is not None and now < old_until)
        )


def read_credentials(authorization: Sequence[str], form: Mapping[str, str]) -> Credentials:
    """From the `Authorization` headers or from the body, but not from both.

    Raises:
        InvalidClientError: there are none, or they cannot be read.
        InvalidRequestError: there are two.
    """
    if len(authorization) > 1:
        raise InvalidRequestError("There is more than one Authorization header.")
    if not authorization:
        if "client_id" in form and "client_secret" in form:
            return Credentials(form["client_id"], form["client_secret"])
        raise not_proven("Send the client's id and secret, best as HTTP Basic.")
    if "client_secret" in form:
        raise InvalidRequestError("The client's secret is there twice, in header and body.")
    credentials = _basic(authorization[0])
    if form.get("client_id", credentials.client_id) != credentials.client_id:
        raise InvalidRequestError("The header and the body name different clients.")
    return credentials


def not_proven(because: str) -> InvalidClientError:
    """The answer to a client that did not prove who it is."""
    return InvalidClientError(because, status_code=401)


def _basic(header: str) -> Credentials:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > _LONGEST_HEADER:
        raise not_proven("The client's id and secret come as HTTP Basic.")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        client_id = unquote_plus(name.decode(), errors="strict")
        client_secret = unquote_plus(secret.decode(), errors="strict")
    except (binascii.Error, ValueError):
        raise not_proven("The Authorization header is not HTTP Basic in UTF-8.") from None
    if not colon or not client_id or not client_secret:
        raise not_proven("The Authorization header lacks the client's id or its secret.")
    return Credentials(client_id, client_secret)
