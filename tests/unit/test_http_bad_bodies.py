"""Bodies that must not become an order, and what is said about them."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.unit.http_service import customer, errors_of, in_memory_shop, order_body, service

CREATE = "/api/orders/create"
JSON = {"Content-Type": "application/json"}
ONE_ITEM = '"items": [{"product_id": "cup", "quantity": 1, "price": 1}]'
REST = '"shipping_address": "x", "payment_method": "ok"'


async def refusal(raw: str | bytes) -> tuple[int, str, str]:
    content = raw if isinstance(raw, bytes) else raw.encode()
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=content, headers=JSON)
    problem = answer.json()
    return answer.status_code, problem["code"], problem["detail"]


async def mistakes(**changes: object) -> dict[str, str]:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(**changes))
    assert answer.status_code == 422
    return dict(errors_of(answer))


def item(**changes: object) -> list[dict[str, object]]:
    return [{"product_id": "cup", "quantity": 1, "price": 1, **changes}]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'items': []}",
        b'{"a": 1} trailing',
        b'{"price": NaN}',
        b'{"price": Infinity}',
        b'{"price": -Infinity}',
        b'{"price": 1e99999999999999999999}',
        b'{"price": ' + b"1" * 5000 + b"}",
        b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
    ],
)
async def test_what_is_not_json_is_refused(raw: bytes) -> None:
    status, code, _ = await refusal(raw)
    assert (status, code) == (400, "malformed_json")


@pytest.mark.parametrize(
    "raw",
    [
        "{" + ONE_ITEM + ", " + REST + ', "payment_method": "declined"}',
        '{"items": [{"product_id": "cup", "quantity": 1, "price": 1, "price": 2}], ' + REST + "}",
    ],
)
async def test_a_key_twice_in_one_object_is_refused(raw: str) -> None:
    assert await refusal(raw) == (400, "malformed_json", "An object has one key twice.")


@pytest.mark.parametrize("depth", [17, 5_000, 400_000])
async def test_deep_nesting_is_refused(depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        if len(opening) * depth > 500_000:
            continue
        raw = opening * depth + ("1" if "a" in opening else "") + closing * depth
        assert await refusal(raw) == (
            400,
            "malformed_json",
            "The body is nested deeper than 16 levels.",
        )


async def test_brackets_inside_of_text_are_no_nesting() -> None:
    address = '[{"' * 100 + "\\" + '"}]\\"'
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(shipping_address=address))
    assert answer.status_code == 201
    assert answer.json()["shipping_address"] == address


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {},
    ],
)
async def test_another_content_type_is_refused(headers: dict[str, str]) -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


async def test_the_content_type_may_name_its_charset() -> None:
    headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=b"{}", headers=headers)
    assert answer.status_code == 422


async def test_a_body_of_ten_megabytes_is_refused_by_its_announced_length() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=b" " * 10_000_000, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


async def test_a_body_that_announces_no_length_is_refused_where_it_gets_too_large() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 64 * 1024
            yield b" " * 64 * 1024

    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent <= 1024 * 1024 + 2 * 64 * 1024


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1e9", "²"])
async def test_an_absurd_announced_length_breaks_nothing(length: str) -> None:
    headers = {b"Content-Type": b"application/json", b"Content-Length": length.encode()}
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=b"{}", headers=headers)
    assert answer.status_code in {413, 422}


async def test_a_body_that_dawdles_is_refused() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)
        yield b"}"

    async with customer(service(body_timeout_seconds=0.05)) as ann:
        answer = await ann.post(CREATE, content=slow(), headers=JSON)
    assert answer.status_code == 408
    assert answer.json()["code"] == "body_too_slow"


@pytest.mark.parametrize("raw", ["[]", '"order"', "7", "null", "true"])
async def test_a_body_that_is_no_object_is_refused(raw: str) -> None:
    assert (await refusal(raw))[:2] == (422, "invalid_request")


async def test_every_missing_member_is_named() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json={})
    assert errors_of(answer) == {
        "/items": "missing",
        "/shipping_address": "missing",
        "/payment_method": "missing",
    }


async def test_every_mistake_is_named_at_once() -> None:
    found = await mistakes(
        items=[*item(price="1.999"), *item(quantity=0), *item(product_id=" ")],
        shipping_address={},
        payment_method="\x07",
        email="nobody",
        return_url="ftp://x",
    )
    assert found == {
        "/items/0/price": "too_many_decimals",
        "/items/1/quantity": "quantity_out_of_range",
        "/items/2/product_id": "empty",
        "/shipping_address": "address_lines",
        "/payment_method": "forbidden_character",
        "/email": "not_an_email",
        "/return_url": "not_a_return_url",
    }


async def test_no_more_than_twenty_mistakes_are_listed() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(items=item(quantity=0) * 1000))
    assert answer.json()["detail"].startswith("1000 values break a rule.")
    assert len(answer.json()["errors"]) == 20


@pytest.mark.parametrize("count", [0, 1001])
async def test_no_items_and_more_than_a_thousand_are_refused(count: int) -> None:
    assert await mistakes(items=item() * count) == {"/items": "item_count"}


async def test_a_thousand_items_are_an_order() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(items=item() * 1000))
    assert answer.json()["total"] == 1000


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ("19.999", "too_many_decimals"),
        ('"19.999"', "too_many_decimals"),
        ("1e-7", "too_many_decimals"),
        ("1e400", "amount_too_large"),
        ("90071992547409.92", "amount_too_large"),
        ("1" * 400, "amount_too_large"),
        ("-0.01", "negative_amount"),
        ('"-1"', "negative_amount"),
        ('"1e3"', "not_a_number"),
        ('""', "not_a_number"),
        ('"NaN"', "not_a_number"),
        ('"\uff11"', "not_a_number"),
        ("true", "wrong_type"),
        ("null", "wrong_type"),
        ("[1]", "wrong_type"),
        ('{"amount": 1}', "wrong_type"),
    ],
)
async def test_a_price_that_is_none_is_refused(price: str, code: str) -> None:
    raw = (
        f'{{"items": [{{"product_id": "cup", "quantity": 1, "price": {price}}}],'
        f'{REST}, "currency": "USD"}}'
    )
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, content=raw.encode(), headers=JSON)
    assert (answer.status_code, errors_of(answer)) == (422, {"/items/0/price": code})


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        (0, "quantity_out_of_range"),
        (-1, "quantity_out_of_range"),
        (10**12, "quantity_out_of_range"),
        (10**400, "quantity_out_of_range"),
        (1.0, "wrong_type"),
        (1.5, "wrong_type"),
        ("1", "wrong_type"),
        (True, "wrong_type"),
        (None, "wrong_type"),
    ],
)
async def test_a_quantity_that_is_none_is_refused(quantity: object, code: str) -> None:
    assert await mistakes(items=item(quantity=quantity)) == {"/items/0/quantity": code}


async def test_prices_whose_sum_is_too_large_or_nothing_are_refused() -> None:
    large = item(price="90071992547409.91") * 2
    assert await mistakes(items=large) == {"/items": "amount_too_large"}
    assert await mistakes(items=item(price=0)) == {"/items": "nothing_to_pay"}


@pytest.mark.parametrize("currency", ["usd", "XXX", "EURO", "", "\x00"])
async def test_a_currency_that_does_not_exist_is_refused(currency: str) -> None:
    assert await mistakes(currency=currency) == {"/currency": "unknown_currency"}


async def test_unknown_members_are_refused_by_name_if_the_name_is_a_plain_word() -> None:
    assert await mistakes(discount=5) == {"/discount": "unknown_field"}
    assert await mistakes(items=item(vat=1)) == {"/items/0/vat": "unknown_field"}
    assert await mistakes(**{"4111111111111111": 1}) == {"": "unknown_field"}


@pytest.mark.parametrize("hostile", ["\x00", "a\x00b", "\x1b[2J", "\x7f"])
@pytest.mark.parametrize("member", ["shipping_address", "payment_method"])
async def test_control_characters_are_refused(member: str, hostile: str) -> None:
    assert await mistakes(**{member: hostile}) == {f"/{member}": "forbidden_character"}


@pytest.mark.parametrize(
    "raw",
    [
        '{"shipping_address": "\\ud800", "payment_method": "ok", ' + ONE_ITEM + "}",
        '{"shipping_address": {"name": "\\udfff"}, "payment_method": "ok", ' + ONE_ITEM + "}",
        '{"shipping_address": {"\\ud800": "x"}, "payment_method": "ok", ' + ONE_ITEM + "}",
        '{"shipping_address": "x", "payment_method": "\\ud800", ' + ONE_ITEM + "}",
        '{"shipping_address": "x", "payment_method": "ok", "email": "\\ud800@x.org", '
        + ONE_ITEM
        + "}",
        "{" + ONE_ITEM + ", " + REST + ', "\\ud800": 1}',
    ],
)
async def test_lone_surrogates_are_refused(raw: str) -> None:
    assert (await refusal(raw))[:2] == (422, "invalid_request")


@pytest.mark.parametrize(
    "raw",
    [
        "[" + "[]," * 10_000 + "[]]",
        "{" + ",".join(f'"{number}":1' for number in range(10_001)) + "}",
        "{" + ONE_ITEM + ', "x": "\\"' + ',\\",' * 9_000 + '", "y": [' + "1," * 11_000 + "1]}",
    ],
)
async def test_a_body_of_more_values_than_any_order_has_is_not_looked_at(raw: str) -> None:
    assert (await refusal(raw))[:2] == (400, "malformed_json")


async def test_commas_in_a_text_are_no_values() -> None:
    commas = '\\",' * 11_000
    raw = "{" + ONE_ITEM + ', "payment_method": "ok", "shipping_address": "' + commas + '"}'
    assert (await refusal(raw))[:2] == (422, "invalid_request")


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("", "/shipping_address"),
        ("  ", "/shipping_address"),
        ("x" * 2001, "/shipping_address"),
        (5, "/shipping_address"),
        (["x"], "/shipping_address"),
        ({"city": 5}, "/shipping_address"),
        ({"city": ""}, "/shipping_address/city"),
        ({"city": None}, "/shipping_address"),
    ],
)
async def test_an_address_is_text_or_named_lines(address: object, pointer: str) -> None:
    assert set(await mistakes(shipping_address=address)) == {pointer}


@pytest.mark.parametrize(
    "email", ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a@\u2028b", "a" * 250 + "@b.cc", 5]
)
async def test_what_is_no_email_address_is_refused(email: object) -> None:
    assert set(await mistakes(email=email)) == {"/email"}


@pytest.mark.parametrize("piece", ["1 ", "12 ", "4-", "1"])
async def test_a_long_row_of_digits_is_refused_for_its_length_and_keeps_nobody_waiting(
    piece: str,
) -> None:
    body = order_body(payment_method=piece * (400_000 // len(piece)))
    began = time.process_time()
    async with customer(service()) as ann:
        answer = await ann.post("/api/orders/create", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "too_long"
    # It took minutes when every number in the row was checked anew.
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "method",
    [
        "4242424242424242",
        "stripe:4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "card 3782 822463 10005 exp 12/34",
        "pm_5555555555554444",
        "4242\u00a04242\u00a04242\u00a04242",
        "\uff14\uff12\uff14\uff12" * 4,
    ],
)
async def test_a_card_number_is_refused_and_goes_nowhere(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        answer = await ann.post(CREATE, json=order_body(payment_method=method))
    assert answer.status_code == 422
    assert answer.json()["code"] == "raw_card_number"
    assert method not in answer.text + caplog.text
    assert shop.gateway.asked == ()


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("Ann, 4242 4242 4242 4242, 12/34", "/shipping_address"),
        ({"name": "Ann", "line2": "4242424242424242"}, "/shipping_address/line2"),
        ({"card!": "3782-822463-10005"}, "/shipping_address"),
        ("6200\u00a00000\u00a00000\u00a00000\u00a0000", "/shipping_address"),
    ],
)
async def test_nor_is_a_card_number_in_an_address_stored(
    address: object, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        answer = await ann.post(CREATE, json=order_body(shipping_address=address))
    assert (answer.status_code, answer.json()["code"]) == (422, "raw_card_number")
    assert [error["pointer"] for error in answer.json()["errors"]] == [where]
    assert "4242" not in answer.text + caplog.text
    assert shop.gateway.asked == ()
    assert not list(shop.orders.store.rows())


async def test_nor_is_one_in_an_address_of_e_mail() -> None:
    found = await mistakes(email="4242424242424242@shop.example")
    assert found == {"/email": "raw_card_number"}


@pytest.mark.parametrize(
    "address",
    [
        "4242 4242 4242 4241, of another check",
        "12 Rue de la Paix, 75001 Paris, 01 42 68 53 00 ext 4242",
        "Dock 4, container 424242 4242 4242 4242, bay 1",
        "call +424242424242424242, or 1234 5678 9012 3452",
        {"phone": "+49 151 2345 6789 012", "parcel": "00340434161094042557"},
    ],
)
async def test_other_numbers_in_an_address_are_no_card_number(address: object) -> None:
    async with customer(service(in_memory_shop().core)) as ann:
        answer = await ann.post(CREATE, json=order_body(shipping_address=address))
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("method", ["4242424242424241", "424242424242", "pm_1NXWPnIGPerXbDlr"])
async def test_other_digits_are_no_card_number(method: str) -> None:
    found = await mistakes(payment_method=method)
    assert found == {"/payment_method": "unknown_payment_method"}


async def test_no_problem_repeats_what_was_sent() -> None:
    secret = "hunter2secret"
    bodies: list[dict[str, object]] = [
        {"items": item(product_id=secret * 40)},
        {"items": item(quantity=secret)},
        {"items": item(price=secret)},
        {"shipping_address": {"x": secret + "\x00"}},
        {"shipping_address": {secret + "!": "\x00"}},
        {"payment_method": f"{secret}:x"},
        {"email": secret},
        {"return_url": f"https://{secret}.example"},
        {"currency": secret},
    ]
    async with customer(service()) as ann:
        for body in bodies:
            answer = await ann.post(CREATE, json=order_body(**body))
            assert answer.status_code == 422
            assert secret not in answer.text, body
