"""/docs: the OpenAPI document for people, without anything from another host."""

import gzip
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from order_http.endpoint import Public

# Every address is relative, so that the page also works below the path of a host application.
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>order-core</title>
<script type="module" src="docs/rapidoc.js"></script>
</head>
<body>
<rapi-doc spec-url="openapi.json" load-fonts="false" show-header="false"
 allow-spec-url-load="false" allow-spec-file-load="false" allow-server-selection="false"
 render-style="read" theme="light" persist-auth="false"></rapi-doc>
</body>
</html>
"""
# RapiDoc writes style elements and attributes into its own shadow tree.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPT: Final = "docs_assets/rapidoc-min.js.gz"


def endpoints() -> list[Public]:
    """The page and its script."""
    why = "it is the same for everybody, and in every copy of the package"
    return [
        Public("GET", "/docs", _page, why),
        Public("GET", "/docs/rapidoc.js", _script, why),
    ]


async def _page(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
    return Response(
        _PAGE, headers={"Content-Security-Policy": _POLICY}, media_type="text/html; charset=utf-8"
    )


@cache
def _packed_script() -> bytes:
    return files("order_http").joinpath(_SCRIPT).read_bytes()


@cache
def _unpacked_script() -> bytes:
    # Unpacked for each request, it would be the cheapest way to keep the service busy.
    return gzip.decompress(_packed_script())


async def _script(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=86400", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        script = _packed_script()
    else:
        script = _unpacked_script()
    return Response(script, headers=headers, media_type="text/javascript; charset=utf-8")
