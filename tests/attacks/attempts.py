"""The attacks themselves. Each raises AssertionError where one gets through."""

import httpx

from order_http.endpoint import Endpoint, Guarded, OwnerRule
from order_http.problem_codes import CODES
from tests.attacks.callers import PRINCIPALS, STAFF, is_victim, refusal_of
from tests.attacks.rows import SECRETS, Row
from tests.attacks.site import KEY_OF_VICTIM, Site

_MEMBERS_OF_A_REFUSAL = {"type", "title", "status", "detail", "instance", "code"}


async def attempt(site: Site, caller: str, endpoint: Guarded, row: Row) -> None:
    """One caller makes the request of one row, also with the victim's Idempotency-Key."""
    refusal = refusal_of(caller, endpoint)
    # For the victim himself the key means his first request, and the body of that.
    keys = ({},) if is_victim(caller) else ({}, {"Idempotency-Key": KEY_OF_VICTIM})
    for headers in keys:
        before = await site.state()
        answer = await site.send(caller, endpoint, row, headers=headers)
        if refusal is not None:
            assert_refused(site, answer, refusal)
            assert await site.state() == before, f"{caller} was refused, and changed something"
        else:
            await _assert_only_what_is_his(site, caller, endpoint, row, answer)
        if endpoint.method == "GET":
            await _assert_head_tells_no_more(site, caller, endpoint, row, answer)


async def _assert_only_what_is_his(
    site: Site, caller: str, endpoint: Guarded, row: Row, answer: httpx.Response
) -> None:
    assert answer.status_code in {row.right, 201, 202}, answer.text
    his_business = is_victim(caller) or (
        caller == STAFF and endpoint.owner_rule is not OwnerRule.NEW
    )
    if not his_business:
        assert_tells_nothing(site, answer)
    if endpoint.owner_rule is OwnerRule.NEW:
        assert await site.owner_of(answer.json()["order_id"]) == PRINCIPALS[caller].subject
    if endpoint.owner_rule is OwnerRule.OWN_LIST:
        shown = [order["order_id"] for order in answer.json()]
        assert (site.order_id in shown) is his_business
        owners = {await site.owner_of(order_id) for order_id in shown}
        assert caller == STAFF or owners <= {PRINCIPALS[caller].subject}


async def _assert_head_tells_no_more(
    site: Site, caller: str, endpoint: Guarded, row: Row, answer: httpx.Response
) -> None:
    head = await site.send(caller, endpoint, row, method="HEAD")
    assert (head.status_code, head.content) == (answer.status_code, b"")


async def attempt_unknown_order(site: Site, caller: str, endpoint: Guarded, row: Row) -> None:
    """An id that no order has is answered in the same form as a stranger's order."""
    for order_id in ("no-such-order", "0" * 36, "x" * 37, "%00", site.order_id[:-1] + "~"):
        answer = await site.send(caller, endpoint, row, order_id=order_id)
        expected = refusal_of(caller, endpoint)
        code = "order_not_found" if expected in {None, "not_your_order"} else expected
        assert_refused(site, answer, str(code))


async def attempt_public(site: Site, caller: str, endpoint: Endpoint, row: Row) -> None:
    """What asks for no token shows nothing of anybody, whoever asks."""
    before = await site.state()
    answer = await site.send(caller, endpoint, row)
    assert answer.status_code == row.right, answer.text
    assert_tells_nothing(site, answer)
    assert await site.state() == before


def assert_refused(site: Site, answer: httpx.Response, code: str) -> None:
    """It is this problem, in the one form that refusals have, with nothing of the order."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (CODES[code][0], code)
    assert problem.keys() == _MEMBERS_OF_A_REFUSAL
    assert_tells_nothing(site, answer)


def assert_tells_nothing(site: Site, answer: httpx.Response) -> None:
    """Neither the body nor a header holds anything of the victim's order."""
    told = "\n".join([answer.text, *map(str, answer.headers.multi_items())])
    leaked = [secret for secret in (*SECRETS, site.order_id) if secret in told]
    assert not leaked, f"{answer.request.method} {answer.request.url} tells {leaked}"
