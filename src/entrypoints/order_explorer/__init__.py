"""Runs the use cases in every order of turns, and with every combination of a few faults."""
