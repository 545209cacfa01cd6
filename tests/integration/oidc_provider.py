"""An OpenID Connect provider by others, in a process of its own that can go down."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.integration.service_process import die_with_the_tests, environment, unused_port

AUDIENCE: Final = "the-orders"
_START_SECONDS: Final = 20
_PROGRAM: Final = Path(__file__).with_name("oidc_provider_process.py")


class OidcProvider:
    """Each start makes a new key; the address stays."""

    def __init__(self, *, names_keys: bool = True, **scopes: str) -> None:
        self._naming = "named" if names_keys else "nameless"
        self._users = [json.dumps({"sub": sub, "scope": scopes[sub]}) for sub in scopes]
        self._port = unused_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.issuer = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Come back once it answers."""
        self._process = subprocess.Popen(
            [
                # Its folder has modules that are called like others of this environment.
                *(sys.executable, "-P", "-W", "ignore", str(_PROGRAM)),
                *(str(self._port), self._naming, *self._users),
            ],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_the_tests,  # noqa: PLW1509 - calls one C function, no lock
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._metadata()
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Answer nobody any more, at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def token(self, subject: str) -> str:
        """What the provider gives a page in which `subject` has signed in."""
        page = {"client_id": AUDIENCE, "redirect_uri": "http://127.0.0.1/signed-in"}
        metadata = self._metadata()
        signed_in = httpx.post(
            metadata["authorization_endpoint"],
            params=page | {"response_type": "code", "scope": "openid"},
            data={"sub": subject},
            trust_env=False,
        )
        code = httpx.URL(signed_in.headers["Location"]).params["code"]
        answer = httpx.post(
            metadata["token_endpoint"],
            data=page | {"grant_type": "authorization_code", "code": code, "client_secret": "any"},
            trust_env=False,
        )
        token: str = answer.raise_for_status().json()["id_token"]
        return token

    def looks(self) -> int:
        """How often it was asked for its keys since it started."""
        asked = httpx.get(f"{self.issuer}/asked", trust_env=False).raise_for_status().json()
        looks: int = asked.get("/jwks", 0)
        return looks

    def _metadata(self) -> dict[str, str]:
        address = f"{self.issuer}/.well-known/openid-configuration"
        metadata: dict[str, str] = httpx.get(address, trust_env=False).raise_for_status().json()
        return metadata


@contextmanager
def oidc_provider(*, names_keys: bool = True, **scopes: str) -> Iterator[OidcProvider]:
    """One that has started, whose users (subject -> scopes) may sign in."""
    provider = OidcProvider(names_keys=names_keys, **scopes)
    try:
        provider.start()
        yield provider
    finally:
        provider.stop()
