"""Which columns hold data about a person, what for, and for how long: the one place that says so.

A test goes through every table, and fails for a column of text or JSON that is not named here;
the table in `docs/personal-data.md` is written from this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Personal:
    """The column tells of a person, by itself or with what somebody else knows."""

    what: str
    what_for: str
    until: str
    """What ends it."""


@dataclass(frozen=True, slots=True)
class NotPersonal:
    """The column tells of nobody."""

    because: str


_ERASE: Final = "`customer erase`"
_ALWAYS: Final = "kept with the order: the books name their customer"

_CUSTOMER: Final = Personal(
    "customer's id: `sub` of the token", "whose order it is, who may see it", _ALWAYS
)
_REFERENCE: Final = Personal(
    "the payment's name at the provider",
    "to give money back and to settle what the provider tells; only the provider knows whose it is",
    _ALWAYS,
)
_OWN_ID: Final = NotPersonal("an id that we make, from time and chance")
_WORD: Final = NotPersonal("a word of a fixed list")
_SETTING: Final = NotPersonal("of the configuration")
_MONEY: Final = NotPersonal("a currency")
_CODE: Final = NotPersonal("a code of ours or of the provider's, never its sentences")
_DIGEST_OF_SECRET: Final = NotPersonal("a digest of random bytes")

COLUMNS: Final[Mapping[str, Mapping[str, Personal | NotPersonal]]] = {
    "orders": {
        "id": _OWN_ID,
        "customer_id": _CUSTOMER,
        "status": _WORD,
        "currency": _MONEY,
        "items": Personal("products, quantities, prices", "the contract itself", _ALWAYS),
        "shipping_address": Personal("name and address", "to ship the goods", _ERASE),
        "email": Personal("e-mail address", "to tell what happens to the order", _ERASE),
        "lease_token": _OWN_ID,
        "shipments": Personal(
            "carrier and tracking number, which the carrier turns into an address",
            "to follow the parcel",
            f"{_ERASE}, which leaves the carrier",
        ),
        "owner_view": Personal(
            "what its owner is shown of the order, all of the above in it",
            "to show it quickly",
            f"{_ERASE}",
        ),
        "owner_view_edition": NotPersonal("a name of ours for a form"),
    },
    "payment_transactions": {
        "id": _OWN_ID,
        "order_id": _OWN_ID,
        "customer_id": _CUSTOMER,
        "kind": _WORD,
        "currency": _MONEY,
        "provider": _SETTING,
        "account": _SETTING,
        "installation": _SETTING,
        "request_version": _SETTING,
        "status": _WORD,
        "origin": _WORD,
        "token": Personal(
            "payment method at the provider", "to take the money", "the payment has an outcome"
        ),
        "single_use_fingerprint": Personal(
            "digest of a token that pays once", "so that it pays one order", _ALWAYS
        ),
        "return_url": Personal(
            "page of the shop, with what the shop wrote into it",
            "where the buyer comes back to",
            _ERASE,
        ),
        "parent_id": _OWN_ID,
        "parent_reference": _REFERENCE,
        "provider_reference": _REFERENCE,
        "reason": _CODE,
        "review": _CODE,
        "action_url": Personal(
            "the buyer's page at the provider", "to approve", "the payment has an outcome"
        ),
        "client_secret": Personal(
            "the buyer's key at the provider", "to approve", "the payment has an outcome"
        ),
    },
    "order_events": {
        "order_id": _OWN_ID,
        "name": _WORD,
        "data": Personal(
            "who cancelled, processed or reviewed, and the words of a review",
            "to prove what happened",
            f"the words: {_ERASE}; who: kept with the order",
        ),
        "given_up_because": Personal(
            "a mail server's refusal, which often names the address",
            "to find out why nobody was told",
            _ERASE,
        ),
    },
    "idempotency_records": {
        "customer_id": _CUSTOMER,
        "route": _WORD,
        "key": Personal(
            "Idempotency-Key, which the client makes up",
            "so that a repeated request makes no second order",
            "kept with the order: without it a late repeat would be charged again",
        ),
        "body_fingerprint": Personal(
            "digest of the whole request",
            "to tell a repeat from another request",
            "kept with the order, like its key; nobody can read the request from it",
        ),
        "order_id": _OWN_ID,
    },
    "order_fingerprints": {
        "fingerprint": Personal(
            "digest of customer, goods and address", "to notice a double click", _ERASE
        ),
        "order_id": _OWN_ID,
    },
    "received_events": {
        "provider": _SETTING,
        "event_id": NotPersonal("the provider's id of its message"),
        "name": _WORD,
        "verdict": _WORD,
        "order_id": _OWN_ID,
        "facts": Personal(
            "amounts and the payment's names at the provider; never the message itself",
            "to book what was told before its payment was known",
            "90 days after the event, once it is booked",
        ),
    },
    "event_records": {
        "provider": _SETTING,
        "account": _SETTING,
        "installation": _SETTING,
    },
    "oauth_clients": {
        "id": NotPersonal("the name of a program"),
        "scope": _WORD,
        "secret_digest": _DIGEST_OF_SECRET,
        "old_secret_digest": _DIGEST_OF_SECRET,
    },
    "oauth_grants": {
        "family_digest": _DIGEST_OF_SECRET,
        "token_digest": _DIGEST_OF_SECRET,
        "client_id": NotPersonal("the name of a program"),
        "subject": Personal(
            "customer's id",
            "for whom the program acts",
            f"the grant has ended, and was pruned; or {_ERASE}",
        ),
        "scope": _WORD,
        "revoked_because": _WORD,
    },
    "oauth_signing_keys": {
        "wrapped_by": NotPersonal("a digest of a secret of the configuration"),
        "kid": NotPersonal("a digest of the public key"),
        "public_key": NotPersonal("a public key"),
        "wrapped_private_key": NotPersonal("a key of the service, encrypted"),
    },
}
"""Table -> column -> what it says of people. Moments, numbers and truth values need no entry."""
