"""The endpoint where an issuer says which of its tokens are still good (RFC 7662), over HTTP."""

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import parse_qs

CLIENT_ID: Final = "the-orders"
CLIENT_SECRET: Final = "secret-of-the-orders-at-their-issuer"


class IntrospectionEndpoint:
    """Stands by every token that nobody called back, and can fall silent."""

    def __init__(self) -> None:
        self.called_back: set[str] = set()
        self.asked: list[str] = []
        self.connections = 0
        self.hangs_seconds = 0.0
        self.url = ""

    def answer(self, authorization: str, form: str) -> tuple[int, dict[str, object]]:
        if (
            b64decode(authorization.removeprefix("Basic "))
            != f"{CLIENT_ID}:{CLIENT_SECRET}".encode()
        ):
            return 401, {"error": "invalid_client"}
        (token,) = parse_qs(form)["token"]
        self.asked.append(token)
        time.sleep(self.hangs_seconds)
        return 200, {"active": token.count(".") == 2 and token not in self.called_back}


@contextmanager
def introspection_endpoint() -> Iterator[IntrospectionEndpoint]:
    """One that answers until the end of the `with`."""
    endpoint = IntrospectionEndpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            endpoint.connections += 1

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, document = endpoint.answer(self.headers.get("Authorization", ""), form)
            body = json.dumps(document).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # Whoever asked had no more patience.

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        endpoint.url = f"http://127.0.0.1:{server.server_port}/introspect"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield endpoint
        finally:
            server.shutdown()
