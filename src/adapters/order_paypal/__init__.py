"""Payments through PayPal."""
