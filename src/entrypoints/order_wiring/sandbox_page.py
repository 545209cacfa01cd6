"""The page on which a buyer of the sandbox approves a payment, or refuses."""

import asyncio
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from order_http.endpoint import Public
from order_sandbox import Movement, SandboxLedger, Standing

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Play money</title>
</head>
<body>
<h1>Play money</h1>
{content}
</body>
</html>
"""
_QUESTION: Final = """<p>A shop asks you for {amount}. No real money moves here.</p>
<form method="post" action="?decision=approve"><button>Approve</button></form>
<form method="post" action="?decision=refuse"><button>Refuse</button></form>"""
_SAID: Final = {
    Standing.SUCCEEDED: "{amount} are paid.",
    Standing.AUTHORIZED: "{amount} are held for the shop.",
    Standing.DECLINED: "The payment of {amount} is refused.",
    Standing.VOIDED: "The payment of {amount} was taken back by the shop.",
    Standing.BEGUN: "The payment of {amount} has only begun.",
    Standing.PENDING: "The payment of {amount} is on its way.",
}
_POLICY: Final = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def sandbox_page(ledger: SandboxLedger) -> list[Public]:
    """`/sandbox/{reference}`: GET asks, POST with `?decision=approve` or `refuse` decides."""

    async def ask(request: Request) -> Response:
        movement = await asyncio.to_thread(ledger.find, request.path_params["reference"])
        if movement is None:
            return _answer("<p>There is no such payment.</p>", status=404)
        return _answer(_content(movement))

    async def decide(request: Request) -> Response:
        reference: str = request.path_params["reference"]
        decisions = {"approve": ledger.approve, "refuse": ledger.refuse}
        decision = decisions.get(request.query_params.get("decision", ""))
        if decision is None:
            return _answer("<p>The decision must be approve or refuse.</p>", status=422)
        # Deciding twice does no harm: the page shows what became of the first time.
        await asyncio.to_thread(decision, reference)
        return RedirectResponse(request.url.path, status_code=303)

    path = "/sandbox/{reference}"
    why = "a buyer has no token at his bank; whoever knows the reference moves play money"
    return [Public("GET", path, ask, why), Public("POST", path, decide, why)]


def _content(movement: Movement) -> str:
    amount = escape(str(movement.amount))
    if movement.standing is Standing.ACTION_REQUIRED:
        return _QUESTION.format(amount=amount)
    said = f"<p>{_SAID[movement.standing].format(amount=amount)}</p>"
    back = movement.return_url or ""
    if back.startswith(("https://", "http://")):
        said += f'\n<p><a href="{escape(back)}">Back to the shop</a></p>'
    return said


def _answer(content: str, *, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(content=content), status, {"Content-Security-Policy": _POLICY})
