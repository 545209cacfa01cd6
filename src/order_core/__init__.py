"""Orders and money that never disagree: the domain, its ports and its use cases."""
