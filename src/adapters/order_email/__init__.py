"""Customers told by e-mail."""
