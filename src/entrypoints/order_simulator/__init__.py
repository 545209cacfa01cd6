"""Runs a whole shop on virtual time, with random faults from a seed."""
