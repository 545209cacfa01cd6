"""Payments through Square."""
