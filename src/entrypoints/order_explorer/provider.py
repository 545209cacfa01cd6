"""What happens at the provider without us: buyers, dashboards, and events about both."""

from dataclasses import replace

from order_core.money import Money
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import ProviderFact
from order_memory import ScriptedGateway
from order_memory.provider_ledger import LedgerEntry, Standing
from order_memory.reactions import Reaction

AT_THE_DASHBOARD = "dashboard"
"""In place of our transaction's id, on what nobody here asked for."""


class Provider:
    """The world outside, over the books of the scripted provider."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        self._gateway = gateway

    async def react(self, reaction: Reaction) -> None:
        """Meet the next send like this; for what happened before a scenario begins."""
        self._gateway.react(reaction)

    async def event(
        self, kind: TransactionKind, *, at_the_dashboard: bool = False
    ) -> ProviderFact | None:
        """What an event about the newest movement of this kind says now; None if there is none."""
        entry = self._newest(kind, at_the_dashboard=at_the_dashboard)
        if entry is None:
            return None
        ours = entry.transaction
        asked_for = ours.id != AT_THE_DASHBOARD
        return ProviderFact(
            kind=ours.kind,
            outcome=entry.outcome,
            reference=entry.reference,
            transaction_id=ours.id if asked_for else None,
            installation=ours.installation if asked_for else None,
            parent_reference=ours.parent_reference,
        )

    async def approve(self) -> bool:
        """The buyer agrees to the newest payment; False if it is too late."""
        return self._resolve(approved=True)

    async def agree(self) -> bool:
        """The buyer agrees that the shop takes the newest payment; False if it is too late."""
        paid = self._newest(TransactionKind.CHARGE)
        return paid is not None and self._gateway.ledger.agree(paid.reference)

    async def refuse(self) -> bool:
        """The buyer says no to the newest payment; False if it is too late."""
        return self._resolve(approved=False)

    async def refund(self, amount: Money) -> None:
        """Somebody gives money back at the dashboard."""
        paid = self._newest(TransactionKind.CHARGE)
        if paid is None:
            return
        wish: PaymentTransaction = replace(
            paid.transaction,
            id=AT_THE_DASHBOARD,
            kind=TransactionKind.REFUND,
            amount=amount,
            parent_reference=paid.reference,
            provider_reference=None,
        )
        self._gateway.ledger.carry_out(wish)

    async def let_go(self) -> None:
        """A hold ends, by its age or at the dashboard; nothing if it is taken or gone."""
        hold = self._newest(TransactionKind.AUTHORIZATION)
        if hold is not None and hold.standing is Standing.AUTHORIZED:
            self._gateway.ledger.end(hold.reference, Standing.VOIDED, reason="voided")

    def _resolve(self, *, approved: bool) -> bool:
        for kind in (TransactionKind.CHARGE, TransactionKind.AUTHORIZATION):
            if entry := self._newest(kind):
                return self._gateway.ledger.resolve(entry.reference, approved=approved)
        return False

    def _newest(
        self, kind: TransactionKind, *, at_the_dashboard: bool = False
    ) -> LedgerEntry | None:
        entries = [
            entry
            for entry in self._gateway.ledger.entries
            if entry.transaction.kind is kind
            and (entry.transaction.id == AT_THE_DASHBOARD) is at_the_dashboard
        ]
        return entries[-1] if entries else None
