"""What things cost: by the shop's catalogue, by quotes that it signed, or by trust."""
