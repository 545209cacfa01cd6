"""How hard Hypothesis looks, by profile."""

from hypothesis import settings

# Deadlines measure the machine, not the code: on a busy one they fail good code.
settings.register_profile("dev", deadline=None, print_blob=True)
# The gate tries the same examples each time, so that red means "this change", not "bad luck".
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
# For a long look by hand: new examples each time, and many.
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile("dev")
