"""Reading orders: one, a page, its history."""

import base64
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from order_memory import InMemoryShop
from tests.unit.http_service import customer, errors_of, in_memory_shop, order_body, service

LIST = "/api/orders/"


async def placed(shop: InMemoryShop, ann: httpx.AsyncClient, count: int) -> list[str]:
    """Ids, newest first, one a minute."""
    ids = []
    for number in range(count):
        shop.clock.advance(timedelta(minutes=1))
        body = order_body(shipping_address=f"Quay {number}")
        ids.append((await ann.post("/api/orders/create", json=body)).json()["order_id"])
    return ids[::-1]


def ids_of(answer: httpx.Response) -> list[str]:
    return [order["order_id"] for order in answer.json()]


async def test_an_order_is_shown_to_its_owner_only() -> None:
    shop = in_memory_shop()
    app = service(shop.core)
    async with customer(app) as ann, customer(app, "bob") as bob:
        [order_id] = await placed(shop, ann, 1)
        for path in ("", "/history"):
            assert (await ann.get(f"/api/orders/{order_id}{path}")).status_code == 200
            refused = await bob.get(f"/api/orders/{order_id}{path}")
            assert refused.status_code == 403
            assert refused.json()["code"] == "not_your_order"
        assert (await bob.get(LIST)).json() == []


@pytest.mark.parametrize("order_id", ["id-999999", "x" * 37, "a.b", "%00", "%F0%9F%AB%96", "a b"])
async def test_an_order_that_does_not_exist_is_not_found(order_id: str) -> None:
    async with customer(service()) as ann:
        for path in ("", "/history"):
            answer = await ann.get(f"/api/orders/{order_id}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")
        answer = await ann.post(f"/api/orders/{order_id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


async def test_a_list_is_newest_first_and_each_link_leads_to_the_next_page() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        ids = await placed(shop, ann, 5)
        pages = []
        address: str | None = f"{LIST}?limit=2"
        while address:
            answer = await ann.get(address)
            pages.append(ids_of(answer))
            address = answer.links["next"]["url"] if answer.links else None
    assert pages == [ids[:2], ids[2:4], ids[4:]]


async def test_a_new_order_does_not_move_the_pages_behind_a_cursor() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        ids = await placed(shop, ann, 4)
        first = await ann.get(f"{LIST}?limit=2")
        shop.clock.advance(timedelta(minutes=1))
        await ann.post("/api/orders/create", json=order_body(shipping_address="later"))
        second = await ann.get(first.links["next"]["url"])
    assert ids_of(second) == ids[2:]


async def test_limit_and_offset_choose_a_window_with_ten_as_the_default() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        ids = await placed(shop, ann, 12)
        assert ids_of(await ann.get(LIST)) == ids[:10]
        assert ids_of(await ann.get("/api/orders")) == ids[:10]
        assert ids_of(await ann.get(f"{LIST}?limit=3&offset=4")) == ids[4:7]
        assert ids_of(await ann.get(f"{LIST}?offset=10000")) == []


async def test_a_list_shows_placed_orders_unless_it_is_asked_for_others() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        for method in ("ok", "declined", "pending"):
            await ann.post("/api/orders/create", json=order_body(payment_method=method))

        async def statuses(query: str) -> list[str]:
            return [order["status"] for order in (await ann.get(LIST + query)).json()]

        assert await statuses("") == ["pending"]
        assert await statuses("?status=payment_failed") == ["payment_failed"]
        both = ["awaiting_payment", "payment_failed"]
        assert sorted(await statuses("?status=payment_failed,awaiting_payment")) == both
        assert sorted(await statuses("?status=payment_failed&status=awaiting_payment")) == both


async def test_the_next_page_keeps_the_filters() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        ids = await placed(shop, ann, 4)
        since = (await ann.get(f"/api/orders/{ids[2]}")).json()["created_at"]
        first = await ann.get(f"{LIST}?limit=2&status=pending&created_after={since}")
        assert ids_of(first) == ids[:2]
        second = await ann.get(first.links["next"]["url"])
        assert ids_of(second) == [ids[2]]
        until = await ann.get(f"{LIST}?created_before={since}")
        assert ids_of(until) == [ids[3]]


async def test_a_time_may_have_any_offset() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        ids = await placed(shop, ann, 2)  # At 12:01 and 12:02 UTC.
        answer = await ann.get(LIST, params={"created_after": "2030-01-01T14:02:00+02:00"})
    assert ids_of(answer) == ids[:1]


def cursor(packed: bytes) -> str:
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=0", "?limit", "out_of_range"),
        ("limit=101", "?limit", "out_of_range"),
        ("limit=abc", "?limit", "out_of_range"),
        ("limit=", "?limit", "out_of_range"),
        ("limit=1.0", "?limit", "out_of_range"),
        ("limit=%EF%BC%91", "?limit", "out_of_range"),
        ("limit=" + "9" * 5000, "?limit", "out_of_range"),
        ("limit=5&limit=6", "?limit", "repeated"),
        ("offset=-1", "?offset", "out_of_range"),
        ("offset=10001", "?offset", "out_of_range"),
        ("cursor=", "?cursor", "broken_cursor"),
        ("cursor=abc", "?cursor", "broken_cursor"),
        ("cursor=%00", "?cursor", "broken_cursor"),
        ("cursor=" + "A" * 65, "?cursor", "broken_cursor"),
        ("cursor=" + cursor(b"\x02" + bytes(8) + b"id-1"), "?cursor", "broken_cursor"),
        ("cursor=" + cursor(b"\x01" + b"\x7f" * 8 + b"id-1"), "?cursor", "broken_cursor"),
        ("cursor=" + cursor(b"\x01" + bytes(8) + b"a'b"), "?cursor", "broken_cursor"),
        ("cursor=" + cursor(b"\x01" + bytes(8)), "?cursor", "broken_cursor"),
        ("cursor=" + cursor(b"\x01" + bytes(8) + b"i") + "&offset=0", "?offset", "excluded"),
        ("status=lost", "?status", "unknown_status"),
        ("status=pending,", "?status", "unknown_status"),
        ("status=", "?status", "unknown_status"),
        ("created_after=yesterday", "?created_after", "not_a_time"),
        ("created_after=2030-01-01", "?created_after", "not_a_time"),
        ("created_after=2030-01-01T12:00:00", "?created_after", "not_a_time"),
        ("created_before=2030-02-30T12:00:00Z", "?created_before", "not_a_time"),
        ("created_before=0001-01-01T00:00:00%2B14:00", "?created_before", "not_a_time"),
        ("limlt=5", "?limlt", "unknown_parameter"),
        (f"{'x' * 99}=5", f"?{'x' * 64}", "unknown_parameter"),
    ],
)
async def test_a_broken_parameter_is_named(query: str, pointer: str, code: str) -> None:
    async with customer(service()) as ann:
        answer = await ann.get(f"{LIST}?{query}")
    assert (answer.status_code, errors_of(answer)) == (422, {pointer: code})


async def test_a_cursor_changed_in_one_letter_is_refused_or_is_another_cursor() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        await placed(shop, ann, 2)
        good = (await ann.get(f"{LIST}?limit=1")).links["next"]["url"].split("cursor=")[1]
        for place in range(len(good)):
            broken = good[:place] + ("B" if good[place] != "B" else "C") + good[place + 1 :]
            answer = await ann.get(f"{LIST}?cursor={quote(broken)}")
            assert answer.status_code in {200, 422}


async def test_a_cursor_that_was_cut_short_is_refused() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        await placed(shop, ann, 2)
        good = (await ann.get(f"{LIST}?limit=1")).links["next"]["url"].split("cursor=")[1]
        answers = [await ann.get(f"{LIST}?cursor={good[:end]}") for end in range(1, len(good))]
    assert {answer.status_code for answer in answers} == {422}


@pytest.mark.parametrize("path", ["/api/orders/id-1", "/api/orders/id-1/history"])
async def test_a_parameter_where_none_is_known_is_refused(path: str) -> None:
    async with customer(service()) as ann:
        answer = await ann.get(f"{path}?verbose=1")
    assert errors_of(answer) == {"?verbose": "unknown_parameter"}


async def test_the_history_tells_everything_in_order() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        [order_id] = await placed(shop, ann, 1)
        await ann.post(f"/api/orders/{order_id}/cancel")
        history = (await ann.get(f"/api/orders/{order_id}/history")).json()
    assert [entry["sequence"] for entry in history] == list(range(1, len(history) + 1))
    assert [entry["event"] for entry in history][:3] == [
        "order_opened",
        "order_placed",
        "order_cancelled",
    ]
    assert history[0]["details"]["amount"] == "25.00 USD"
