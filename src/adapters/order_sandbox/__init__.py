"""A payment provider that only pretends."""
