"""How fast the service is, beside two references: `make bench`."""
