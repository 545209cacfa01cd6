"""The `order-core` command."""
