"""What use cases promise whoever calls them: rules that are seen when one of them answers.

They have no check of their own: whoever plays callers, providers and accidents (explorer,
simulator, chaos run, `verify`) knows what just happened, and says which promise it breaks.
"""

from typing import Final

from order_core.invariants.rule import Rule

NO_BUG: Final = Rule(
    "no_bug", "A call ends with an answer or an error of order_core, whatever befalls it."
)
READABLE: Final = Rule("readable", "What is stored as an order can be read as one.")
SHOWN_AS_STORED: Final = Rule(
    "shown_as_stored", "What an owner is shown of an order is what is stored of it."
)
NO_BROKEN_CONSTRAINT: Final = Rule(
    "no_broken_constraint", "No use case tries to store what the database forbids."
)
NOTHING_MEANS_NOTHING: Final = Rule(
    "nothing_means_nothing", "Told that nothing happened, a customer has no order."
)
KEYS_ANSWER_ALIKE: Final = Rule(
    "keys_answer_alike", "A key is answered with the order that is stored with it."
)
NOBODY_ELSE_SENDS: Final = Rule(
    "nobody_else_sends", "Only who holds an order asks the provider for money about it."
)
ONLY_WHAT_CAN_BE_ASKED: Final = Rule(
    "only_what_can_be_asked", "Nobody asks a provider about what it says that it cannot show."
)
WRONG_CLOCK_CLAIMS_NOTHING: Final = Rule(
    "wrong_clock_claims_nothing", "A process whose clock is too wrong looks after nothing."
)
WEBHOOK_IS_TAKEN: Final = Rule(
    "webhook_is_taken", "What the provider tells again and again is taken in the end."
)
FORGERY_IS_REFUSED: Final = Rule(
    "forgery_is_refused", "What the provider did not sign changes nothing."
)
UNKNOWN_MONEY_IS_SHOWN: Final = Rule(
    "unknown_money_is_shown", "An event about money that nobody knows is kept for people to see."
)
KNOWN_MONEY_IS_MATCHED: Final = Rule(
    "known_money_is_matched", "An event about money of ours finds its order, however early it is."
)
EVERYTHING_ENDS: Final = Rule(
    "everything_ends", "Given time, every request ends, and nothing is tried for ever."
)

PROMISES: Final = (
    NO_BUG,
    EVERYTHING_ENDS,
    READABLE,
    SHOWN_AS_STORED,
    NO_BROKEN_CONSTRAINT,
    NOTHING_MEANS_NOTHING,
    KEYS_ANSWER_ALIKE,
    NOBODY_ELSE_SENDS,
    ONLY_WHAT_CAN_BE_ASKED,
    WRONG_CLOCK_CLAIMS_NOTHING,
    WEBHOOK_IS_TAKEN,
    FORGERY_IS_REFUSED,
    UNKNOWN_MONEY_IS_SHOWN,
    KNOWN_MONEY_IS_MATCHED,
)
"""Every rule about answers."""
