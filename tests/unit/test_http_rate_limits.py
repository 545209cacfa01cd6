"""Who asks too often, or fails too often, is turned away before anything happens."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from order_core.errors import InvalidToken, WebhookRejected
from order_core.ports import Principal
from order_http.endpoint import Public
from order_http.proven_tokens import ProvenTokens
from order_memory import in_memory_shop
from tests.unit.http_service import TOKENS, order_body
from tests.unit.limited_service import Watch, caller, limited

ORDERS = "/api/orders/"
CREATE = "/api/orders/create"


async def test_answers_say_what_is_left_of_the_limit_in_the_words_of_the_draft() -> None:
    async with caller(limited({"customer": "3/minute"})) as ann:
        first, second = await ann.get(ORDERS), await ann.get(ORDERS)
    assert first.headers["RateLimit-Policy"] == '"customer";q=3;w=60'
    assert first.headers["RateLimit"].startswith('"customer";r=2;t=')
    assert second.headers["RateLimit"].startswith('"customer";r=1;t=')


async def test_one_request_too_many_is_429_and_nothing_is_ordered() -> None:
    shop = in_memory_shop()
    async with caller(limited({"customer": "2/minute"}, shop.core)) as ann:
        for number in (1, 2):
            answer = await ann.post(CREATE, json=order_body(allow_duplicate=True))
            assert answer.status_code == 201, number
        refused = await ann.post(CREATE, json=order_body(allow_duplicate=True))
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "rate_limited")
    assert problem["violated-policies"] == ["customer"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"customer";r=0;t=')
    assert len(shop.gateway.asked) == 2


async def test_who_comes_back_when_told_to_is_served() -> None:
    watch = Watch()
    async with caller(limited({"customer": "1/minute"}, watch=watch)) as ann:
        await ann.get(ORDERS)
        refused = await ann.get(ORDERS)
        watch.now += int(refused.headers["Retry-After"]) + 0.001
        assert (await ann.get(ORDERS)).status_code == 200


async def test_a_customer_is_one_from_every_address_and_no_other_customer() -> None:
    app = limited({"customer": "2/minute"})
    async with caller(app, address="192.0.2.1") as home, caller(app, address="192.0.2.2") as train:
        await home.get(ORDERS)
        await train.get(ORDERS)
        assert (await home.get(ORDERS)).status_code == 429
    async with caller(app, "bob", "192.0.2.1") as bob:
        assert (await bob.get(ORDERS)).status_code == 200


async def test_staff_has_a_limit_of_its_own() -> None:
    app = limited({"customer": "1/minute", "staff": "3/minute"})
    async with caller(app, "staff") as grace:
        statuses = [(await grace.get(ORDERS)).status_code for _ in range(4)]
        told = (await grace.get(ORDERS)).json()["violated-policies"]
    assert statuses == [200, 200, 200, 429]
    assert told == ["staff"]


async def test_an_address_that_asks_too_often_is_turned_away_before_its_token_is_looked_at() -> (
    None
):
    app = limited({"address": "2/minute"}, verifier=NobodyMayAsk())
    async with caller(app, None) as stranger:
        assert [(await stranger.get(ORDERS)).status_code for _ in range(2)] == [401, 401]
    async with caller(app, "ann") as ann:
        refused = await ann.get(ORDERS)
    assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["address"])


class NobodyMayAsk:
    async def verify(self, token: str, /) -> Any:
        raise AssertionError("a token was verified")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
async def test_a_site_of_ipv6_is_one_address(one: str, other: str, alike: bool) -> None:
    app = limited({"address": "1/minute"})
    async with caller(app, address=one) as first, caller(app, address=other) as second:
        assert (await first.get(ORDERS)).status_code == 200
        assert (await second.get(ORDERS)).status_code == (429 if alike else 200)


async def test_who_has_no_address_is_not_counted_as_one() -> None:
    async with caller(limited({"address": "1/minute"}), address=None) as socket:
        assert [(await socket.get(ORDERS)).status_code for _ in range(3)] == [200] * 3


async def test_too_many_bad_tokens_keep_the_address_out_and_nobody_else() -> None:
    app = limited({"failures": "3/minute"})
    async with caller(app, "guess", "192.0.2.66") as guesser:
        statuses = [(await guesser.get(ORDERS)).status_code for _ in range(5)]
        refused = await guesser.get(ORDERS)
    assert statuses == [401, 401, 401, 429, 429]
    assert refused.json()["violated-policies"] == ["failures"]
    async with caller(app, "ann", "192.0.2.66") as lucky, caller(app, "ann", "192.0.2.67") as ann:
        assert (await lucky.get(ORDERS)).status_code == 429
        assert (await ann.get(ORDERS)).status_code == 200


async def test_a_guesser_keeps_no_neighbour_out_whose_token_was_proven_before() -> None:
    tokens = Revocable()
    app = limited({"failures": "3/minute"}, verifier=tokens)
    async with caller(app) as ann, caller(app, "bob") as bob, caller(app, "guess") as guesser:
        assert (await ann.get(ORDERS)).status_code == 200
        assert [(await guesser.get(ORDERS)).status_code for _ in range(5)][-2:] == [429, 429]
        assert [(await ann.get(ORDERS)).status_code for _ in range(4)] == [200] * 4
        assert (await bob.get(ORDERS)).status_code == 429
        two = [("Authorization", "Bearer ann"), ("Authorization", "Bearer guess")]
        async with caller(app, None) as both:
            assert (await both.get(ORDERS, headers=two)).status_code == 429
        tokens.revoked = True
        assert [(await ann.get(ORDERS)).status_code for _ in range(2)] == [401, 429]


class Revocable:
    revoked = False

    async def verify(self, token: str, /) -> Principal:
        if self.revoked:
            raise InvalidToken("it was revoked")
        return await TOKENS.verify(token)


def test_only_so_many_proven_tokens_are_known_and_those_are_the_latest() -> None:
    proven = ProvenTokens(most=3)
    shown = [{"headers": [(b"authorization", b"Bearer %d" % number)]} for number in range(5)]
    for scope in (*shown[:3], shown[0], *shown[3:]):
        proven.note(scope)
    assert [proven.knows(scope) for scope in shown] == [True, False, False, True, True]
    assert len(proven) == 3


async def test_who_sends_no_token_or_lacks_a_scope_guesses_nothing() -> None:
    app = limited({"failures": "1/minute"})
    async with caller(app, None) as stranger:
        assert [(await stranger.get(ORDERS)).status_code for _ in range(4)] == [401] * 4
    async with caller(app, "writer") as writer:
        assert [(await writer.get(ORDERS)).status_code for _ in range(4)] == [403] * 4
    async with caller(app, "ann") as ann:
        assert (await ann.get(ORDERS)).status_code == 200


async def test_who_guesses_at_the_issuer_is_kept_out_of_it_and_of_the_api() -> None:
    async def refuse(_: Request) -> Response:
        return Response(b'{"error": "invalid_grant"}', 400)

    issuer = Public("POST", "/oauth/token", refuse, "it asks for a secret itself")
    app = limited({"failures": "2/minute"}, extra_routes=[issuer])
    async with caller(app, None, "192.0.2.66") as thief:
        answers = [await thief.post("/oauth/token") for _ in range(4)]
    async with caller(app, "ann", "192.0.2.66") as beside, caller(app, "ann") as elsewhere:
        assert (await beside.get(ORDERS)).status_code == 429
        assert (await elsewhere.get(ORDERS)).status_code == 200
        # A good token of his own does not let him guess on.
        assert (await beside.post("/oauth/token")).status_code == 429
    assert [answer.status_code for answer in answers] == [400, 400, 429, 429]


async def test_health_metrics_and_events_of_providers_are_not_limited() -> None:
    class Events:
        async def receive_webhook(self, *_: Any) -> None:
            raise WebhookRejected("the signature is another's")

    app = limited({"address": "1/minute", "failures": "1/minute"}, Events())
    async with caller(app) as anyone:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert [(await anyone.get(path)).status_code for _ in range(3)] == [200] * 3
        events = [await anyone.post("/api/webhooks/stripe", content=b"{}") for _ in range(3)]
    assert [answer.status_code for answer in events] == [400] * 3


async def test_the_metrics_count_who_was_turned_away_and_say_that_counts_are_together() -> None:
    async with caller(limited({"customer": "1/minute"})) as ann:
        for _ in range(4):
            await ann.get(ORDERS)
        shown = (await ann.get("/metrics")).text
    assert 'order_http_rate_limited_total{policy="customer"} 3.0' in shown
    assert "order_http_rate_limit_storage_up 1.0" in shown


async def test_pages_of_other_origins_may_read_what_is_left() -> None:
    app = limited({"customer": "5/minute"}, cors_origins=("https://shop.example",))
    async with caller(app) as page:
        answer = await page.get(ORDERS, headers={"Origin": "https://shop.example"})
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= {
        name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")
    }


async def test_without_limits_nobody_is_counted_and_nothing_is_said() -> None:
    async with caller(limited({})) as ann:
        answers = [await ann.get(ORDERS) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[-1].headers


async def test_whoever_lacks_the_scope_is_limited_as_well() -> None:
    app = limited({"customer": "2/minute"})
    async with caller(app, "reader") as reader:
        answers = [await reader.post("/api/orders/create", json={}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [403, 403, 429]
