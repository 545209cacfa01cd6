"""Pretended payment providers over HTTP, as strict as the real ones."""

from order_emulators.building import EMULATORS, build_emulator

__all__ = ["EMULATORS", "build_emulator"]
