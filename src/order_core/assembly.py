"""Put the use cases together over whatever keeps the ports' promises."""

from collections.abc import Mapping
from dataclasses import dataclass

from order_core.circuit_breaker import CircuitBreaker
from order_core.clock_check import ClockCheck
from order_core.payment_terms import PaymentTerms, Policy
from order_core.ports import (
    Clock,
    EventLog,
    EventRecord,
    Ids,
    Leftovers,
    Notifier,
    OrderRepository,
    Outbox,
    PaymentGateway,
    Prices,
    StoreClock,
    WebhookParser,
    WorkQueue,
)
from order_core.use_cases import (
    CancelOrder,
    DeliverOrder,
    ForgetLeftovers,
    GetHistory,
    GetOrder,
    ListOrders,
    ListWaiting,
    MatchEvents,
    PlaceOrder,
    ProcessOrder,
    ReceiveWebhook,
    Reconcile,
    Recover,
    RefundOrder,
    ReviewOrder,
    Settle,
    ShipOrder,
    ShowOrder,
    ShowOrders,
    TellCustomers,
)
from order_core.use_cases.carry_out import CarryOut
from order_core.use_cases.change_order import ChangeOrder
from order_core.use_cases.take_in import TakeIn
from order_core.use_cases.take_in_event import TakeInEvent


@dataclass(frozen=True, slots=True)
class OrderCore:
    """The order service as a library: every use case, ready to be called."""

    place: PlaceOrder
    cancel: CancelOrder
    get: GetOrder
    list: ListOrders
    show: ShowOrder
    show_list: ShowOrders
    history: GetHistory
    process: ProcessOrder
    ship: ShipOrder
    deliver: DeliverOrder
    refund: RefundOrder
    review: ReviewOrder
    receive_webhook: ReceiveWebhook
    waiting: ListWaiting
    settle: Settle
    recover: Recover
    match: MatchEvents
    reconcile: Reconcile
    tell: TellCustomers
    forget: ForgetLeftovers


def assemble(
    *,
    orders: OrderRepository,
    work: WorkQueue,
    outbox: Outbox,
    gateways: Mapping[str, PaymentGateway],
    default_provider: str,
    prices: Prices,
    notifier: Notifier,
    clock: Clock,
    ids: Ids,
    policy: Policy | None = None,
    webhooks: Mapping[str, WebhookParser] | None = None,
    event_logs: Mapping[str, EventLog] | None = None,
    store_clock: StoreClock | None = None,
    leftovers: Leftovers | None = None,
) -> OrderCore:
    """The use cases over these ports.

    With `store_clock`, the worker claims nothing while the clock differs from it too much; with
    `leftovers`, it forgets what is too old to matter; with `event_logs`, it finds once a day what
    no delivered event has told.

    Raises:
        ValueError: no gateway has the default provider's name, or a gateway's windows do
            not fit the policy (see `PaymentTerms`), or a record is no gateway's.
    """
    if default_provider not in gateways:
        raise ValueError(f"the default provider {default_provider!r} is not among the gateways")
    event_logs = dict(event_logs or {})
    if strangers := sorted(set(event_logs) - set(gateways)):
        raise ValueError(f"there are event logs, but no gateways, of {strangers}")
    policy = policy or Policy()
    terms = {name: PaymentTerms(gateway.profile, policy) for name, gateway in gateways.items()}
    settle = Settle(orders, terms, clock, ids)
    carry_out = CarryOut(
        orders, work, gateways, settle, clock, policy.installation, CircuitBreaker(clock)
    )
    take_in = TakeIn(orders, terms, settle, clock, ids, policy)
    take_in_event = TakeInEvent(orders, take_in, clock)
    change_order = ChangeOrder(orders, terms, carry_out, clock, ids, policy)
    return OrderCore(
        place=PlaceOrder(
            orders=orders,
            gateways=gateways,
            terms=terms,
            default_provider=default_provider,
            prices=prices,
            carry_out=carry_out,
            clock=clock,
            ids=ids,
            policy=policy,
        ),
        cancel=CancelOrder(change_order),
        process=ProcessOrder(change_order),
        ship=ShipOrder(change_order),
        deliver=DeliverOrder(change_order),
        refund=RefundOrder(change_order),
        review=ReviewOrder(change_order),
        receive_webhook=ReceiveWebhook(dict(webhooks or {}), take_in_event),
        waiting=ListWaiting(orders),
        get=GetOrder(orders),
        list=ListOrders(orders),
        show=ShowOrder(orders),
        show_list=ShowOrders(orders),
        history=GetHistory(orders),
        settle=settle,
        recover=Recover(
            orders=orders,
            work=work,
            gateways=gateways,
            terms=terms,
            settle=settle,
            carry_out=carry_out,
            clock=clock,
            ids=ids,
            policy=policy,
            check_clock=ClockCheck(clock, store_clock, policy.clock_skew) if store_clock else None,
        ),
        match=MatchEvents(orders, take_in, clock),
        reconcile=Reconcile(
            orders=orders,
            take_in_event=take_in_event,
            clock=clock,
            logs=event_logs,
            records={
                name: EventRecord(name, gateways[name].profile.account, policy.installation)
                for name in event_logs
            },
        ),
        tell=TellCustomers(outbox, notifier),
        forget=ForgetLeftovers(leftovers, clock),
    )
