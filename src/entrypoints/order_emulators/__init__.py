"""Pretended payment providers over HTTP, as strict as the real ones."""
