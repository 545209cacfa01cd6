"""Nothing has moved yet: the buyer must act, the provider is at it, or we do not know."""

from typing import Final

from order_core.events import BuyerActionRequired, OutcomeBecameUnknown, PaymentPending
from order_core.immutable import replace
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import ActionRequired, Answer, Pending, Report
from order_core.payment import LATE, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.settlement.review import ANOTHER_TRANSACTION
from order_core.settlement.second_look import second_look_done
from order_core.settlement.settling import Settling

_UNDER_WAY: Final = frozenset(
    {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN, TransactionStatus.PENDING}
)


def waits(settling: Settling, outcome: ActionRequired | Pending, fact: Answer | Report) -> Order:
    """The buyer, or the provider, has something to do yet."""
    transaction = settling.transaction
    if isinstance(outcome, ActionRequired) and _asked_before_this_step(settling, fact):
        return settling.order
    found_after_all = transaction.status is TransactionStatus.FAILED and transaction.takes_money
    if not (transaction.is_open or found_after_all):
        return settling.order
    if found_after_all and _is_on_record(settling, outcome.reference):
        # What it asked the buyer for has happened since, and was dealt with: this is old news.
        return second_look_done(settling, settling.order)
    news: PaymentPending | BuyerActionRequired
    if isinstance(outcome, Pending):
        waiting = replace(
            transaction,
            status=TransactionStatus.PENDING,
            provider_reference=outcome.reference,
            action_url=None,
            client_secret=None,
        )
        news = PaymentPending(waiting.id, outcome.reference)
    else:
        waiting = replace(
            transaction,
            status=TransactionStatus.ACTION_REQUIRED,
            provider_reference=outcome.reference,
            action_url=outcome.url or transaction.action_url,
            client_secret=outcome.client_secret or transaction.client_secret,
        )
        news = BuyerActionRequired(waiting.id, outcome.reference)
        if transaction.status is TransactionStatus.PENDING:
            # Nobody may have been about to look after it until a person decides.
            waiting = replace(waiting, attend_at=settling.at)
    if _is_seen_again(transaction, outcome, fact):
        # Another's was shown in its place meanwhile, by mistake.
        waiting = replace(waiting, review=None)
    if waiting == transaction:
        return settling.order
    if found_after_all:
        # It was taken for absent and is alive: the dead order must not be paid, so it is
        # looked after like any other, and voided or given back.
        waiting = replace(waiting, attend_at=settling.at)
    order = settling.order.with_transaction(waiting)
    changed = waiting.status is not transaction.status
    return order.with_news(news, settling.at) if changed else order


def _is_seen_again(
    transaction: PaymentTransaction, outcome: ActionRequired | Pending, fact: Answer | Report
) -> bool:
    """Whether a look-up shows it under its own reference, which old news would do as well."""
    looked_up = isinstance(fact, Report) and fact.asked_at is not None
    same = transaction.provider_reference == outcome.reference
    return looked_up and same and transaction.review == ANOTHER_TRANSACTION


def _asked_before_this_step(settling: Settling, fact: Answer | Report) -> bool:
    """Whether the buyer may have been asked by an earlier request than the one under way.

    To wait for the buyer again would be to call again, under another key, once he agrees:
    while the request that he has agreed to may still arrive, that is to call twice.
    """
    transaction = settling.transaction
    under_way = transaction.status in _UNDER_WAY
    if transaction.step == 1 or not under_way or isinstance(fact, Answer):
        return False
    skew = settling.terms.policy.clock_skew
    shown_late = fact.asked_at is not None and transaction.absence_is_proof_at(
        fact.asked_at, clock_skew=skew
    )
    return not shown_late


def _is_on_record(settling: Settling, reference: str) -> bool:
    return any(
        other.provider_reference == reference and other.id != settling.transaction.id
        for other in settling.order.transactions
    )


def next_step(settling: Settling, reference: str, fact: Answer | Report) -> Order:
    """One request of several is done; the next one is due."""
    transaction = settling.transaction
    if transaction.status is TransactionStatus.FAILED:
        return second_look_done(settling, settling.order)
    if transaction.status is TransactionStatus.ACTION_REQUIRED:
        can_ask = transaction.kind in settling.terms.gateway.looks_up
        if transaction.step > 1 and isinstance(fact, Report) and fact.was_told and can_ask:
            # It may be the approval that led to this step: a look-up shows which.
            return settling.order.with_transaction(replace(transaction, attend_at=settling.at))
        return _approved(settling, reference)
    if isinstance(fact, Report) and transaction.step > 1:
        # A look-up shows the first step as often as it is asked, and perhaps another
        # request's; only the answer to a step leads to the next one.
        return settling.order
    if transaction.status not in {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN}:
        return settling.order
    return settling.order.with_transaction(
        replace(
            transaction,
            status=TransactionStatus.RECORDED,
            provider_reference=reference,
            step=transaction.step + 1,
            sends=0,
            never_ran=0,
        )
    )


def _approved(settling: Settling, reference: str) -> Order:
    """The buyer agreed, and the money is still ours to take: the worker calls.

    A request of its own, under a key of its own, and so with a window of its own.
    """
    transaction = settling.transaction
    # Once we have begun to let it go, it is too late to agree; if that is refused, we ask.
    given_up = any(
        t.kind is TransactionKind.VOID and t.parent_id == transaction.id and t.is_open
        for t in settling.order.transactions
    )
    wanted = settling.order.status is OrderStatus.AWAITING_PAYMENT and not given_up
    if not wanted or transaction.provider_reference != reference:
        return settling.order
    return settling.order.with_transaction(
        replace(
            transaction,
            status=TransactionStatus.RECORDED,
            step=transaction.step + 1,
            sends=0,
            never_ran=0,
            send_until=settling.terms.charge_sent_until(settling.at),
            attend_at=settling.at,
            action_url=None,
            client_secret=None,
        )
    )


def did_not_run(settling: Settling, fact: Answer | Report) -> Order:
    """One send is known never to have run."""
    transaction = settling.transaction
    # In order and once each: another send may have begun since this one ended.
    if not isinstance(fact, Answer) or fact.send != transaction.never_ran + 1:
        return settling.order
    return settling.order.with_transaction(replace(transaction, never_ran=fact.send))


def unknown(settling: Settling, because: str) -> Order:
    """The money may have moved."""
    if settling.transaction.status is not TransactionStatus.RECORDED:
        return settling.order
    # Why it was recorded decides what its success means, however long that takes to show.
    reason = LATE if settling.transaction.reason == LATE else because
    unknown = replace(settling.transaction, status=TransactionStatus.UNKNOWN, reason=reason)
    return settling.order.with_transaction(unknown).with_news(
        OutcomeBecameUnknown(unknown.id, because), settling.at
    )
