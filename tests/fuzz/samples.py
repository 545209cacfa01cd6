"""One thing that is well formed for each part that reads: where fuzzing begins."""

import json
from collections.abc import Mapping
from typing import Any, Final

REFRESH_TOKEN: Final = "ocr_" + "A" * 65
_UNSIGNED_TOKEN: Final = b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."
_EXCHANGE: Final = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"

JSON_SAMPLES: Final[Mapping[str, tuple[Any, ...]]] = {
    "order": (
        {
            "items": [{"product_id": "teapot", "quantity": 2, "price": "12.50"}],
            "shipping_address": {
                "name": "Ann",
                "line1": "12 St James's Square",
                "city": "London",
                "postal_code": "SW1Y 4JH",
                "country": "GB",
            },
            "payment_method": "ok",
            "currency": "GBP",
            "email": "ann@example.org",
            "metadata": {"cart": "c-17"},
            "return_url": "https://shop.example/back",
            "allow_duplicate": True,
        },
    ),
    "refund": ({"amount": 12.5, "note": "broken"},),
    "review": ({"transaction_id": "id-2", "decision": "note", "note": "asked the bank"},),
    "shipment": ({"carrier": "DHL", "tracking_number": "JD014600000000000007"},),
    "token_header": ({"alg": "HS256", "typ": "JWT", "kid": "k1", "crit": ["exp"], "jwk": {}},),
    "token_claims": (
        {
            "sub": "ann",
            "exp": 4102444800,
            "nbf": 1,
            "iat": 1.5,
            "iss": "https://id.example",
            "aud": ["orders"],
            "scope": "orders:read orders:write",
            "jti": "t-1",
            "act": {"sub": "shop"},
            "email": "ann@example.org",
            "email_verified": True,
        },
    ),
    # The points are those that the curves begin with, which are nobody's keys.
    "key_set": (
        {
            "keys": [
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
                    "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
                    "kid": "k1",
                    "use": "sig",
                },
                {"kty": "OKP", "crv": "Ed25519", "x": "WGZm" + "ZmZm" * 9 + "ZmY", "alg": "EdDSA"},
                {"kty": "RSA", "n": "_" * 342, "e": "AQAB", "key_ops": ["verify"]},
                {"kty": "RSA", "n": "_" * 342, "e": "AQAB", "alg": "PS256", "kid": "k1"},
            ]
        },
    ),
    "quote_claims": (
        {
            "product_id": "teapot",
            "price": "12.50",
            "currency": "EUR",
            "exp": 4102444800,
            "nbf": 1,
            "iat": 1.5,
            "sub": "ann",
            "min_quantity": 1,
            "max_quantity": 10,
        },
        {
            "items": [{"product_id": "teapot", "price": "12.50", "quantity": 2}],
            "currency": "EUR",
            "exp": 4102444800,
            "iss": "shop",
            "jti": "q-1",
        },
    ),
    "stripe_event": tuple(
        {
            "id": "evt_1",
            "object": "event",
            "type": name,
            "created": 1772366400,
            "data": {"object": thing, "previous_attributes": {"status": "requires_action"}},
        }
        for name, thing in {
            "payment_intent.succeeded": {
                "id": "pi_1",
                "status": "succeeded",
                "amount": 2500,
                "amount_received": 2500,
                "currency": "eur",
                "metadata": {"transaction_id": "t-1", "installation": "default"},
                "last_payment_error": {"code": "card_declined", "decline_code": "lost_card"},
                "latest_charge": {"id": "ch_1"},
                "next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": "https://x"}},
            },
            "refund.updated": {
                "id": "re_1",
                "status": "failed",
                "amount": 2500,
                "currency": "eur",
                "payment_intent": "pi_1",
                "metadata": {"transaction_id": "t-2"},
                "failure_reason": "lost_or_stolen_card",
            },
            "charge.dispute.closed": {
                "id": "dp_1",
                "status": "won",
                "amount": 2500,
                "currency": "eur",
                "payment_intent": "pi_1",
                "reason": "fraudulent",
                "balance_transactions": [{"amount": -2500, "currency": "eur"}],
            },
        }.items()
    ),
    "square_event": tuple(
        {"event_id": "E-1", "type": name, "data": {"object": thing}}
        for name, thing in {
            "payment.updated": {
                "payment": {
                    "id": "PAY1",
                    "status": "COMPLETED",
                    "amount_money": {"amount": 2500, "currency": "EUR"},
                    "location_id": "L1",
                    "reference_id": "t-1",
                    "note": "order",
                }
            },
            "refund.updated": {
                "refund": {
                    "id": "RE1",
                    "status": "COMPLETED",
                    "amount_money": {"amount": 2500, "currency": "EUR"},
                    "payment_id": "PAY1",
                    "location_id": "L1",
                    "reason": "t-2",
                }
            },
            "dispute.state.updated": {
                "dispute": {
                    "id": "D1",
                    "state": "WON",
                    "reason": "NO_KNOWLEDGE",
                    "amount_money": {"amount": 2500, "currency": "EUR"},
                    "disputed_payment": {"payment_id": "PAY1"},
                    "location_id": "L1",
                    "version": 3,
                }
            },
        }.items()
    ),
    "adyen_event": tuple(
        {
            "eventCode": name,
            "success": "true",
            "pspReference": "PSP1",
            "originalReference": "PSP0",
            "merchantAccountCode": "Shop",
            "merchantReference": "t-1",
            "amount": {"currency": "EUR", "value": 2500},
            "additionalData": {"disputeStatus": "Won"},
        }
        for name in ("AUTHORISATION", "REFUND", "CHARGEBACK", "CHARGEBACK_REVERSED")
    ),
    "paypal_event": tuple(
        {
            "id": "WH-EVENT-1",
            "event_type": name,
            "resource": {
                "id": "CAP1",
                "status": "COMPLETED",
                "amount": {"currency_code": "EUR", "value": "25.00"},
                "custom_id": "default:t-1",
                "invoice_id": "t-1",
                "supplementary_data": {"related_ids": {"order_id": "O1"}},
                "links": [{"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/C1"}],
                "dispute_amount": {"currency_code": "EUR", "value": "25.00"},
                "disputed_transactions": [{"seller_transaction_id": "CAP1"}],
                "update_time": "2026-03-01T12:00:00Z",
            },
        }
        for name in (
            "PAYMENT.CAPTURE.COMPLETED",
            "PAYMENT.CAPTURE.REFUNDED",
            "PAYMENT.CAPTURE.REVERSED",
            "PAYMENT.AUTHORIZATION.CREATED",
            "CUSTOMER.DISPUTE.CREATED",
            "CUSTOMER.DISPUTE.RESOLVED",
        )
    ),
}

TEXT_SAMPLES: Final[Mapping[str, tuple[bytes, ...]]] = {
    "query": (b"limit=5&cursor=AQAAAAAAAAAAaWQtMQ&status=paid", b"customer_id=ann&limit=0"),
    "path": (b"id-1", b"id-1/history", b"%2e%2e/create", b"\xff\x00"),
    "headers": (
        b"\n".join(
            [
                b"Host: shop.test",
                b"Content-Type: application/json",
                b'Idempotency-Key: "k-1"',
                b"X-Request-Id: r-1",
                b"X-Forwarded-For: 192.0.2.1",
                b"X-Forwarded-Proto: https",
                b"Origin: https://shop.example",
                b"Accept-Encoding: gzip",
                b"Content-Length: 13",
            ]
        ),
        b"Content-Type: application/json;charset=\xff\nTransfer-Encoding: chunked",
    ),
    "forwarding": (b'for="[2001:db8::1]:80";proto=https, for=192.0.2.1', b"192.0.2.1:80, unknown"),
    "cursor": (b"AQAAAAAAAAAAaWQtMQ", b"AQAF41ov-gAAMDE5MGEyYjQtYTFi"),
    "token": (_UNSIGNED_TOKEN, b"a.b.c", b"...."),
    "quote": (_UNSIGNED_TOKEN, b"a.b.c"),
    "token_form": (
        b"grant_type=client_credentials&scope=orders%3Aread+orders%3Amanage",
        b"grant_type=refresh_token&refresh_token="
        + REFRESH_TOKEN.encode()
        + b"&scope=orders%3Aread",
        _EXCHANGE
        + b"&subject_token=ann&subject_token_type="
        + b"urn%3Aorder-core%3Aoauth%3Atoken-type%3Acustomer-id&audience=orders",
        b"token=" + REFRESH_TOKEN.encode() + b"&token_type_hint=refresh_token",
    ),
    "stripe_signature": (b"t=1772366400,v1=00,v0=00", b"t=" + b"9" * 4_000 + b",v1=00"),
    "square_signature": (b"A" * 43 + b"=",),
    "paypal_headers": (b"2026-03-01T12:00:00Z", b"9999-12-31T23:59:59-23:59"),
}


def samples_of(target: str) -> tuple[bytes, ...]:
    return TEXT_SAMPLES.get(target, ()) + tuple(
        json.dumps(sample).encode() for sample in JSON_SAMPLES.get(target, ())
    )
