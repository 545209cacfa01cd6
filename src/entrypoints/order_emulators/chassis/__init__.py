"""What every emulator stands on: the wire, faults, webhooks and the books, without a provider."""

from order_emulators.chassis.app import build_app
from order_emulators.chassis.call import Answer, Call
from order_emulators.chassis.delivery import Delivery, Post
from order_emulators.chassis.faults import ConnectionCut, Fault, Faults, FaultsInvalid
from order_emulators.chassis.journal import Journal, JournalInvalid
from order_emulators.chassis.key_memory import KeyMemory, KeyStanding
from order_emulators.chassis.provider import (
    Decision,
    EmulatedProvider,
    Event,
    LedgerEntry,
    Provision,
    SignedEvent,
)

__all__ = [
    "Answer",
    "Call",
    "ConnectionCut",
    "Decision",
    "Delivery",
    "EmulatedProvider",
    "Event",
    "Fault",
    "Faults",
    "FaultsInvalid",
    "Journal",
    "JournalInvalid",
    "KeyMemory",
    "KeyStanding",
    "LedgerEntry",
    "Post",
    "Provision",
    "SignedEvent",
    "build_app",
]
