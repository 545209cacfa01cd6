"""What participants of scenarios do."""

from dataclasses import replace
from typing import Final

from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_request import OrderRequest
from order_core.outcomes import ActionRequired, Declined
from order_core.payment import TransactionKind
from order_core.shipping_address import ShippingAddress
from order_explorer.live import PROVIDER
from order_explorer.scenario import Act, Stage, View
from order_memory.reactions import Reaction

BUYER: Final = "ann"
STAFF: Final = "staff"
TOTAL: Final = Money(2500, "EUR")
_ITEMS: Final = (OrderItem("mug", 2, Money(1250, "EUR")),)
_ADDRESS: Final = ShippingAddress("1 Quay Street, Galway")


def placing(
    token: str = "ok",  # noqa: S107 - it names a reaction of the scripted provider
    *,
    key: str | None = "key",
    customer: str = BUYER,
    again: bool = False,
) -> Act:
    """Place the order of two mugs, with this payment method and this Idempotency-Key."""

    async def act(stage: Stage) -> Order:
        request = OrderRequest(
            customer_id=customer,
            items=_ITEMS,
            shipping_address=_ADDRESS,
            payment_method=token,
            # By their address, orders tell the key that made them: the double click ignores it.
            email=f"{key}@example.com" if key else None,
            allow_duplicate=again,
        )
        return await stage.core.place(request, key=key)

    return act


def placing_without_luck(reaction: Reaction) -> Act:
    """Place the order, whose first send meets this reaction."""

    async def act(stage: Stage) -> Order:
        await stage.provider.react(reaction)
        placed: Order = await placing()(stage)
        return placed

    return act


def cancelling(order_id: str) -> Act:
    """The customer cancels."""

    async def act(stage: Stage) -> Order:
        return await stage.core.cancel(order_id, customer_id=BUYER)

    return act


def processing(order_id: str) -> Act:
    """Staff begins to process."""

    async def act(stage: Stage) -> Order:
        return await stage.core.process(order_id, by=STAFF)

    return act


def refunding(order_id: str, minor_units: int, *, key: str | None = None) -> Act:
    """Staff gives a part back."""

    async def act(stage: Stage) -> Order:
        amount = Money(minor_units, TOTAL.currency)
        return await stage.core.refund(order_id, by=STAFF, amount=amount, key=key)

    return act


async def working(stage: Stage) -> None:
    """The worker makes one round."""
    await stage.core.recover(limit=1)


def telling(kind: TransactionKind, *, at_the_dashboard: bool = False) -> Act:
    """The provider tells what became of the newest movement of this kind, sooner or later."""

    async def act(stage: Stage) -> None:
        fact = await stage.provider.event(kind, at_the_dashboard=at_the_dashboard)
        if fact is not None:
            stage.incoming = (fact,)
            await stage.core.receive_webhook(PROVIDER, b"", {})

    return act


async def telling_of_the_page(stage: Stage) -> None:
    """The provider tells, late, that it asked the buyer about the newest charge."""
    fact = await stage.provider.event(TransactionKind.CHARGE)
    if fact is not None:
        stage.incoming = (replace(fact, outcome=ActionRequired(fact.reference)),)
        await stage.core.receive_webhook(PROVIDER, b"", {})


async def telling_of_another_try(stage: Stage) -> None:
    """The provider tells that a try beside ours, with our name on it, was declined."""
    fact = await stage.provider.event(TransactionKind.CHARGE)
    if fact is not None:
        other = f"try-{fact.reference}"
        declined = Declined("card_declined", reference=other)
        stage.incoming = (replace(fact, outcome=declined, reference=other),)
        await stage.core.receive_webhook(PROVIDER, b"", {})


async def approving(stage: Stage) -> None:
    """The buyer agrees on the provider's page."""
    await stage.provider.approve()


async def agreeing(stage: Stage) -> None:
    """The buyer agrees on the provider's page; the shop must then take the money."""
    await stage.provider.agree()


async def refusing(stage: Stage) -> None:
    """The buyer says no on the provider's page."""
    await stage.provider.refuse()


async def letting_go(stage: Stage) -> None:
    """A hold ends at the provider."""
    await stage.provider.let_go()


def refunding_at_the_dashboard(minor_units: int) -> Act:
    """Somebody gives money back without telling us."""

    async def act(stage: Stage) -> None:
        await stage.provider.refund(Money(minor_units, TOTAL.currency))

    return act


def work_is_due(view: View) -> bool:
    """A worker would find something."""
    return view.due


def an_order_exists(view: View) -> bool:
    """There is something to cancel."""
    return bool(view.orders)


def provider_was_asked(view: View) -> bool:
    """There is something to tell about."""
    return bool(view.references)
