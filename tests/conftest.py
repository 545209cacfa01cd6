"""How hard Hypothesis looks, by profile; and what was tried afresh, told at the end."""

import pytest
from hypothesis import settings

# Deadlines measure the machine, not the code: on a busy one they fail good code.
settings.register_profile("dev", deadline=None, print_blob=True)
# The gate tries the same examples each time, so that red means "this change", not "bad luck".
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
# For a long look by hand: new examples each time, and many.
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile("dev")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seeds that nobody chose, so that each run can be repeated."""
    fresh = {
        str(value)
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == FRESH_SEED
    }
    for told in sorted(fresh):
        terminalreporter.write_line(f"{FRESH_SEED}: {told}")


FRESH_SEED = "tried with a fresh seed"
