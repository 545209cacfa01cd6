"""An OpenID Connect provider by others, as a program that names its keys, or does not.

    oidc_provider_process.py PORT named|nameless USER...

A USER is a JSON object of claims, with `sub` among them. Named keys are published as real issuers
do it: beside the one that signs is the next one, for the same algorithm. `/asked` tells how often
each address was asked for.
"""

import json
import os
import sys
from collections import Counter
from typing import Any

import flask
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from oidc_provider_mock import User, _app, app  # type: ignore[import-untyped]

_NEXT_KEY = RSAAlgorithm.to_jwk(
    rsa.generate_private_key(65537, 2048).public_key(), as_dict=True
) | {"kid": "the-next-key"}


class _NamingKeys(_app.OpenIDCode):  # type: ignore[misc]
    """By itself the provider publishes names, and puts none into its tokens."""

    def get_encode_header(self, client: object) -> dict[str, Any]:
        header: dict[str, Any] = super().get_encode_header(client)
        return header | {"kid": _app.storage.jwk.as_dict()["kid"]}


def _named_keys() -> flask.Response:
    return flask.jsonify({"keys": [_NEXT_KEY, _app.storage.jwk.as_dict()]})


def _nameless_key() -> flask.Response:
    key: dict[str, Any] = _app.storage.jwk.as_dict()
    return flask.jsonify({"keys": [{name: key[name] for name in key if name != "kid"}]})


def _provider(*, named: bool, users: list[dict[str, Any]]) -> flask.Flask:
    if named:
        _app.OpenIDCode = _NamingKeys
    known = [User(sub=user.pop("sub"), claims=user) for user in users]
    provider: flask.Flask = app(user_claims=known)
    provider.view_functions["oidc-provider-mock.jwks"] = _named_keys if named else _nameless_key
    asked: Counter[str] = Counter()
    provider.before_request(lambda: asked.update([flask.request.path]))
    provider.add_url_rule("/asked", view_func=lambda: flask.jsonify(asked), endpoint="asked")
    return provider


def main() -> None:
    """Serve until killed."""
    port, naming, *users = sys.argv[1:]
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    provider = _provider(named=naming == "named", users=[json.loads(user) for user in users])
    uvicorn.run(provider, interface="wsgi", port=int(port), log_config=None)


if __name__ == "__main__":
    main()
