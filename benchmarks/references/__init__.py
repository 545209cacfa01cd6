"""What the service is compared with: the usual way, and the least that could be done."""
