"""Orders and their money: the domain, without I/O."""
