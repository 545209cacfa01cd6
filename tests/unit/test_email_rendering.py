"""What customers read, and that nobody else writes into it."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest

from order_core.errors import NotificationRefused
from order_core.events import (
    Event,
    Happened,
    OrderCancelled,
    OrderPlaced,
    OrderShipped,
    PaymentPending,
    PaymentRefunded,
)
from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_core.ports.notifier import Notice
from order_core.shipment import Shipment
from order_core.shipping_address import ShippingAddress
from order_email import Sender, render
from order_email.letter import letter
from order_memory.contracts.samples import a_placed_order, a_refund, an_order

MORNING = datetime(2026, 4, 7, 8, 15, tzinfo=UTC)
SHOP = Sender.parse("Käthe's Mugs <orders@mugs.example>")
PLACED = OrderPlaced("charge-1", "pi_1")
CANCELLED = OrderCancelled("ann")


def a_notice(order: Order, event: Event, *, email: str = "ann@example.com") -> Notice:
    return Notice(order, Happened(3, MORNING, event), email)


def an_order_of(*items: OrderItem, **but: Any) -> Order:
    total = Money(sum(item.subtotal.minor_units for item in items), items[0].price.currency)
    return a_placed_order(MORNING, items=items, total=total, charge={"amount": total}, **but)


def a_cancelled_order(**but: Any) -> Order:
    return a_placed_order(MORNING, order_id="o-gone", status=OrderStatus.CANCELLED, **but)


class Seen(HTMLParser):
    """The text and the tags of a page, as a mail program would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


def test_a_placed_order_is_confirmed_with_all_that_was_ordered() -> None:
    order = replace(
        an_order_of(
            OrderItem("mug", 2, Money(1250, "EUR")),
            OrderItem("tea towel", 1, Money(799, "EUR")),
            order_id="o-1001",
        ),
        shipping_address=ShippingAddress((("street", "Kai 3"), ("postal_code", "24159"))),
    )

    message = render(a_notice(order, PLACED))

    assert message.subject == "Thank you for your order: o-1001"
    assert message.text == (
        "Thank you for your order\n"
        "========================\n"
        "\n"
        "We have received your order, and will begin with it soon.\n"
        "\n"
        "Order o-1001 of 2026-04-07\n"
        "\n"
        "  2 x mug, 12.50 EUR each: 25.00 EUR\n"
        "  1 x tea towel, 7.99 EUR each: 7.99 EUR\n"
        "\n"
        "Total: 32.99 EUR\n"
        "Payment: paid, thank you\n"
        "\n"
        "Ships to:\n"
        "  street: Kai 3\n"
        "  postal code: 24159\n"
    )


@pytest.mark.parametrize(
    "event", [PLACED, CANCELLED, PaymentRefunded("refund-1", "25.00 EUR", "re_1")]
)
def test_both_forms_of_a_message_say_the_same(event: Event) -> None:
    message = render(a_notice(a_placed_order(MORNING, order_id="o-1002"), event))
    seen = " ".join(" ".join(Seen(message.html).words).split())

    for line in message.text.splitlines():
        sentence = line.strip(" =")
        if " x " not in sentence:
            assert sentence.removesuffix(":").replace("Total: ", "Total ") in seen


@pytest.mark.parametrize(
    ("price", "total"),
    [
        (Money(500, "JPY"), "1500 JPY"),
        (Money(1005, "KWD"), "3.015 KWD"),
        (Money(5, "USD"), "0.15 USD"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(price: Money, total: str) -> None:
    message = render(a_notice(an_order_of(OrderItem("cup", 3, price)), PLACED))

    assert f"3 x cup, {price} each: {total}\n" in message.text
    assert f"Total: {total}\n" in message.text
    assert total in Seen(message.html).words


def test_a_product_cannot_write_lines_of_its_own() -> None:
    tricky = "mug\r\nBcc: all@example.com\n\nTotal: 0.01 EUR\n\u2028\x85\u202egum"
    message = render(a_notice(an_order_of(OrderItem(tricky, 1, Money(900, "EUR"))), PLACED))

    assert "\n  1 x mug Bcc: all@example.com Total: 0.01 EUR gum, 9.00 EUR each" in message.text
    assert "\nTotal: 9.00 EUR\n" in message.text
    assert "\u202e" not in message.html


def test_a_product_or_an_address_cannot_write_html() -> None:
    order = replace(
        an_order_of(OrderItem("<script>alert('x')</script>", 1, Money(900, "EUR"))),
        shipping_address=ShippingAddress('<img src="https://spy.example/">\n"Fish & Chips"'),
    )

    message = render(a_notice(order, PLACED))
    seen = Seen(message.html)

    assert {"script", "img"}.isdisjoint(seen.tags)
    assert "<script>alert('x')</script>" in seen.words
    assert '"Fish & Chips"' in seen.words
    assert "<script>alert('x')</script>" in message.text


def test_letters_of_every_script_arrive_as_they_are() -> None:
    order = replace(
        an_order_of(OrderItem("湯呑み ☕ Ångström", 1, Money(900, "JPY"))),
        shipping_address=ShippingAddress("東京都千代田区 1\nÞórshöfn"),
    )
    notice = a_notice(order, PLACED)

    mail = message_from_bytes(bytes(letter(notice, render(notice), SHOP)), policy=default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())

    assert "湯呑み ☕ Ångström" in text
    assert "東京都千代田区 1\n  Þórshöfn\n" in text
    assert "湯呑み ☕ Ångström" in html


def test_an_order_cancelled_before_its_confirmation_is_not_confirmed_as_if_alive() -> None:
    text = render(a_notice(a_cancelled_order(), PLACED)).text

    assert "it has been cancelled since" in text
    assert "will begin with it" not in text


CHARGE = a_cancelled_order().charge
HALF = Money(1000, "EUR")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (
            a_cancelled_order().with_transaction(a_refund(CHARGE)),
            "25.00 EUR are on their way back to you.",
        ),
        (
            a_cancelled_order().with_transaction(
                a_refund(CHARGE, status=TransactionStatus.SUCCEEDED)
            ),
            "25.00 EUR have been paid back to you.",
        ),
        (
            a_cancelled_order()
            .with_transaction(a_refund(CHARGE, amount=HALF, status=TransactionStatus.SUCCEEDED))
            .with_transaction(a_refund(CHARGE, amount=Money(1500, "EUR"))),
            "10.00 EUR have been paid back to you already. 15.00 EUR are on their way back",
        ),
        (
            a_cancelled_order().with_transaction(
                a_refund(CHARGE, status=TransactionStatus.DECLINED)
            ),
            "We owe you 25.00 EUR and will pay them back.",
        ),
        (
            an_order(
                MORNING,
                charge={
                    "kind": TransactionKind.AUTHORIZATION,
                    "status": TransactionStatus.AUTHORIZED,
                },
            ),
            "Nothing was taken. The 25.00 EUR that were reserved",
        ),
        (
            an_order(
                MORNING,
                charge={
                    "kind": TransactionKind.AUTHORIZATION,
                    "status": TransactionStatus.VOIDED,
                },
            ),
            "The reservation on your payment method was released.",
        ),
        (
            an_order(MORNING, charge={"status": TransactionStatus.UNKNOWN}),
            "If money is taken all the same, you get it back without asking.",
        ),
        (
            an_order(MORNING, charge={"status": TransactionStatus.FAILED}),
            "You were not charged.",
        ),
        (
            an_order(MORNING, charge={"status": TransactionStatus.IN_REVIEW}),
            "One of us is checking the payment.",
        ),
    ],
)
def test_a_cancelled_order_says_where_the_money_is(order: Order, words: str) -> None:
    text = render(a_notice(order, CANCELLED)).text

    assert words in text
    assert ("You were not charged." in text) == (words == "You were not charged.")


def test_a_refund_says_how_much_went_back_and_how_much_in_all() -> None:
    order = a_cancelled_order()
    for amount in (Money(1000, "EUR"), Money(500, "EUR")):
        back = a_refund(order.charge, amount=amount, status=TransactionStatus.SUCCEEDED)
        order = order.with_transaction(back)

    text = render(a_notice(order, PaymentRefunded("refund-2", "5.00 EUR", "re_2"))).text

    assert "We have paid back 5.00 EUR to you." in text
    assert "Together, you have got back 15.00 EUR." in text


def test_what_customers_do_not_hear_of_has_no_message() -> None:
    with pytest.raises(NotificationRefused, match="payment_pending"):
        render(a_notice(a_placed_order(MORNING), PaymentPending("charge-1", "pi_1")))


def test_a_repeated_mail_is_the_same_to_the_last_byte() -> None:
    notice = a_notice(a_placed_order(MORNING, order_id="o-77"), PLACED)
    first, again = (
        letter(notice, render(notice), SHOP),
        letter(replace(notice, attempts=4), render(notice), SHOP),
    )

    assert first["Message-ID"] == "<o-77.3@mugs.example>"
    assert first["X-Order-Event"] == "order_placed"
    assert bytes(first) == bytes(again)


@pytest.mark.parametrize(
    "order_id", ["o\r\nBcc: all@example.com", "a b", "<o>", "o@p", "../../etc/o", "ö", '"']
)
def test_an_order_id_writes_no_headers(order_id: str) -> None:
    notice = a_notice(a_placed_order(MORNING, order_id=order_id), PLACED)

    mail = message_from_bytes(bytes(letter(notice, render(notice), SHOP)), policy=default)

    assert mail["Bcc"] is None
    assert mail["Message-ID"].endswith(".3@mugs.example>")
    assert len(mail["Message-ID"].split()) == 1
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "X-Order-Event", "Auto-Submitted",
        "MIME-Version", "Content-Type",
    }  # fmt: skip


@pytest.mark.parametrize(
    "email",
    [
        "ann@example.com\nBcc: all@example.com",
        "ann@example.com\r",
        "ann@example.com, bob@example.com",
        "Ann <ann@example.com>",
        '"ann b"@example.com',
        "ann@",
        "@example.com",
        "ann",
        "",
        "ann@exa mple.com",
        "ann@-example.com",
        "ann@example..com",
        "ann..b@example.com",
        "ann@[127.0.0.1]",
        "a" * 65 + "@example.com",
        "ann@" + "e" * 64 + ".com",
        "ann@" + "example." * 40 + "com",
        "a\ud800@example.com",
        "ann@\ud800.com",
        "ann\u2028@example.com",
        "=?utf-8?q?bob?=@example.com",
        "ann@example.com\u2028",
    ],
)
def test_an_address_that_no_header_can_hold_is_refused_and_not_repeated(email: str) -> None:
    notice = a_notice(a_placed_order(MORNING), PLACED, email=email)

    with pytest.raises(NotificationRefused) as refusal:
        letter(notice, render(notice), SHOP)

    assert "example" not in str(refusal.value)


@pytest.mark.parametrize(
    ("email", "header"),
    [
        ("ann.o'hara+shop@example.com", "ann.o'hara+shop@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("root@localhost", "root@localhost"),
        ("zoë@example.com", "zoë@example.com"),
    ],
)
def test_every_other_address_stands_in_the_header_as_it_is(email: str, header: str) -> None:
    notice = a_notice(a_placed_order(MORNING), PLACED, email=email)

    mail = letter(notice, render(notice), SHOP)

    assert mail["To"].addresses[0].addr_spec == header
    assert f"To: {header}\r\n".encode() in bytes(mail)


def test_a_sender_with_a_name_is_written_with_it() -> None:
    notice = a_notice(a_placed_order(MORNING), PLACED)

    mail = message_from_bytes(bytes(letter(notice, render(notice), SHOP)), policy=default)

    assert mail["From"].addresses[0].display_name == "Käthe's Mugs"
    assert mail["From"].addresses[0].addr_spec == "orders@mugs.example"


def test_a_shipped_order_names_its_carrier_and_number_and_no_other_parcels() -> None:
    parcels = (
        Shipment("p-1", "Köster & <b>Sons</b>", "K-77", MORNING),
        Shipment("p-2", "DHL", "JD0146", MORNING),
    )
    order = a_placed_order(MORNING, status=OrderStatus.SHIPPED, shipments=parcels)
    message = render(a_notice(order, OrderShipped("p-1", "staff-mia")))

    assert message.subject.startswith("Your order is on its way")
    assert "Tracking number: K-77" in message.text
    assert "JD0146" not in message.text + message.html
    assert "<b>" not in message.html
    assert "staff-mia" not in message.text + message.html
