"""Write the table of the invariants into the documents, from the code.

Run after a change of an invariant or a constraint: `python tools/list_invariants.py`.
A unit test compares the document with the code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from order_core.invariants import INVARIANTS, Scope
from order_core.invariants.promises import PROMISES
from order_core.invariants_across import ACROSS
from order_core.use_cases.verify_orders import SEEN_ACROSS, SEEN_PROMISES, UNSEEN

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "invariants.md"
BEGIN: Final = "<!-- invariants: listed from the code by tools/list_invariants.py -->"
END: Final = "<!-- end of the invariants -->"

CONSTRAINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "one_live_charge": ("uq_payment_transactions_one_live_charge",),
    "begins_with_its_charge": ("ck_payment_transactions_begins_with_charge",),
    "open_is_attended": ("ck_payment_transactions_open_attended",),
    "secrets_erased": ("ck_payment_transactions_secrets_erased",),
    "refunds_within_capture": ("ck_orders_refund_asked_within_captured",),
    "history_leads_here": ("pk_order_events", "ck_order_events_sequence"),
    "one_order_a_key": ("pk_idempotency_records",),
    "one_payment_one_order": ("uq_payment_transactions_reference",),
    "single_use_token_once": ("uq_payment_transactions_single_use",),
    "transaction_ids_unique": ("uq_payment_transactions_id",),
    "answered_order_exists": ("fk_idempotency_records_order",),
    "nothing_without_its_order": (
        "fk_payment_transactions_order",
        "fk_order_events_order",
        "fk_received_events_order",
    ),
}
"""What SQL says of an invariant, whole or in part."""

EVERY_PLAYER: Final = "explorer, simulator, chaos"
_SIMULATOR: Final = "simulator"
PLAYERS: Final[Mapping[str, str]] = {
    # Who brings the evidence for it, where not all who play callers, providers and accidents do.
    "totals_follow": "",
    "refunds_as_asked": "chaos",
    "people_are_spared": "explorer",
    "reviews_end": _SIMULATOR,
    "one_payment_one_order": "",
    "single_use_token_once": "",
    "transaction_ids_unique": "",
    "nothing_without_its_order": "",
    "orders_stay": "explorer, chaos",
    "one_request_an_order": "chaos",
    "readable": "",
    "shown_as_stored": "",
    "everything_ends": _SIMULATOR,
    "no_broken_constraint": _SIMULATOR,
    "nothing_means_nothing": _SIMULATOR,
    "keys_answer_alike": "chaos",
    "nobody_else_sends": _SIMULATOR,
    "only_what_can_be_asked": _SIMULATOR,
    "wrong_clock_claims_nothing": _SIMULATOR,
    "webhook_is_taken": _SIMULATOR,
    "forgery_is_refused": _SIMULATOR,
    "unknown_money_is_shown": _SIMULATOR,
    "known_money_is_matched": _SIMULATOR,
}

_SCOPES: Final = {
    Scope.ALWAYS: "always",
    Scope.AT_REST: "at rest",
    Scope.AT_REST_UNDECIDED: "at rest, in review too",
    Scope.AT_REST_WHOEVER_DECIDES: "at rest, whoever decides",
}
_HEAD: Final = (
    "| name | what is true | when | database constraint | `verify` | played by |",
    "|---|---|---|---|---|---|",
)


def _row(name: str, says: str, when: str, *, verify: bool) -> str:
    constraints = ", ".join(f"`{constraint}`" for constraint in CONSTRAINTS.get(name, ()))
    players = PLAYERS.get(name, EVERY_PLAYER)
    words = (f"`{name}`", says, when, constraints, "x" if verify else "", players)
    return "| " + " | ".join(words) + " |"


def table() -> str:
    """Every invariant with its sentence, when it holds, and who checks it."""
    one = [_row(i.name, i.says, _SCOPES[i.scope], verify=i.name not in UNSEEN) for i in INVARIANTS]
    across = [_row(i.name, i.says, "always", verify=i in SEEN_ACROSS) for i in ACROSS]
    answers = [_row(p.name, p.says, "always", verify=p in SEEN_PROMISES) for p in PROMISES]
    return "\n".join(
        [
            *("## Of one order", "", *_HEAD, *one, ""),
            *("## Across orders", "", *_HEAD, *across, ""),
            *("## Of answers", "", *_HEAD, *answers),
        ]
    )


def with_table(text: str) -> str:
    """The document with the table between its marks brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
