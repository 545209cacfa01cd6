"""The worker that finishes what was left open."""

from order_worker.worker import Worker

__all__ = ["Worker"]
