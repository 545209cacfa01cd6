"""The worker that finishes what was left open."""
